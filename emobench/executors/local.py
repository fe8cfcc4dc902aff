"""Sharing jobs out among worker processes of this machine.

A slot is one worker process. A slot keeps to one experiment as long as that has jobs, so that a
network is traced once; a worker that dies costs its own job only, which is tried once more; a
worker that has grown too large is replaced. Networks have slots of their own where there are
cards to train them on; all else shares the CPU meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

from ..errors import EmobenchError
from . import environment
from .devices import Card, Devices
from .environment import USABLE_SHARE, Seat
from .pending import Pending
from .process import Message, WorkerProcess
from .work import Epoch, Event, Group, Outcome, Work

POLL_SECONDS = 0.1
ATTEMPTS = 2


@dataclass
class _Slot:
    """One worker process, once there is one, with what it is doing.

    Attributes:
        card: what it computes on; None for the CPU
        lane: whether it takes networks only, or estimators only; None for both
        share: part of the card's memory that is its own
        worker: the process
        kind: backend and threads that the process was started for
        work: the last job
        busy: whether it is at that
        attempt: how often the job was begun
        along: whether the last job that was done was trained along with its fellows
    """

    card: Card | None = None
    lane: bool | None = None
    share: float = USABLE_SHARE
    worker: WorkerProcess | None = None
    kind: tuple[str, int] | None = None
    work: Work | None = None
    busy: bool = False
    attempt: int = 1
    along: bool = False

    @property
    def held(self) -> Group | None:
        """The group whose jobs are trained here by now, or are being trained."""
        along = self.work is not None and bool(self.work.fellows) and (self.busy or self.along)
        return self.work.group if along and self.worker is not None else None


@dataclass(frozen=True)
class Local:
    """The executor of this machine; see `contract`.

    Attributes:
        jobs: worker processes on the CPU
        devices: cards that networks are trained on, each by workers of its own
    """

    jobs: int = 1
    devices: Devices = field(default_factory=Devices)

    @property
    def networks_at_once(self) -> int:
        """Workers that train networks on cards."""
        return len(self.devices.cards) * self.devices.workers_per_card

    @property
    def tuning_processes(self) -> int:
        """All of them: jobs that tune are run one by one."""
        return self.jobs

    def run(self, work: Iterable[Work], stopping: Callable[[], bool]) -> Iterator[Event]:
        """Run jobs and tell what happens to them; see `run_locally`."""
        return run_locally(work, jobs=self.jobs, devices=self.devices, stopping=stopping)


def run_locally(
    work: Iterable[Work],
    *,
    jobs: int,
    devices: Devices | None = None,
    stopping: Callable[[], bool] = lambda: False,
    memory_limit: int | None = None,
) -> Iterator[Event]:
    """Run jobs in worker processes and tell what happens to them.

    Args:
        work: jobs, those of one group behind each other
        jobs: number of worker processes on the CPU
        devices: cards that networks are trained on, each by workers of its own; by default none
        stopping: once true, running jobs are finished, with those that are trained along with
            them, and no other is begun
        memory_limit: bytes of its own at which a worker is replaced after its job; by default a
            share of the machine's memory

    Yields:
        events, in the order they become known
    """
    slots = _slots(jobs, devices or Devices())
    pending = Pending(work, lambda item: item.is_network if slots[0].lane is not None else None)
    inbox: SimpleQueue[tuple[WorkerProcess, Message]] = SimpleQueue()
    try:
        while pending or any(slot.busy for slot in slots):
            if stopping():
                pending.keep_only({slot.held for slot in slots if slot.held})
            for slot in slots:
                chosen = None if slot.busy else _choose(slot, slots, pending)
                if chosen is not None:
                    slot.work, slot.attempt = chosen, 1
                    _submit(slot, inbox)
                    yield Event("started", chosen)
            started = sum(slot.work is not None for slot in slots)
            limit = memory_limit or _default_memory_limit(max(started, 1))
            for worker, message in _messages(inbox):
                for slot in slots:
                    if slot.worker is worker:
                        yield from _heard(slot, message, inbox, limit)
    finally:
        for slot in slots:
            _close(slot)


def _slots(jobs: int, devices: Devices) -> list[_Slot]:
    """Return slots of the CPU, and of each card; a process comes with the first job only."""
    if not devices.cards:
        return [_Slot() for _ in range(jobs)]
    share = USABLE_SHARE / devices.workers_per_card
    seats = [
        _Slot(card, lane=True, share=share)
        for _ in range(devices.workers_per_card)
        for card in devices.cards
    ]
    return seats + [_Slot(lane=False) for _ in range(jobs)]


def _choose(slot: _Slot, slots: Iterable[_Slot], pending: Pending) -> Work | None:
    """Take the next job for a slot."""
    own = slot.work.group if slot.work else None
    kept = {other.work.group for other in slots if other.work} - {own}
    return pending.take(own, kept, slot.lane)


def _submit(slot: _Slot, inbox: SimpleQueue) -> None:
    """Hand the slot's job to its worker, starting one where there is none that fits."""
    kind = (slot.work.experiment.backend, slot.work.threads)
    if slot.kind != kind:
        _close(slot)
    for _ in range(ATTEMPTS):
        if slot.worker is None:
            slot.worker, slot.kind = _start(slot, inbox), kind
        if slot.worker.send(slot.work):
            slot.busy = True
            return
        _close(slot)  # the worker died between two jobs
    raise EmobenchError(
        "expected to start a worker process, found that it dies at once. "
        "Free memory, or lower --jobs."
    )


