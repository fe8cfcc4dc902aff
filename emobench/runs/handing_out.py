"""From experiments that are ready to the jobs that workers are handed, and in which order."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..executors import Work
from ..spec import Experiment, Job, ModelSpec, Places
from .planning import Plan


@dataclass(frozen=True)
class Step:
    """An experiment that is ready: its features are cached and its jobs are known."""

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


def phases(
    steps: Sequence[Step],
    places: Places,
    threads: int,
    tuning_processes: int,
    together: Callable[[int], int],
) -> Iterator[Iterable[Work]]:
    """Yield the tuning steps first, whose results the folds of their experiments read.

    Args:
        steps: experiments
        places: where to read and write
        threads: of one network's arithmetic
        tuning_processes: for each of the tuning steps; with several they are handed out one by one
        together: sizes of groups
    """
    run = uuid.uuid4().hex
    tuning = [
        Work(step.experiment, job, places, threads, tuning_jobs=tuning_processes, run=run)
        for step in steps
        for job in step.missing
        if job.fold is None
    ]
    if tuning_processes > 1:
        yield from ([work] for work in tuning)
    elif tuning:
        yield tuning
    yield _folds(steps, places, threads, together, run)


def _folds(
    steps: Sequence[Step],
    places: Places,
    threads: int,
    together: Callable[[int], int],
    run: str,
) -> Iterator[Work]:
    """Yield the folds of experiments as they are asked for: there may be very many."""
    for step in steps:
        mine = [job for job in step.missing if job.fold is not None]
        size = together(len(mine)) if step.model.kind == "network" else 1
        for start in range(0, len(mine), size):
            group = mine[start : start + size]
            for job in group:
                siblings = tuple(other for other in group if other != job)
                yield Work(step.experiment, job, places, threads, siblings=siblings, run=run)
