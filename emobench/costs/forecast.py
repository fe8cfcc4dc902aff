"""When a run will be done: what was estimated, corrected by what has been observed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..spec import Experiment, Job
from .estimate import Estimate, FeatureCost, core_seconds
from .figures import overlapped

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[str, str]
"""Protocol and title of an experiment."""

_ENOUGH = 0.02
"""Part of a job from which on its epochs tell when it ends."""

_MOMENT = 5.0
"""Seconds from which on jobs tell how fast a machine is: shorter ones tell how long a worker takes
to start."""


@dataclass
class _Kind:
    """Experiments that take their time alike: those of a model.

    Attributes:
        known: whether their estimate is more than rough
        expected: seconds that the finished jobs were expected to take
        taken: seconds that they took
        finished: how many they are
    """

    known: bool
    expected: float = 0.0
    taken: float = 0.0
    finished: int = 0

    @property
    def tells_of_others(self) -> bool:
        """Whether what its jobs took says anything of the jobs of other models."""
        return self.known and self.expected >= _MOMENT * self.finished


@dataclass
class _Running:
    """A job that is being done: since when, and how much of it is done."""

    since: float
    part: float = 0.0


@dataclass(frozen=True)
class Remaining:
    """What is left of a run.

    Attributes:
        seconds: until all is done
        rough: whether that rests on models of which nothing is known yet
    """

    seconds: float
    rough: bool


@dataclass
class Forecast:
    """Tells how long a run will go on; told of what happens, and of the time.

    Attributes:
        estimate: made before the run
    """

    estimate: Estimate
    _jobs: dict[Key, dict[Job, float]] = field(default_factory=dict)
    _network: dict[Key, bool] = field(default_factory=dict)
    _kind_of: dict[Key, str] = field(default_factory=dict)
    _kinds: dict[str, _Kind] = field(default_factory=dict)
    _running: dict[tuple[Key, Job], _Running] = field(default_factory=dict)
    _features: dict[tuple[str, str], list[FeatureCost]] = field(default_factory=dict)
    _extracting: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the estimate for what is to be done."""
        for cost in self.estimate.experiments:
            key = _key(cost.experiment)
            self._jobs[key] = dict(cost.jobs)
            self._network[key] = cost.network
            self._kind_of[key] = cost.experiment.model
            known = self._kinds.setdefault(cost.experiment.model, _Kind(cost.seconds is not None))
            known.known = known.known and not cost.unknown
        for one in self.estimate.features:
            if one.seconds is not None:
                key = (one.corpus, one.feature)
                self._features.setdefault(key, []).append(one)

    def begin(self, experiment: Experiment, missing: Iterable[Job]) -> None:
        """Take in which jobs of an experiment are to be done, now that it is ready."""
        key, wanted = _key(experiment), set(missing)
        if key in self._jobs:
            self._jobs[key] = {job: own for job, own in self._jobs[key].items() if job in wanted}

    def extracted(self, corpus: str, what: str, part: float) -> None:
        """Take in how much of the features of a corpus is extracted, between 0 and 1."""
        left = self._features.get((corpus, what), [])
        if part >= 1:
            del left[:1]  # under the next condition it begins anew
            self._extracting.pop((corpus, what), None)
        elif left:
            self._extracting[corpus, what] = part

    def started(self, experiment: Experiment, job: Job, now: float) -> None:
        """Take in that a job is begun."""
        self._running[_key(experiment), job] = _Running(now)

    def reached(self, experiment: Experiment, job: Job, part: float) -> None:
        """Take in how much of a job is done, between 0 and 1."""
        running = self._running.get((_key(experiment), job))
        if running is not None:
            running.part = part

    def put_back(self, experiment: Experiment, job: Job) -> None:
        """Take in that a job is not being done any more, and still to be done."""
        self._running.pop((_key(experiment), job), None)

    def finished(
        self, experiment: Experiment, job: Job, now: float, took: float | None = None
    ) -> None:
        """Take in that a job is over; from what it took the others of its model are told.

        Args:
            experiment: whose job it is
            job: the job
            now: the time
            took: its seconds, where they are known better: a scheduler tells late of a start
        """
        key = _key(experiment)
        running = self._running.pop((key, job), None)
        expected = self._jobs.get(key, {}).pop(job, None)
        if expected is None or running is None:
            return
        kind = self._kinds[self._kind_of[key]]
        kind.expected += expected
        kind.taken += now - running.since if took is None else took
        kind.finished += 1

    def remaining(self, now: float) -> Remaining:
        """Return how long it will take until all is done; see `Estimate.seconds`."""
        lanes: Mapping[bool, list[float]] = {True: [], False: []}
        busy = {True: 0, False: 0}
        rough = False
        apart = self.estimate.cards > 0
        for key, job, left in self._left(now):
            lane = apart and self._network[key]
            lanes[lane].append(left)
            busy[lane] += (key, job) in self._running
            kind = self._kinds[self._kind_of[key]]
            rough = rough or not (kind.known or kind.finished)
        workers = {True: self.estimate.cards, False: self.estimate.processes}
        trained = max(_shared(lanes[lane], max(workers[lane], busy[lane], 1)) for lane in lanes)
        ahead, beside = core_seconds(self._lacking())
        spare, processes = self.estimate.spare, self.estimate.processes
        return Remaining(
            overlapped(trained, ahead, beside, processes=processes, spare=spare), rough
        )

    def _lacking(self) -> Iterator[FeatureCost]:
        """Yield the features that are not extracted, with the seconds that they still take."""
        for key, left in self._features.items():
            for number, one in enumerate(left):
                part = 0.0 if number else self._extracting.get(key, 0.0)
                seconds = replace(one.seconds, value=one.seconds.value * (1 - part))
                yield replace(one, seconds=seconds)

    def _left(self, now: float) -> Iterator[tuple[Key, Job, float]]:
        """Yield the jobs that are not over with the seconds that they will still take."""
        for key, jobs in self._jobs.items():
            factor = self._factor(self._kinds[self._kind_of[key]])
            for job, expected in jobs.items():
                running = self._running.get((key, job))
                left = expected * factor
                if running is not None:
                    since = now - running.since
                    left = max(left - since, 0.0)
                    if running.part > _ENOUGH:
                        left = since * (1 - running.part) / running.part
                yield key, job, left

    def _factor(self, kind: _Kind) -> float:
        """Return how much longer than expected the jobs of a model take on this machine.

        What records told weighs as much as one job that was observed, and is first corrected by
        what was observed of other models; a rough guess weighs nothing.
        """
        others = [one for one in self._kinds.values() if one is not kind and one.tells_of_others]
        expected = sum(one.expected for one in others)
        usual = sum(one.taken for one in others) / expected if expected else 1.0
        if not kind.finished or not kind.expected:
            return usual if kind.known else 1.0
        weight = kind.expected / kind.finished if kind.known else 0.0
        return (kind.taken + weight * usual) / (kind.expected + weight)


def _key(experiment: Experiment) -> Key:
    return experiment.protocol, experiment.title


def _shared(seconds: list[float], workers: int) -> float:
    """Return how long workers take that share jobs out, none of which is parted."""
    return max(sum(seconds) / workers, max(seconds, default=0.0))
