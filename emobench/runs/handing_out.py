"""From experiments that are ready to the jobs that workers are handed, and in which order."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..executors import Work
from ..spec import Experiment, Job, ModelSpec, Places
from .planning import Plan


@dataclass(frozen=True)
class Step:
    """An experiment whose jobs are known."""

    experiment: Experiment
    model: ModelSpec
    missing: tuple[Job, ...]
    kept: int


def sizes_of_groups(planned: Plan, networks_at_once: int) -> Callable[[int], int]:
    """Return how many of an experiment's missing jobs are trained at once, 1 for each alone.

    By default it is all of them on one card, or as many to each of several.
    """
    selection = planned.selection
    if selection.backend != "jax" or selection.together == "off":
        return lambda missing: 1
    if selection.together != "auto":
        count = selection.together
        return lambda missing: count
    workers = networks_at_once
    return lambda missing: max(math.ceil(missing / workers), 1) if workers else 1


@dataclass(frozen=True)
class Handout:
    """What jobs of experiments are handed out with.

    Attributes:
        places: where they read and write
        threads: of one network's arithmetic
        tuning_processes: for each of the tuning steps
        together: sizes of groups
        run: name of the run
    """

    places: Places
    threads: int
    tuning_processes: int
    together: Callable[[int], int]
    run: str = field(default_factory=lambda: uuid.uuid4().hex)

    def tuning(self, step: Step) -> Iterator[Work]:
        """Yield the tuning step of an experiment, whose result its folds read."""
        for job in step.missing:
            if job.fold is None:
                yield self._work(step, job, tuning_jobs=self.tuning_processes)

    def folds(self, step: Step) -> Iterator[Work]:
        """Yield the folds of an experiment as they are asked for: there may be very many."""
        mine = [job for job in step.missing if job.fold is not None]
        size = self.together(len(mine)) if step.model.kind == "network" else 1
        for start in range(0, len(mine), size):
            group = mine[start : start + size]
            for job in group:
                siblings = tuple(other for other in group if other != job)
                yield self._work(step, job, siblings=siblings)

    def _work(self, step: Step, job: Job, **more: Any) -> Work:
        return Work(step.experiment, job, self.places, self.threads, run=self.run, **more)
