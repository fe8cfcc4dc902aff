"""What a person sees while a run goes on: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from ..executors import Event, Work
    from ..runs.handing_out import Step

LINE_EVERY_SECONDS = 30.0


class Progress:
    """Shows extraction and training as they go; a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._terminal = self._console.is_terminal
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._terminal,
        )
        self._tasks: dict[object, TaskID] = {}
        self._started: dict[object, float] = {}
        self._elsewhere: set[str] = set()
        self._line_due = 0.0
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
        if not self._terminal and (done == total or time.monotonic() > self._line_due):
            self._line_due = time.monotonic() + LINE_EVERY_SECONDS
            self._console.print(f"{corpus}: {what}: {done}/{total} clips", highlight=False)

    def begin(self, steps: Sequence[Step]) -> None:
        """Show how much there is to train; more may follow."""
        more = sum(len(step.missing) for step in steps)
        kept = sum(step.kept for step in steps)
        self._total += more
        self._line(f"jobs to do: {more}; done before: {kept}")
        if "all" not in self._tasks:
            self._tasks["all"] = self._bars.add_task("all jobs", total=self._total)
        self._bars.update(self._tasks["all"], total=self._total)

    def revise(self, foreseen: Step, step: Step | None) -> None:
        """Show that an experiment has other jobs to do than was thought."""
        self._total += len(step.missing if step else ()) - len(foreseen.missing)
        self._bars.update(self._tasks["all"], total=self._total)

    def event(self, event: Event) -> None:
        """Show what happened to a job."""
        name = _name(event.work)
        if event.kind == "started":
            self._started[name] = time.monotonic()
            self._tasks[name] = self._bars.add_task(name, total=None)
        elif event.kind == "epoch":
            self._bars.update(self._tasks[name], completed=event.epoch, total=event.epochs)
            if not self._terminal and time.monotonic() > self._line_due:
                self._line_due = time.monotonic() + LINE_EVERY_SECONDS
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
        self._line(f"[{self._finished}/{self._total}] {name}: {outcome} ({seconds:.0f} s)")

    def _take_off(self, name: str) -> float:
        """Take a job off the screen, and return how long it was there."""
        self._bars.remove_task(self._tasks.pop(name))
        return time.monotonic() - self._started.pop(name)

    def _line(self, text: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(text, highlight=False, markup=False)


def _name(work: Work) -> str:
    """Return a job's name for people."""
    experiment, job = work.experiment, work.job
    if job.fold is None:
        return f"{experiment.title} tuning"
    part = f"fold {job.fold + 1}/{experiment.n_folds}"
    return f"{experiment.title} {part} repetition {job.repetition}"
