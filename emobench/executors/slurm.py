"""The executor of a Slurm cluster: an array of jobs, each of which does a share of the run's.

What is handed to Slurm stays in its queue whatever becomes of who gave the command. That one looks
what is filed meanwhile; given again, it shows what is there, and hands over only what is neither
done nor in the queue.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import EmobenchError, SpecError
from ..spec import Places
from ..store import Store
from ..store.reading import FAILURE
from .devices import Wanted
from .share import Share
from .submissions import Key, Submission, Submissions, key, queued
from .work import Event, Work

OPTION = "--slurm"
SHARES = 16
"""Jobs of an array, unless something else is asked for."""

LEAST_MINUTES = 3
"""Jobs are told a minute and a half before their time is up."""

_NAMES = {"time": "timeout_min", "gpus": "gpus_per_node", "cpus": "cpus_per_task", "mem": "mem_gb"}
"""What submitit calls what is short on our command line."""

_RESTARTS = 1000
_LOOK_SECONDS = {"slurm": 15.0, "local": 0.5}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What is asked of the scheduler.

    Attributes:
        cluster: "slurm", or "local" for processes of this machine
        shares: jobs of an array
        parameters: of each, as submitit calls them
    """

    cluster: str = "slurm"
    shares: int = SHARES
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gpus(self) -> int:
        """Cards of each job."""
        return int(self.parameters.get("gpus_per_node", 0))


