"""A share of a run's jobs, done by one job of a scheduler on whatever node it gets.

Nobody need live to hear of it: results and failures are filed where everyone finds them. Told to
end, it drops what it is at and leaves it to the scheduler to start it again; what has a record by
then is not done again.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from types import FrameType
from typing import Any

from ..errors import EmobenchError
from ..store import Store
from . import node
from .devices import Devices, Wanted, find
from .local import Local
from .work import Work

_GRACE_SECONDS = 3600
"""Longer than any scheduler lets a job live that it told to end."""


@dataclass(frozen=True)
class Share:
    """Jobs that one job of a scheduler does.

    Attributes:
        jobs: the jobs
        processes: workers on the CPU
        wanted: what networks are trained on; None without networks
        backend: what trains them
        workers_per_card: processes that divide each card
    """

    jobs: Sequence[Work]
    processes: int
    wanted: Wanted | None
    backend: str
    workers_per_card: int

    def perform(self, where: str) -> int:
        """Do the jobs that have no record yet; return how many were done.

        Args:
            where: name of the node

        Raises:
            EmobenchError: if the node cannot do them, or nothing more can be stored
        """
        node.insist_on_places(self.jobs[0].places, where)
        devices = Devices()
        if self.wanted is not None:
            devices = find(self.wanted, self.backend, workers_per_card=self.workers_per_card)
        if devices.note:
            print(devices.note, flush=True)
        done = 0
        with closing(Local(self.processes, devices).run(missing(self.jobs, where))) as events:
            for event in events:
                print(event.kind, event.work.experiment.title, event.work.job.name, flush=True)
                done += event.kind == "done"
                if event.kind == "fatal":
                    raise EmobenchError(event.message)
                if event.kind == "failed":
                    store = Store(event.work.places.results)
                    reason = f"{event.message} (on {where})"
                    store.fail(event.work.experiment, event.work.job, reason)
        return done


def missing(jobs: Sequence[Work], where: str) -> Iterator[Work]:
    """Yield those jobs of each experiment that have no record.

    Raises:
        NodeError: if an experiment is not among the results as seen from here
    """
    for _, group in groupby(jobs, key=lambda work: work.experiment.fingerprint):
        same = list(group)
        node.insist_on_experiment(same[0], where)
        store = Store(same[0].places.results)
        done = store.done(same[0].experiment, [work.job for work in same])
        yield from (work for work in same if work.job not in done)


class EndedError(BaseException):
    """The job was told to end."""


@contextmanager
def told_to_end() -> Iterator[None]:
    """Let SIGTERM drop what is under way, and SIGUSR1 ask the scheduler to start it again as well.

    Whoever cancels a job sends the first, so nothing is asked for then; a scheduler that takes a
    node away sends it too, and starts the job again of its own accord.
    """
    from submitit import JobEnvironment

    def ended(number: int, frame: FrameType | None) -> None:
        raise EndedError

    def again(number: int, frame: FrameType | None) -> None:
        # This one submitit heeds: it keeps the job's description and has it queued again.
        signal.raise_signal(getattr(signal, f"SIG{JobEnvironment.USR_SIG}"))

    before: dict[int, Any] = {signal.SIGTERM: signal.signal(signal.SIGTERM, ended)}
    if JobEnvironment.USR_SIG != "USR1":
        before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, again)
    try:
        yield
    except EndedError:
        print("told to end: the jobs that were running are dropped", flush=True)
        _await_the_end()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _await_the_end() -> None:
    """End, or be ended: Slurm queues a job again that it had to kill, not one that gave up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "SLURM_JOB_ID" in os.environ:
        time.sleep(_GRACE_SECONDS)
    os._exit(128 + signal.SIGTERM)