def _start(slot: _Slot, inbox: SimpleQueue) -> WorkerProcess:
    """Start a worker for jobs like the slot's."""
    work = slot.work
    backend = work.experiment.backend
    seen = environment.of_worker(
        backend,
        work.threads,
        seat=Seat(slot.card.address, slot.share) if slot.card else None,
        compiled=work.places.cache / "compiled" / backend,
    )
    return WorkerProcess(seen, inbox)


def _messages(inbox: SimpleQueue) -> Iterator[tuple[WorkerProcess, Message]]:
    """Yield what workers have told; wait a moment where none has."""
    wait = POLL_SECONDS
    while True:
        try:
            yield inbox.get(timeout=wait)
        except Empty:
            return
        wait = 0


def _heard(slot: _Slot, message: Message, inbox: SimpleQueue, limit: int) -> Iterator[Event]:
    """Take in what a slot's worker tells."""
    if isinstance(message, Epoch):
        yield Event("epoch", slot.work, epoch=message.done, epochs=message.total)
    elif isinstance(message, Outcome):
        yield from _finished(slot, message, limit)
    else:
        was_busy = slot.busy
        _close(slot)
        if was_busy:
            yield from _died(slot, inbox)


def _finished(slot: _Slot, outcome: Outcome, limit: int) -> Iterator[Event]:
    """Take in the outcome of a slot's job."""
    slot.busy = False
    # After such an error a card may refuse everything else that its process asks for. After one
    # that was foreseen, a loss that is no number say, the worker still holds what it trained along.
    if outcome.own_bytes > limit or (slot.card and outcome.broken):
        _close(slot)
    if outcome.record is not None:
        slot.along = "trained_together" in outcome.record
        yield Event("done", slot.work, record=outcome.record)
    else:
        kind = "fatal" if outcome.fatal else "failed"
        yield Event(kind, slot.work, message=outcome.message)


def _died(slot: _Slot, inbox: SimpleQueue) -> Iterator[Event]:
    """Try the job of a worker that died once more."""
    if slot.attempt < ATTEMPTS:
        slot.attempt += 1
        # What was trained along may be what the memory did not hold.
        slot.work = replace(slot.work, fellows=())
        _submit(slot, inbox)
        yield Event("retried", slot.work, message="the worker process died; trying once more")
        return
    lower = "--workers-per-device or --together" if slot.card else "--jobs"
    message = (
        f"the worker process died {ATTEMPTS} times (killed, or out of memory). "
        f"Free memory or lower {lower}, and run the same command again."
    )
    yield Event("failed", slot.work, message=message)


def _close(slot: _Slot) -> None:
    """End a slot's worker; one that is at a job is killed, what it has filed stays."""
    if slot.worker is not None:
        slot.worker.close(at_once=slot.busy)
    slot.worker, slot.kind, slot.busy = None, None, False


def _default_memory_limit(workers: int) -> int:
    """Return the memory of its own at which a worker is replaced, in bytes."""
    import psutil

    return int(0.6 * psutil.virtual_memory().total / workers)
