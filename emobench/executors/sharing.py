"""Sharing jobs out among workers, on this machine or on others.

A slot is a place for one worker. It keeps to one experiment as long as that has jobs, so that a
network is traced once; a worker that dies costs its own job only, which is tried once more by
whoever is free first. Networks have slots of their own where there are cards to train them on; all
else shares the CPUs meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Protocol

from ..errors import EmobenchError
from ..spec import Job
from .pending import Pending
from .work import Epoch, Event, Group, Lost, Outcome, Ready, Refused, Work

POLL_SECONDS = 0.1
ATTEMPTS = 2
AGAIN_SECONDS = 5.0
"""How long to wait, with nothing else to do, before jobs of other runs are looked at again."""
STARVED_SECONDS = 15.0
"""After how long a worker that is not ready is taken to wait for what others hold."""

Message = Ready | Epoch | Outcome | Lost | Refused
"""What a worker tells."""

Inbox = SimpleQueue[tuple["Worker", Message]]
"""Where workers put what they tell."""


class Worker(Protocol):
    """Who does one job after another."""

    @property
    def ready(self) -> bool:
        """Whether it can be handed a job."""

    def send(self, work: Work) -> None:
        """Hand over a job; what becomes of it is told to the inbox, `Lost` if the worker dies.

        Raises:
            EmobenchError: if there is no process to do it
        """

    def close(self, *, at_once: bool) -> None:
        """End it, in the middle of a job too; what it has filed stays."""


@dataclass
class Slot:
    """A place for a worker, with what it is doing.

    Attributes:
        engage: gets a worker, given where that tells what happens
        lane: which jobs it is for: `True` networks, `False` estimators, `None` both
        hint: what to lower where memory is short
        worker: who works there, once there is a job
        engaged: when it was engaged
        work: the last job
        busy: whether the worker is at that
        along: whether the last job that was done was trained along with its siblings
    """

    engage: Callable[[Inbox], Worker]
    lane: bool | None = None
    hint: str = "--jobs"
    worker: Worker | None = None
    engaged: float = 0.0
    work: Work | None = None
    busy: bool = False
    along: bool = False

    @property
    def held(self) -> Group | None:
        """The group whose jobs are trained here by now, or are being trained."""
        along = self.work is not None and bool(self.work.siblings) and (self.busy or self.along)
        return self.work.group if along and self.worker is not None else None

    @property
    def starves(self) -> bool:
        """Whether the worker has not been ready for long."""
        waits = self.worker is not None and not self.worker.ready
        return waits and time.monotonic() - self.engaged > STARVED_SECONDS

    def close(self) -> None:
        """Let the worker go."""
        if self.worker is not None:
            self.worker.close(at_once=self.busy)
        self.worker, self.busy = None, False


def share_out(
    work: Iterable[Work], slots: Sequence[Slot], stopping: Callable[[], bool]
) -> Iterator[Event]:
    """Run jobs and tell what happens to them; see `contract.Executor.run`.

    Args:
        work: jobs, those of one group behind each other
        slots: where they may run; workers are engaged as there are jobs for them
        stopping: once true, no job is begun but those that are trained along already
    """
    apart = any(slot.lane is not None for slot in slots)
    sharing = _Sharing(Pending(work, _is_network if apart else _any), slots)
    try:
        yield from sharing.events(stopping)
    finally:
        for slot in slots:
            slot.close()


def _is_network(work: Work) -> Hashable:
    return work.is_network


def _any(work: Work) -> Hashable:
    return None


class _Sharing:
    """Jobs that wait, slots, and what has been tried."""

    def __init__(self, pending: Pending, slots: Sequence[Slot]) -> None:
        self._pending = pending
        self._slots = slots
        self._inbox: Inbox = SimpleQueue()
        self._lost: Counter[tuple[str, Job]] = Counter()
        self._aside: list[Work] = []  # another run is at these
        self._others: set[Group] = set()
        self._again = 0.0

    def events(self, stopping: Callable[[], bool]) -> Iterator[Event]:
        """Run all jobs."""
        while self._pending or self._aside or any(slot.busy for slot in self._slots):
            if stopping():
                self._pending.keep_only({slot.held for slot in self._slots if slot.held})
                self._aside.clear()
            self._look_again()
            for slot in self._slots:
                if not slot.busy:
                    yield from self._begin(slot)
            for worker, message in self._messages():
                for slot in self._slots:
                    if slot.worker is worker:
                        yield from self._heard(slot, message)

    def _begin(self, slot: Slot) -> Iterator[Event]:
        """Let a slot that is free begin a job, as soon as its worker is ready."""
        if not self._pending.waits(slot.lane):
            if not self._pending.more or self._lane_starves():
                slot.close()  # what it holds may be of use to others
            return
        if slot.worker is None:
            slot.worker, slot.engaged = slot.engage(self._inbox), time.monotonic()
        if not slot.worker.ready:
            return
        own = slot.work.group if slot.work else None
        kept = {other.work.group for other in self._slots if other.work} - {own}
        # Two runs get into each other's way least if they are at different experiments.
        own = None if own in self._others else own
        chosen = self._pending.take(own, kept | self._others, slot.lane)
        if chosen is not None:
            slot.work, slot.busy = chosen, True
            slot.worker.send(chosen)
            yield Event("started", chosen)

    def _lane_starves(self) -> bool:
        """Tell whether jobs wait for a worker that finds no room.

        Further jobs may come only once these are over, so that none of those that hold the room
        would ever be busy again.
        """
        return any(slot.starves and self._pending.waits(slot.lane) for slot in self._slots)

    def _messages(self) -> Iterator[tuple[Worker, Message]]:
        """Yield what workers have told; wait a moment where none has."""
        wait = POLL_SECONDS
        while True:
            try:
                yield self._inbox.get(timeout=wait)
            except Empty:
                return
            wait = 0

    def _heard(self, slot: Slot, message: Message) -> Iterator[Event]:
        """Take in what a slot's worker tells."""
        if isinstance(message, Epoch):
            yield Event("epoch", slot.work, epoch=message.done, epochs=message.total)
        elif isinstance(message, Outcome):
            slot.busy = False
            yield self._set_aside(slot) if message.elsewhere else _finished(slot, message)
        elif isinstance(message, Lost):
            was_busy = slot.busy
            slot.close()
            if was_busy:
                yield self._died(slot, message)
        elif isinstance(message, Refused):
            raise EmobenchError(message.why)

    def _set_aside(self, slot: Slot) -> Event:
        """Leave a job to the run that is at it, and look for another experiment first."""
        self._aside.append(slot.work)
        if not slot.work.siblings:
            self._others.add(slot.work.group)
        self._again = time.monotonic() + AGAIN_SECONDS
        return Event("elsewhere", slot.work)

    def _look_again(self) -> None:
        """Once nothing else is left, see what became of the jobs that other runs were at."""
        idle = not self._pending and not any(slot.busy for slot in self._slots)
        if self._aside and idle and time.monotonic() > self._again:
            for work in reversed(self._aside):
                self._pending.put_back(work)
            self._aside.clear()
            self._others.clear()

    def _died(self, slot: Slot, message: Lost) -> Event:
        """Let the job of a worker that died be tried once more."""
        work = slot.work
        key = (work.experiment.fingerprint, work.job)
        self._lost[key] += 1
        if self._lost[key] < ATTEMPTS:
            # What was trained along may be what the memory did not hold.
            self._pending.put_back(replace(work, siblings=()))
            return Event("retried", work, message=f"{message.why}; trying once more")
        return Event(
            "failed",
            work,
            message=f"{message.why} {ATTEMPTS} times (killed, or out of memory). "
            f"Free memory or lower {slot.hint}, and run the same command again.",
        )


def _finished(slot: Slot, outcome: Outcome) -> Event:
    """Return what to tell of a job that is over."""
    if outcome.record is not None:
        slot.along = "trained_together" in outcome.record
        return Event("done", slot.work, record=outcome.record)
    kind = "fatal" if outcome.fatal else "failed"
    return Event(kind, slot.work, message=outcome.message)
