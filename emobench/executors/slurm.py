"""The executor of a Slurm cluster: arrays of jobs, each of which does a share of the run's.

What is ready is handed over while others are made ready, as an array. While a part of an earlier
one waits for a node there is no hurry, and what becomes ready until then goes into one array.

What is handed to Slurm stays in its queue whatever becomes of who gave the command. That one looks
what is filed meanwhile; given again, it shows what is there, and hands over only what is neither
done nor in the queue.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import EmobenchError, SpecError
from ..features.workers import Processes
from ..spec import Places
from ..storage import discard
from .devices import Wanted
from .gathered import Gathered
from .portion import fits_cards
from .sealed import Sealed
from .share import Share
from .slurm_crew import SlurmCrew
from .slurm_options import OPTION, Asked
from .submissions import Submission, Submissions, key, queued
from .watching import Watching
from .work import Event, Work

_RESTARTS = 1000
_LOOK_SECONDS = {"slurm": 15.0, "local": 0.5}
_AGAIN_SECONDS = {"slurm": 60.0, "local": 0.5}
"""Before the scheduler is asked again to take what it did not take."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Slurm:
    """The executor of a Slurm cluster; see `contract`.

    Attributes:
        asked: what is asked of the scheduler
        places: where jobs read and write, on every node
        processes: workers on the CPU in each job of the array
        threads: of each
        wanted: what networks are trained on; None without networks
        backend: what trains them
        workers_per_card: processes that divide each card
    """

    asked: Asked
    places: Places
    processes: int = 1
    threads: int = 1
    wanted: Wanted | None = None
    backend: str = "tensorflow"
    workers_per_card: int = 1

    @property
    def networks_at_once(self) -> int:
        """How many workers train networks on cards."""
        return self._on_cards * self.asked.shares

    @property
    def _on_cards(self) -> int:
        """How many workers of each job train networks on cards."""
        cards = 0 if self.wanted is None or self.wanted.kind == "cpu" else self.asked.gpus
        return cards * self.workers_per_card

    @property
    def others_at_once(self) -> int:
        """How many workers there are on the CPUs of all jobs of an array."""
        return self.asked.shares * self.processes

    @property
    def workers_here(self) -> int:
        """None: the command waits where people log in."""
        return 0

    @property
    def tuning_processes(self) -> int:
        """One: jobs that tune are spread over the cluster."""
        return 1

    def crew(self, here: Processes) -> SlurmCrew:
        """Processes of this machine, and jobs of the scheduler for what takes long."""
        cpu = self.wanted is not None and self.wanted.kind == "cpu"
        on_cards = bool(self.asked.gpus) and not cpu and fits_cards(self.places)
        return SlurmCrew(here, self.processes, on_cards, self.asked, self.places, self._array)

    def run(
        self, work: Iterable[Work], stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[Event]:
        """Hand over what is not in the queue, and tell what is filed.

        Once it is to stop, or is closed, what is in the queue stays there.
        """
        gathered, watching = Gathered(work), Watching({}, [], self.asked.cluster)
        kept = Submissions(self.places.cache, self.places.results, self.asked.cluster)
        self._say_if_no_card_is_asked_for()
        interval, answers = _LOOK_SECONDS[self.asked.cluster], True
        due = time.monotonic() + interval  # what is there by then is one array
        again = 0.0
        while gathered.draw() or gathered.more or watching.left:
            if stopping():
                _say_what_stays(watching)
                return
            is_complete = gathered.is_complete and not watching.submissions
            if time.monotonic() < due and not is_complete:
                time.sleep(0.1)
                continue
            due = time.monotonic() + interval
            queue = self._look(watching, answers) if watching.submissions else {}
            answers = queue is not None
            yield from watching.filed()
            if queue is None:
                continue
            watching.explain(queue)
            yield from watching.ended(queue)
            waits = gathered.more and watching.waits(queue)
            if gathered.there and not waits and time.monotonic() >= again:
                if self._hand_over(gathered, kept, watching):
                    due = time.monotonic()  # an earlier run may have had them done
                else:
                    again = time.monotonic() + _AGAIN_SECONDS[self.asked.cluster]

    def close(self) -> None:
        """Do nothing: what is in the queue stays there."""

    def _look(self, watching: Watching, answers: bool) -> Mapping[str, str] | None:
        """Return what is in the queue; None if the scheduler does not answer, which is said once.

        Args:
            watching: knows what was submitted
            answers: whether it answered last time
        """
        try:
            return queued(self.asked.cluster, [one.id for one in watching.submissions])
        except OSError as error:  # a controller that is started again, say
            if answers:
                _log.warning("the scheduler does not answer; waiting for it: %s", error)
            return None

    def _hand_over(self, gathered: Gathered, kept: Submissions, watching: Watching) -> bool:
        """Submit the jobs that are not in the queue, and watch all submissions that count.

        Returns:
            whether all were taken; those that were not may be once others of ours are done
        """
        jobs = {key(item): item for item in gathered.take(watching.left)}
        watching.add(jobs)
        kept.open()
        ids = [path.stem for path in kept.folder.glob("*.json")]
        try:
            waiting = list(kept.waiting(queued(self.asked.cluster, ids)))
        except OSError as error:
            if isinstance(error, FileNotFoundError) or not (ids or watching.submissions):
                raise _unanswered(error) from error
            gathered.give_back(jobs.values(), f"the scheduler does not answer ({error})")
            return False
        there = set().union(*(one.jobs for one in waiting))
        left = [item for name, item in jobs.items() if name not in there]
        if there & jobs.keys():
            _log.warning(
                "%d jobs of an earlier run are in the queue; they are not submitted again.",
                len(there & jobs.keys()),
            )
        watching.add({}, waiting)
        try:
            made = self._submit(left, kept.folder) if left else []
        except _NotTakenError as error:
            if not watching.submissions:
                raise
            gathered.give_back(left, f"the scheduler takes no more for now ({error.said})")
            return False
        kept.note(made)
        watching.add({}, made)
        return True

    def _submit(self, left: Sequence[Work], above: Path) -> list[Submission]:
        """Submit an array, each of whose jobs does neighbours: those of few experiments."""
        shares = list(parted(left, self.asked.shares))
        folder = above / f"{time.time_ns():x}"
        refusals = [folder / f"{number}.refusal" for number in range(len(shares))]
        sealed = [self._sealed(*both) for both in zip(shares, refusals, strict=True)]
        made = self._array(folder, sealed)
        names = [job.job_id for job in made]
        _log.warning("submitted %d jobs of the scheduler: %s", len(names), ", ".join(names[:5]))
        return [
            Submission(job.job_id, frozenset(map(key, items)), refusal, Path(job.paths.stderr))
            for job, items, refusal in zip(made, shares, refusals, strict=True)
        ]

    def _array(self, folder: Path, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Submit an array of jobs, each of which does one call; its files are in the folder."""
        executor = self._scheduler(folder)
        try:
            with executor.batch():
                return [executor.submit(call) for call in calls]
        except Exception as error:  # whatever submitit makes of what sbatch says
            with suppress(OSError):
                discard(folder)
            raise _NotTakenError(_said(error)) from error

    def _sealed(self, items: Sequence[Work], refusal: Path) -> Sealed:
        wanted = self.wanted
        if wanted is not None and wanted.kind == "auto" and self.asked.gpus:
            wanted = Wanted("gpu")  # one that was asked for and is not there is no reason to dawdle
        share = Share(list(items), self.processes, wanted, self.backend, self.workers_per_card)
        return Sealed(__version__, pickle.dumps(share), str(refusal))

    def _say_if_no_card_is_asked_for(self) -> None:
        """Warn of it where cards are wanted: some partitions give them unasked, others do not."""
        if self.wanted is not None and self.wanted.kind == "gpu" and not self.asked.gpus:
            _log.warning(
                "--device asks for graphics cards, and %s for none: unless the partition gives "
                "them unasked, write %s …,gpus=1. A node without a card ends the run.",
                OPTION,
                OPTION,
            )

    def _scheduler(self, folder: Path) -> Any:
        """Return submitit's executor."""
        import submitit

        workers = self.processes + self._on_cards
        usual = {"name": "emobench", "cpus_per_task": workers * self.threads}
        wanted = {**usual, **self.asked.parameters}
        # Since Slurm 22.05 srun does not know what sbatch was asked for.
        of_srun = [f"--cpus-per-task={wanted['cpus_per_task']}"]
        # Where slurm.conf says JobRequeue=0, only what asks for it is queued again.
        requeue = {"requeue" if self.asked.requeue else "no-requeue": True}
        ours = {"slurm_srun_args": of_srun, "slurm_additional_parameters": requeue}
        try:
            executor = submitit.AutoExecutor(
                folder, cluster=self.asked.cluster, slurm_max_num_timeout=_RESTARTS
            )
            executor.update_parameters(**ours, **wanted)
        except Exception as error:  # options that there are not, or no command of Slurm
            raise SpecError(_untaken(_said(error))) from error
        return executor


class _NotTakenError(SpecError):
    """The scheduler takes no array now.

    Args:
        said: what it said
    """

    def __init__(self, said: str) -> None:
        super().__init__(_untaken(said))
        self.said = said


def _say_what_stays(watching: Watching) -> None:
    """Say what is in the queue, if anything is."""
    stay = set().union(*(one.jobs for one in watching.submissions)) & watching.left.keys()
    if stay:
        _log.warning(
            "%d jobs stay in the queue (%s); give the same command to see what became of them, or "
            "cancel them with scancel.",
            len(stay),
            ", ".join(one.id for one in watching.submissions),
        )


def parted(items: Sequence[Work], shares: int) -> Iterator[Sequence[Work]]:
    """Yield items in so many parts of neighbours, none of which is empty; groups stay whole."""
    wanted = max(1, -(-len(items) // shares))
    part: list[Work] = []
    for item in items:
        together = bool(part) and bool(item.siblings) and item.group == part[-1].group
        if len(part) >= wanted and not together:
            yield part
            part = []
        part.append(item)
    if part:
        yield part


def _said(error: Exception) -> str:
    """Return the first lines of what the scheduler, or its package, says."""
    lines = [line for line in str(error).strip().split("\n") if line.strip()]
    return " ".join(lines[: 1 if isinstance(error, NameError) else 3]) or type(error).__name__


def _untaken(said: str) -> str:
    return (
        f"{OPTION}: expected the scheduler to take an array of jobs, found: {said}. Correct the "
        "options, or give the command where Slurm's commands are, such as a login node."
    )


def _unanswered(error: OSError) -> EmobenchError:
    return EmobenchError(
        f"--executor slurm: expected the command squeue to list the queue, found: {error}. "
        "Give the command where Slurm's commands are, such as a login node."
    )
