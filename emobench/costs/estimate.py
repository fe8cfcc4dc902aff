"""What a plan is expected to take: each experiment, the features it lacks, and all together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..spec import Experiment, Job
from .figures import Figure, makespan, overlapped


@dataclass(frozen=True, eq=False)
class Cost:
    """What an experiment is expected to take.

    Attributes:
        experiment: which
        kept: jobs that are done
        jobs: seconds of each job that is missing, in the order they are run; rough where `seconds`
            is None, and then good for nothing but to compare them
        seconds: of all missing jobs, one after another; None if nothing tells
        memory: the most that a worker holds, in MiB; None if nothing tells
        disk: bytes of the records and predictions of the missing jobs
    """

    experiment: Experiment
    kept: int
    jobs: Mapping[Job, float]
    seconds: Figure | None
    memory: Figure | None
    disk: Figure

    @property
    def network(self) -> bool:
        """Return whether a card may train it."""
        return self.experiment.backend != "scikit-learn"

    @property
    def unknown(self) -> bool:
        """Return whether something is to be done of which nobody knows how long it takes."""
        return bool(self.jobs) and self.seconds is None


@dataclass(frozen=True)
class FeatureCost:
    """What the extraction of a front-end that is not cached is expected to take.

    Attributes:
        corpus: whose clips
        feature: front-end with its parameters
        through: what the sound goes through, or ""
        seconds: on one core; None if it cannot be tried
        disk: bytes; None if it cannot be tried
        ahead: whether nothing can be trained before: the first experiment of a plan needs it
    """

    corpus: str
    feature: str
    through: str
    seconds: Figure | None
    disk: Figure | None
    ahead: bool = field(default=False, compare=False)


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a plan is expected to take.

    Attributes:
        experiments: in the order they are run
        features: that are extracted, each once
        processes: workers on the CPU
        cards: workers on cards; with none, networks share the CPU with all else
        spare: processors that extract features beside training
    """

    experiments: tuple[Cost, ...]
    features: tuple[FeatureCost, ...] = ()
    processes: int = 1
    cards: int = 0
    spare: int = 0

    @property
    def unknown(self) -> tuple[Cost, ...]:
        """Return the experiments of which nobody knows how long they take."""
        return tuple(cost for cost in self.experiments if cost.unknown)

    @cached_property
    def seconds(self) -> float:
        """Return how long all takes that is known: workers share jobs, and features overlap them.

        The features of the first experiment come before any job; those of the others are extracted
        beside jobs, as far as processors are left, so that the longer of both tells.
        """
        lanes: dict[bool, list[float]] = {True: [], False: []}
        for cost in self.experiments:
            if cost.seconds is not None:
                lanes[cost.network and self.cards > 0] += cost.jobs.values()
        trained = max(makespan(lanes[True], self.cards), makespan(lanes[False], self.processes))
        ahead, beside = core_seconds(self.features)
        return overlapped(trained, ahead, beside, processes=self.processes, spare=self.spare)

    @property
    def memory(self) -> float | None:
        """Return the most MiB that all workers hold at once, so far as it is known."""
        held = [
            cost.memory.value
            for cost in self.experiments
            for _ in cost.jobs
            if cost.memory is not None
        ]
        workers = self.processes + self.cards
        return sum(sorted(held, reverse=True)[:workers]) if held else None

    @property
    def disk(self) -> float:
        """Return the bytes that are written, so far as it is known."""
        extracted = sum(one.disk.value for one in self.features if one.disk is not None)
        return extracted + sum(cost.disk.value for cost in self.experiments)

    def plain(self) -> dict[str, Any]:
        """Return all figures with their sources as JSON values; what is unknown is null."""
        return {
            "jobs": self.processes,
            "workers_on_cards": self.cards,
            "seconds": round(self.seconds, 1),
            "memory_mib": None if self.memory is None else round(self.memory),
            "disk_bytes": round(self.disk),
            "unknown": [cost.experiment.title for cost in self.unknown],
            "features": [
                {
                    "corpus": one.corpus,
                    "feature": one.feature,
                    "condition": one.through or None,
                    "seconds": _told(one.seconds),
                    "disk_bytes": _told(one.disk),
                }
                for one in self.features
            ],
            "experiments": [_plain(cost) for cost in self.experiments],
        }


def core_seconds(features: Iterable[FeatureCost]) -> tuple[float, float]:
    """Return how long one core extracts what is needed before any job, and all else."""
    known = [(one.ahead, one.seconds.value) for one in features if one.seconds is not None]
    ahead = sum(value for is_ahead, value in known if is_ahead)
    beside = sum(value for is_ahead, value in known if not is_ahead)
    return ahead, beside


def together(estimates: Sequence[Estimate]) -> Estimate:
    """Return the estimate of several plans that are run one after another."""
    return Estimate(
        tuple(cost for each in estimates for cost in each.experiments),
        tuple(dict.fromkeys(one for each in estimates for one in each.features)),
        max(each.processes for each in estimates),
        max(each.cards for each in estimates),
        min(each.spare for each in estimates),
    )


def _plain(cost: Cost) -> dict[str, Any]:
    experiment = cost.experiment
    return {
        "protocol": experiment.protocol,
        "corpus": experiment.corpus,
        "model": experiment.model,
        "title": experiment.title,
        "folds": experiment.n_folds,
        "to_do": len(cost.jobs),
        "done_before": cost.kept,
        "seconds": _told(cost.seconds),
        "memory_mib": _told(cost.memory),
        "disk_bytes": _told(cost.disk),
    }


def _told(figure: Figure | None) -> dict[str, Any] | None:
    return None if figure is None else {"value": round(figure.value, 1), "source": figure.source}
