"""Extraction in jobs of a scheduler, where it takes longer than such a job is worth.

How long it takes is seen from the first clips, which are always extracted here. What is handed over
comes back in files of the scheduler's package, in the folder that all machines see.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import FeatureError, SpecError, first_line
from ..features.workers import Processes
from ..spec import Places
from ..storage import discard
from .portion import Extraction, Portion
from .slurm_options import Asked
from .submissions import queued

_WORTH_SECONDS = 600.0
"""What takes less here is done here: a job waits for its node, and for what it loads."""

_SHARE_SECONDS = 300.0
"""Least of this machine's time that one job takes over."""

_ROUNDS = 3
"""Of tasks that are done here at least; the first, which loads what is needed, tells nothing."""

_LEAST_ON_CARD = 32
"""Tasks that are worth a job which opens a network on a card."""

_POLL_SECONDS = 1.0
_LOOK_SECONDS = {"slurm": 15.0, "local": 1.0}
_GRACE_SECONDS = {"slurm": 90.0, "local": 2.0}
"""How long after a job left the queue its results may still become seen."""

_KEPT_SECONDS = 7 * 86_400.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SlurmCrew:
    """Who extracts for a run on a cluster; see `features.workers.Crew`.

    Attributes:
        here: processes of this machine, which do what is little
        there: processes of each job
        on_cards: whether a network is opened on the cards that each job has
        asked: what is asked of the scheduler
        places: what every node must see
        submit: from a folder and calls to submitit's jobs; raises `SpecError` if it takes none
    """

    here: Processes
    there: int
    on_cards: bool
    asked: Asked
    places: Places
    submit: Callable[[Path, Sequence[Callable[[], Any]]], list[Any]]

    def in_order(
        self,
        work: Callable[[Any], Sequence[Any]],
        tasks: Sequence[Any],
        what: str,
        *,
        network: bool = False,
        waiting: Callable[[], None] = lambda: None,
    ) -> Iterator[Any]:
        """Yield what becomes of tasks."""
        extraction = Extraction(work, self.places, what, network)
        on_cards = network and self.on_cards and not self.here.cards
        if on_cards:
            jobs = min(-(-len(tasks) // _LEAST_ON_CARD), self.asked.shares)
            yield from self._there(extraction, tasks, jobs, waiting, on_cards=True)
            return
        workers = len(self.here.cards) if network and self.here.cards else max(self.here.jobs, 1)
        first, left = tasks[: workers * _ROUNDS], tasks[workers * _ROUNDS :]
        began, whole = 0.0, partial(_whole, work)
        for done, found in enumerate(self.here.in_order(whole, first, what, network=network), 1):
            if done == workers:
                began = time.monotonic()
            yield from found
        if not left:
            return
        seconds = (time.monotonic() - began) / (workers * (_ROUNDS - 1)) * len(left)
        if seconds < _WORTH_SECONDS:
            yield from self.here.in_order(work, left, what, network=network, waiting=waiting)
        else:
            yield from self._there(extraction, left, self._jobs(seconds), waiting)

    def _jobs(self, seconds: float) -> int:
        """Return in how many jobs to do what takes so many seconds here."""
        most = 60 * self.asked.parameters.get("timeout_min", math.inf) / 2
        wanted = min(int(seconds / _SHARE_SECONDS), self.asked.shares)
        return max(1, wanted, math.ceil(seconds / most))

    def _there(
        self,
        extraction: Extraction,
        tasks: Sequence[Any],
        jobs: int,
        waiting: Callable[[], None],
        *,
        on_cards: bool = False,
    ) -> Iterator[Any]:
        """Yield what becomes of tasks in so many jobs of the scheduler."""
        above, what = self.places.cache / self.asked.cluster / "extraction", extraction.what
        _forget(above)
        folder = above / f"{time.time_ns():x}"
        folder.mkdir(parents=True)
        portions = extraction.portions(tasks, -(-len(tasks) // jobs))
        try:
            left = self.submit(folder, [Call(one, self.there, on_cards) for one in portions])
        except SpecError as error:  # the queue is full, say
            _log.warning("%s: extracted here, as no job can do it: %s", what, error)
            how = {"network": extraction.network, "waiting": waiting}
            yield from self.here.in_order(extraction.work, tasks, what, **how)
            return
        names = ", ".join(job.job_id for job in left[:5])
        _log.warning("%s: submitted %d jobs of the scheduler: %s", what, len(left), names)
        try:
            while left:
                yield from self._results(left[0], what, waiting)
                left.pop(0)
            with suppress(OSError):
                discard(folder)
        finally:
            for job in left:
                with suppress(OSError):  # one that is over, or no scheduler
                    job.cancel(check=False)

    def _results(self, job: Any, what: str, waiting: Callable[[], None]) -> Sequence[Any]:
        """Wait for the results of a job.

        Raises:
            EmobenchError: if its node cannot do it, or it ended without any
        """
        self._await(job, what, waiting)
        try:
            found, error = job.result()
        except Exception as failed:  # whatever the job raised, as submitit tells it
            raise _failed(job, what, f"failed: {_last_line(failed)}") from failed
        job.paths.result_pickle.unlink()
        if error is not None:
            raise error
        return found

    def _await(self, job: Any, what: str, waiting: Callable[[], None]) -> None:
        """Wait until the results of a job are there."""
        seen = looked = time.monotonic()
        while not job.paths.result_pickle.exists():
            waiting()
            time.sleep(_POLL_SECONDS)
            now = time.monotonic()
            if now - looked < _LOOK_SECONDS[self.asked.cluster]:
                continue
            looked = now
            try:
                if job.job_id in queued(self.asked.cluster, [job.job_id]):
                    seen = now
            except OSError:  # a controller that is started again, say
                seen = now
            if now - seen > _GRACE_SECONDS[self.asked.cluster]:
                raise _failed(job, what, "ended without any")


@dataclass(frozen=True)
class Call:
    """A portion as a job of the scheduler does it.

    Attributes:
        portion: the portion
        processes: that work at it
        on_cards: whether a network is opened on the cards of the job
    """

    portion: Portion
    processes: int
    on_cards: bool

    def __call__(self) -> tuple[list[Any], Exception | None]:
        """Return the results of all tasks, or an error that names this machine."""
        return self.portion(self.processes, self.on_cards)

    def checkpoint(self) -> Any:
        """Return what is to be done once the scheduler starts the job again: the same."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _whole(work: Callable[[Any], Sequence[Any]], task: Any) -> list[list[Any]]:
    """Return the results of a task as one."""
    return [[*work(task)]]


def _failed(job: Any, what: str, how: str) -> FeatureError:
    return FeatureError(
        f"{what}: expected features from the scheduler's job {job.job_id}, found that it {how}. "
        f"Its log is {job.paths.stderr}; give the same command to try again."
    )


def _last_line(error: Exception) -> str:
    """Return what a trace ends with."""
    lines = [line.strip() for line in str(error).partition("\n------")[2].splitlines()]
    told = [line for line in lines if line and not line.startswith(("-", "You can check"))]
    ends = [line for line in told if not line.startswith("File ")]
    return ends[-1] if ends else first_line(error)


def _forget(above: Path) -> None:
    """Remove the folders of jobs that nobody can be waiting for any more."""
    for folder in above.glob("*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                discard(folder)
