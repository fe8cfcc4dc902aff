"""Jobs that are trained along with the one that was asked for, and kept until they are.

The executor hands over one job at a time. Where its siblings can be trained with it, they are, and
their weights wait in this process; each is then predicted and filed when its turn comes.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..backend import wants_memory
from ..spec import Job
from . import together
from .network import Network
from .ready_fold import ReadyFold, make_ready, same_network
from .seeds import job_seed
from .stacked_batches import Member

Report = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Ahead:
    """A network that was trained with others.

    Attributes:
        trained: its weights and losses
        members: how many were trained at once
        seconds: its share of the time
    """

    trained: together.Trained
    members: int
    seconds: float


class TooLargeError(Exception):
    """The device's memory does not hold the clips of a single member at once."""


_kept: dict[tuple[str, Job], Ahead] = {}
_most: dict[str, int] = {}
"""How many jobs of an experiment the memory was found to hold."""


def take(
    ready: ReadyFold,
    network: Network,
    job: Job,
    siblings: Sequence[Job],
    report: Report,
) -> Ahead:
    """Return what a job's network learns, training it and its siblings if that was not done before.

    Args:
        ready: the job's fold
        network: its network, whose variables are overwritten
        job: which is asked for
        siblings: other jobs of the experiment that are still to be done
        report: called after every epoch

    Raises:
        TooLargeError: if the job must be trained batch by batch
    """
    name = ready.context.experiment.fingerprint
    for other in [key for key in _kept if key[0] != name]:
        del _kept[other]
    if (name, job) not in _kept:
        waiting = [other for other in siblings if (name, other) not in _kept]
        for done, ahead in _train(ready, network, job, waiting, report).items():
            _kept[name, done] = ahead
    return _kept.pop((name, job))


def _train(
    ready: ReadyFold, network: Network, job: Job, siblings: Sequence[Job], report: Report
) -> dict[Job, Ahead]:
    """Train as many jobs at once as the device's memory holds, the one asked for among them."""
    context = ready.context
    name = context.experiment.fingerprint
    if _most.get(name) == 0:
        raise TooLargeError
    group = {job: ready}
    by_fold = {job.fold: ready.inputs}
    for other in siblings:
        fold = context.folds[other.fold]
        its = make_ready(context, fold, job_seed(other), inputs=by_fold.get(other.fold))
        by_fold[other.fold] = its.inputs
        if same_network(ready, its):
            group[other] = its
    jobs = list(group)[: _most.get(name)]
    while True:
        members = [_member(group[each], network) for each in jobs]
        started = time.perf_counter()
        try:
            every = together.train(
                network,
                context.model,
                members,
                context.epochs,
                lambda done, losses: report(done, context.epochs, losses[0]),
            )
        except Exception as error:
            if not wants_memory(error):
                raise
            jobs = jobs[: math.ceil(len(jobs) / 2)] if len(jobs) > 1 else []
            _most[name] = len(jobs)
            if not jobs:
                raise TooLargeError from error
        else:
            seconds = (time.perf_counter() - started) / len(jobs)
            return {
                each: Ahead(trained, len(jobs), seconds)
                for each, trained in zip(jobs, every, strict=True)
            }
        gc.collect()  # what failed is not held while fewer are tried


def _member(ready: ReadyFold, network: Network) -> Member:
    batches = ready.feed(network).labelled(ready.parts.taught, seed=ready.seed)
    return Member(ready.seed, ready.tables, batches)
