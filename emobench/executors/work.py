"""What an executor is given and what it tells: small values that can be sent anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol, runtime_checkable

from ..bundles.order import Order
from ..spec import Experiment, Job, Places

Group = tuple[str, Job | None]
"""What a worker keeps to: an experiment, or those of its jobs that are trained at once."""


@dataclass(frozen=True)
class Work:
    """A job with all that a worker needs to know, and nothing larger.

    Attributes:
        experiment: what it belongs to
        job: which part of it
        places: where to read and write
        threads: threads of one network's arithmetic
        tuning_jobs: grid cells computed at once
        siblings: jobs of the experiment that its worker may train along, and is given later
        run: name of the run that it is a part of, so that it is not kept from its own jobs
        order: bundle that is made of the trained model instead of a record; None for none
        extracts: whether its worker may extract what is not cached. Who hands jobs to another
            machine has seen to it that nothing need be, and says so
    """

    experiment: Experiment
    job: Job
    places: Places
    threads: int = 1
    tuning_jobs: int = 1
    siblings: tuple[Job, ...] = ()
    run: str = ""
    order: Order | None = None
    extracts: bool = True

    @cached_property
    def group(self) -> Group:
        """What a worker keeps to."""
        first = min((self.job, *self.siblings)) if self.siblings else None
        return self.experiment.fingerprint, first

    @property
    def is_network(self) -> bool:
        """Whether it trains a network, which a graphics card may do."""
        return self.experiment.backend != "scikit-learn"


@runtime_checkable
class Coming(Protocol):
    """Jobs of which the next may take a while to be there."""

    def __iter__(self) -> Iterator[Work]:
        """Yield all of them; waits for each."""

    def ready(self) -> bool:
        """Tell whether the next job, or that there is none, is known without waiting."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a job.

    Attributes:
        kind: "started", "epoch", "done", "retried", "elsewhere" (another run is at it; it is looked
            at again later), "failed" (recorded, others go on) or "fatal" (nothing more can be
            stored)
        work: which job
        epoch: finished epochs, with kind "epoch"
        epochs: epochs in all, with kind "epoch"
        message: why, with kind "retried", "failed" or "fatal"
        record: what was filed, or is to be said of a bundle, with kind "done"
    """

    kind: Literal["started", "epoch", "done", "retried", "elsewhere", "failed", "fatal"]
    work: Work
    epoch: int = 0
    epochs: int = 0
    message: str = ""
    record: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Epoch:
    """What a worker tells while it trains: finished epochs, and epochs in all."""

    done: int
    total: int


@dataclass(frozen=True)
class Ready:
    """What a worker tells once it can be handed jobs."""


@dataclass(frozen=True)
class Lost:
    """What is told of a worker that is gone, and of the job that it was at.

    Attributes:
        why: in a few words
    """

    why: str


@dataclass(frozen=True)
class Refused:
    """What is told where these jobs cannot be done, however often it is tried.

    Attributes:
        why: where, what was expected and found, and what to do
    """

    why: str


@dataclass(frozen=True)
class Outcome:
    """What a worker tells once a job is over.

    Attributes:
        record: what was filed, or is to be said of a bundle, or None
        message: why there is no record
        fatal: whether nothing more can be stored
        own_bytes: memory that the worker holds and shares with nobody
        broken: whether something went wrong that nobody foresaw, and may go wrong again there
        elsewhere: whether another run is at the job, so that there is neither record nor failure
    """

    record: dict | None
    message: str = ""
    fatal: bool = False
    own_bytes: int = 0
    broken: bool = False
    elsewhere: bool = False