def parse(text: str) -> Asked:
    """Return what a text such as "partition=gpu,time=120,gpus=1,array=20" asks for.

    Raises:
        SpecError: if a part of it is no KEY=VALUE, a number is none, or the time is not told

    Examples:
        >>> parse("time=120,gpus=1").parameters
        {'timeout_min': 120, 'gpus_per_node': 1}
    """
    given: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name or not value:
            raise SpecError(f"{OPTION}: expected KEY=VALUE with commas between, found '{part}'.")
        given[name] = int(value) if value.isascii() and value.isdigit() else value
    cluster, shares = given.pop("cluster", "slurm"), given.pop("array", SHARES)
    if cluster not in _LOOK_SECONDS:
        raise SpecError(f"{OPTION} cluster: expected slurm or local, found '{cluster}'.")
    numbers = {"array": shares, **{name: given[name] for name in _NAMES if name in given}}
    for name, value in numbers.items():
        if not isinstance(value, int) or value < 1:
            raise SpecError(f"{OPTION} {name}: expected a number of 1 or more, found {value}.")
    if cluster == "slurm" and given.get("time", 0) < LEAST_MINUTES:
        raise SpecError(
            f"{OPTION}: expected time=MINUTES, {LEAST_MINUTES} or more, found "
            f"{given.get('time', 'none')}: how long a job of the array may run. A fold that takes "
            "longer is begun again and again."
        )
    named = {_NAMES.get(name, f"slurm_{name}"): value for name, value in given.items()}
    return Asked(cluster, shares, named)


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
        cards = 0 if self.wanted is None or self.wanted.kind == "cpu" else self.asked.gpus
        return cards * self.asked.shares * self.workers_per_card

    @property
    def tuning_processes(self) -> int:
        """One: jobs that tune are spread over the cluster."""
        return 1

    def run(
        self, work: Iterable[Work], stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[Event]:
        """Hand over what is not in the queue, and tell what is filed.

        Once it is to stop, or is closed, what is in the queue stays there.
        """
        jobs = {key(item): item for item in work}
        if jobs and not stopping():
            submissions = Submissions(self.places.cache, self.places.results, self.asked.cluster)
            submissions.folder.mkdir(parents=True, exist_ok=True)
            yield from self._watch(jobs, self._hand_over(jobs, submissions), stopping)

    def close(self) -> None:
        """Do nothing: what is in the queue stays there."""

    def _hand_over(self, jobs: Mapping[Key, Work], kept: Submissions) -> list[Submission]:
        """Submit the jobs that are not in the queue, and return all submissions that count."""
        ids = [path.stem for path in kept.folder.glob("*.json")]
        waiting = list(kept.waiting(self._queued(ids)))
        there = set().union(*(one.jobs for one in waiting))
        left = [item for name, item in jobs.items() if name not in there]
        if there & jobs.keys():
            _log.warning(
                "%d jobs of an earlier run are in the queue; they are not submitted again.",
                len(there & jobs.keys()),
            )
        made = self._submit(left, kept.folder) if left else []
        kept.note(made)
        return [*waiting, *made]

    def _submit(self, left: Sequence[Work], folder: Path) -> list[Submission]:
        """Submit an array, each of whose jobs does neighbours: those of few experiments."""
        shares = list(parted(left, self.asked.shares))
        stem = f"{time.time_ns():x}"
        refusals = [folder / f"{stem}-{number}.refusal" for number in range(len(shares))]
        packed = [self._share(*both) for both in zip(shares, refusals, strict=True)]
        try:
            executor = self._scheduler(folder)
            with executor.batch():
                made = [executor.submit(share) for share in packed]
        except Exception as error:  # whatever submitit makes of what sbatch says
            raise _explained(error) from error
        names = [job.job_id for job in made]
        _log.warning("submitted %d jobs of the scheduler: %s", len(names), ", ".join(names[:5]))
        return [
            Submission(job.job_id, frozenset(map(key, items)), refusal, Path(job.paths.stderr))
            for job, items, refusal in zip(made, shares, refusals, strict=True)
        ]

    def _share(self, items: Sequence[Work], refusal: Path) -> Share:
        return Share(
            pickle.dumps(list(items)),
            __version__,
            self.processes,
            self.wanted,
            self.backend,
            self.workers_per_card,
            refusal,
        )

    def _scheduler(self, folder: Path) -> Any:
        """Return submitit's executor."""
        import submitit

        executor = submitit.AutoExecutor(
            folder, cluster=self.asked.cluster, slurm_max_num_timeout=_RESTARTS
        )
        usual = {"name": "emobench", "cpus_per_task": self.processes * self.threads}
        executor.update_parameters(**{**usual, **self.asked.parameters})
        return executor

    def _queued(self, ids: Sequence[str]) -> set[str]:
        try:
            return queued(self.asked.cluster, ids)
        except OSError as error:
            raise EmobenchError(
                f"--executor slurm: expected the command squeue to list the queue, found: {error}. "
                "Give the command where Slurm's commands are, such as a login node."
            ) from error

    def _watch(
        self,
        jobs: Mapping[Key, Work],
        submissions: Sequence[Submission],
        stopping: Callable[[], bool],
    ) -> Iterator[Event]:
        """Tell of records and failures as they are filed, until nothing is left in the queue."""
        watching, due = _Watching(dict(jobs), list(submissions)), 0.0
        while watching.left:
            if stopping():
                names = ", ".join(one.id for one in watching.submissions)
                _log.warning(
                    "%d jobs stay in the queue (%s); give the same command to see what became of "
                    "them, or cancel them with scancel.",
                    len(watching.left),
                    names,
                )
                return
            if time.monotonic() < due:
                time.sleep(0.1)
                continue
            due = time.monotonic() + _LOOK_SECONDS[self.asked.cluster]
            alive = self._queued([one.id for one in watching.submissions])
            yield from watching.filed()
            yield from watching.ended(alive)


class _Watching:
    """Jobs whose fate is not known yet.

    Args:
        left: the jobs
        submissions: the scheduler's jobs that do them
    """

    def __init__(self, left: dict[Key, Work], submissions: list[Submission]) -> None:
        self.left = left
        self.submissions = submissions
        self._gone: set[str] = set()
        self._old = {name: _failure(item) for name, item in left.items()}

    def filed(self) -> Iterator[Event]:
        """Yield what was filed since; failures from before are not news."""
        by_experiment: dict[str, list[Work]] = {}
        for item in self.left.values():
            by_experiment.setdefault(item.experiment.fingerprint, []).append(item)
        for items in by_experiment.values():
            store = Store(items[0].places.results)
            names = {path.name for path in store.folder(items[0].experiment).iterdir()}
            for item in items:
                if f"{item.job.name}.json" in names:
                    yield from self._told(Event("done", item, record=_record(store, item)))
                elif f"{item.job.name}{FAILURE}" in names:
                    failure = _failure(item)
                    if failure is not None and failure != self._old[key(item)]:
                        yield from self._told(Event("failed", item, message=failure[0]))

    def ended(self, alive: set[str]) -> Iterator[Event]:
        """Yield what is to be said of jobs that are in no queue any more, and have no record.

        Raises:
            EmobenchError: if a node cannot do the jobs
        """
        for one in list(self.submissions):
            if one.refusal.exists():
                raise EmobenchError(one.refusal.read_text())
            if one.id in alive:
                self._gone.discard(one.id)
            elif one.id not in self._gone:
                self._gone.add(one.id)  # what it filed last may not be seen yet
            else:
                self.submissions.remove(one)
                for name in sorted(one.jobs & self.left.keys()):
                    item = self.left[name]
                    failure = _failure(item)
                    message = (
                        f"the scheduler's job {one.id} ended without a record of it. Its log is "
                        f"{one.log}; give the same command to try again."
                    )
                    again = failure is not None and failure != self._old[name]
                    yield from self._told(
                        Event("failed", item, message=failure[0] if again else message)
                    )

    def _told(self, event: Event) -> Iterator[Event]:
        del self.left[key(event.work)]
        yield Event("started", event.work)
        yield event


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


def _failure(item: Work) -> tuple[str, int] | None:
    """Return why a job failed last, and what tells that from an earlier time."""
    return Store(item.places.results).failure(item.experiment, item.job)


def _record(store: Store, item: Work) -> dict[str, Any]:
    return store.record(item.experiment, item.job)


def _explained(error: Exception) -> EmobenchError:
    """Return what to say where a scheduler takes nothing."""
    lines = [line for line in str(error).strip().split("\n") if line.strip()]
    said = " ".join(lines[: 1 if isinstance(error, NameError) else 3]) or type(error).__name__
    return SpecError(
        f"{OPTION}: expected the scheduler to take an array of jobs, found: {said}. Correct the "
        "options, or give the command where Slurm's commands are, such as a login node."
    )
