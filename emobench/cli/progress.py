"""What a person sees while a run goes on: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

if TYPE_CHECKING:
    from ..costs import Forecast
    from ..executors import Event, Work
    from ..runs.handing_out import Step

LINE_EVERY_SECONDS = 30.0
LOOK_EVERY_SECONDS = 1.0


class Progress:
    """Shows extraction and training as they go; a context manager.

    Args:
        clock: tells the time, in seconds since 1970
        console: what to show it on; by default where errors go

    Attributes:
        forecast: tells when all will be done; None where nobody knows
    """

    def __init__(
        self, clock: Callable[[], float] = time.time, console: Console | None = None
    ) -> None:
        self.forecast: Forecast | None = None
        self._clock = clock
        self._console = console or Console(stderr=True)
        self._terminal = self._console.is_terminal
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            _Left(lambda: self._until),
            console=self._console,
            disable=not self._terminal,
        )
        self._tasks: dict[object, TaskID] = {}
        self._started: dict[object, float] = {}
        self._elsewhere: set[str] = set()
        self._line_due = 0.0
        self._until = ""
        self._until_due = 0.0
        self._total = 0
        self._finished = 0

    def __enter__(self) -> Progress:
        self._bars.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.__exit__(*error)

    def features(self, corpus: str, what: str, done: int, total: int) -> None:
        """Show how far the extraction of a front-end on a corpus is."""
        key = (corpus, what)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(f"{corpus}: {what}", total=total)
        self._bars.update(self._tasks[key], completed=done)
        if self.forecast is not None and total:
            self.forecast.extracted(corpus, what, done / total)
            self._look_ahead()
        if not self._terminal and (done == total or self._clock() > self._line_due):
            self._line_due = self._clock() + LINE_EVERY_SECONDS
            self._console.print(f"{corpus}: {what}: {done}/{total} clips", highlight=False)

    def begin(self, steps: Sequence[Step]) -> None:
        """Show how much there is to train; more may follow."""
        more = sum(len(step.missing) for step in steps)
        kept = sum(step.kept for step in steps)
        self._total += more
        for step in steps if self.forecast is not None else ():
            self.forecast.begin(step.experiment, step.missing)
        finish = f"; {self._finish()}" if more and self.forecast is not None else ""
        self._line(f"jobs to do: {more}; done before: {kept}{finish}")
        if "all" not in self._tasks:
            self._tasks["all"] = self._bars.add_task("all jobs", total=self._total, all=True)
        self._bars.update(self._tasks["all"], total=self._total)

    def revise(self, foreseen: Step, step: Step | None) -> None:
        """Show that an experiment has other jobs to do than was thought."""
        if self.forecast is not None:
            self.forecast.begin(foreseen.experiment, step.missing if step else ())
        self._total += len(step.missing if step else ()) - len(foreseen.missing)
        self._bars.update(self._tasks["all"], total=self._total)

    def event(self, event: Event) -> None:
        """Show what happened to a job."""
        name = _name(event.work)
        self._foresee(event)
        if event.kind == "started":
            self._started[name] = self._clock()
            self._tasks[name] = self._bars.add_task(name, total=None)
        elif event.kind == "epoch":
            self._bars.update(self._tasks[name], completed=event.epoch, total=event.epochs)
            if not self._terminal and self._clock() > self._line_due:
                self._line_due = self._clock() + LINE_EVERY_SECONDS
                self._line(f"{name}: epoch {event.epoch}/{event.epochs}")
        elif event.kind == "retried":
            self._line(f"{name}: {event.message}")
            self._take_off(name)
        elif event.kind == "elsewhere":
            self._take_off(name)
            if name not in self._elsewhere:
                self._elsewhere.add(name)
                self._line(f"{name}: another run is at it; going on with others")
        else:
            self._close(name, event)

    def _close(self, name: str, event: Event) -> None:
        """Take a finished job off the screen and leave a line."""
        seconds = self._take_off(name)
        self._finished += 1
        self._bars.update(self._tasks["all"], completed=self._finished)
        scores = event.record.get("scores")
        outcome = f"UAR {100 * scores['uar']:.1f}" if scores else event.kind
        line = f"[{self._finished}/{self._total}] {name}: {outcome} ({seconds:.0f} s)"
        # On a terminal the bar below says so all the time.
        more = self._finished < self._total and not self._terminal
        self._line(f"{line}; {self._finish()}" if more and self.forecast else line)

    def _foresee(self, event: Event) -> None:
        """Let the forecast know what happened to a job."""
        if self.forecast is None:
            return
        about = (event.work.experiment, event.work.job)
        if event.kind == "started":
            self.forecast.started(*about, self._clock())
        elif event.kind == "epoch":
            self.forecast.reached(*about, event.epoch / event.epochs)
        elif event.kind in ("retried", "elsewhere"):
            self.forecast.put_back(*about)
        else:
            took = (event.record or {}).get("seconds") if event.kind == "done" else None
            self.forecast.finished(*about, self._clock(), took)
        self._look_ahead()

    def _finish(self) -> str:
        """Return when all will be done, or "" where nobody knows."""
        from ..costs.figures import words

        if self.forecast is None:
            return ""
        now = self._clock()
        left = self.forecast.remaining(now)
        about = "very roughly" if left.rough else "about"
        return f"all done {about} {at(now, now + left.seconds)} (in {words(left.seconds)})"

    def _look_ahead(self) -> None:
        """Find out anew when all will be done, in few characters for the bar.

        Not while it is drawn, which another thread does ten times a second.
        """
        now = self._clock()
        if self.forecast is not None and self._terminal and now >= self._until_due:
            left = self.forecast.remaining(now)
            self._until = f"until {at(now, now + left.seconds)}{'?' if left.rough else ''}"
            self._until_due = self._clock() + LOOK_EVERY_SECONDS

    def _take_off(self, name: str) -> float:
        """Take a job off the screen, and return how long it was there."""
        self._bars.remove_task(self._tasks.pop(name))
        return self._clock() - self._started.pop(name)

    def _line(self, text: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(text, highlight=False, markup=False, soft_wrap=not self._terminal)


class _Left(TimeRemainingColumn):
    """The time that is left of a bar; of that of all jobs, when the whole plan will be done."""

    max_refresh = 1.0

    def __init__(self, finish: Callable[[], str]) -> None:
        super().__init__()
        self._finish = finish

    def render(self, task: Task) -> Text:
        """Return what is shown beside a bar."""
        finish = self._finish() if task.fields.get("all") and not task.finished else ""
        return Text(finish, style="progress.remaining") if finish else super().render(task)


def at(now: float, then: float) -> str:
    """Return a time for people, with the day where that is another one.

    Args:
        now: seconds since 1970
        then: the same
    """
    day, time_of_day = datetime.fromtimestamp(then), "%H:%M"
    if day.date() != datetime.fromtimestamp(now).date():
        time_of_day = "%Y-%m-%d %H:%M"
    return f"{day:{time_of_day}}"


def _name(work: Work) -> str:
    """Return a job's name for people."""
    experiment, job = work.experiment, work.job
    if job.fold is None:
        return f"{experiment.title} tuning"
    part = f"fold {job.fold + 1}/{experiment.n_folds}"
    return f"{experiment.title} {part} repetition {job.repetition}"
