"""From experiments that are ready to the jobs that workers are handed, and in which order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..executors import Devices, Work
from ..spec import Experiment, Job, ModelSpec, Places
from .planning import Plan


@dataclass(frozen=True)
class Step:
    """An experiment that is ready: its features are cached and its jobs are known."""

    experiment: Experiment
    model: ModelSpec
    missing: tuple[Job, ...]
    kept: int


def sizes_of_groups(planned: Plan, devices: Devices) -> Callable[[int], int]:
    """Return how many of an experiment's missing jobs are trained at once, 1 for each alone.

    By default it is all of them on one card, or as many to each of several.
    """
    selection = planned.selection
    if selection.backend != "jax" or selection.together == "off":
        return lambda missing: 1
    if selection.together != "auto":
        count = selection.together
        return lambda missing: count
    workers = len(devices.cards) * devices.workers_per_card
    return lambda missing: max(math.ceil(missing / workers), 1) if workers else 1


def phases(
    steps: Iterable[Step],
    places: Places,
    threads: int,
    jobs: int,
    together: Callable[[int], int],
) -> Iterator[list[Work]]:
    """Yield the tuning steps first, whose results the folds of their experiments read."""
    tuning, folds = [], []
    for step in steps:
        mine = [job for job in step.missing if job.fold is not None]
        for job in step.missing:
            if job.fold is None:
                tuning.append(Work(step.experiment, job, places, threads, tuning_jobs=jobs))
        size = together(len(mine)) if step.model.kind == "network" else 1
        for start in range(0, len(mine), size):
            group = mine[start : start + size]
            for job in group:
                fellows = tuple(other for other in group if other != job)
                folds.append(Work(step.experiment, job, places, threads, fellows=fellows))
    for item in tuning:
        yield [item]
    yield folds
