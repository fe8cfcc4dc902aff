"""The executor of this machine: worker processes that live on from job to job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from .. import environment
from ..environment import USABLE_SHARE, Seat
from ..errors import EmobenchError
from ..features.workers import Processes
from . import cores
from .cores import Cores
from .devices import Devices
from .process import WorkerProcess
from .sharing import ATTEMPTS, Inbox, Slot, share_out
from .work import Epoch, Event, Lost, Outcome, Work

_MEMORY_SHARE = 0.6
"""Part of the machine's memory that workers may hold together, each of them one equal share.

The rest is for what is not theirs: the process that hands out, and those that extract features
beside them, which hold a few clips at a time and end with their experiment.
"""


class LocalWorker:
    """A worker process, replaced when a job needs one of another kind or it has grown too large.

    Args:
        inbox: where it tells what happens
        seat: on a card; None for the CPU
        memory_limit: tells the bytes of its own at which a process is replaced
        kept_to: CPUs that it keeps to with jobs that need no more than these
        sharing: workers that keep to the same CPUs
    """

    ready = True

    def __init__(
        self,
        inbox: Inbox,
        seat: Seat | None,
        memory_limit: Callable[[], float],
        kept_to: Cores = cores.ANY,
        sharing: int = 1,
    ) -> None:
        self._inbox = inbox
        self._seat = seat
        self._memory_limit = memory_limit
        self._kept_to = kept_to
        self._sharing = sharing
        self._process: WorkerProcess | None = None
        self._kind: tuple[str, int, Cores] | None = None
        self._relay: _Relay | None = None
        self._worn = False

    def send(self, work: Work) -> None:
        """Hand over a job, to a new process where there is none that fits.

        Raises:
            EmobenchError: if no process can be started, or each dies at once
        """
        busy = work.threads * max(work.tuning_jobs, self._sharing)
        fits = busy <= len(self._kept_to)
        kept_to = self._kept_to if fits else cores.ANY
        kind = (work.experiment.backend, work.threads, kept_to)
        if self._kind != kind or self._worn:
            self.close(at_once=False)
        for _ in range(ATTEMPTS):
            if self._process is None:
                self._start(work, kept_to)
                self._kind = kind
            if self._process.send(work):
                return
            self.close(at_once=True)  # it died between two jobs
        raise EmobenchError(
            "expected to start a worker process, found that it dies at once. "
            "Free memory, or lower --jobs."
        )

    def close(self, *, at_once: bool) -> None:
        """End the process."""
        self._relay = None
        if self._process is not None:
            self._process.close(at_once=at_once)
        self._process, self._kind, self._worn = None, None, False

    def _start(self, work: Work, kept_to: Cores) -> None:
        backend = work.experiment.backend
        seen = environment.of_worker(
            backend,
            work.threads,
            seat=self._seat,
            compiled=work.places.cache / "compiled" / backend,
        )
        self._relay = _Relay(self._hear)  # before there is a process, which may die at once
        self._process = WorkerProcess(seen, self._relay, kept_to)

    def _hear(self, relay: _Relay, message: Epoch | Outcome | None) -> None:
        """Pass on what the process tells, but not what one tells that was replaced."""
        if relay is not self._relay:
            return
        if isinstance(message, Outcome):
            # After an error that nobody foresaw a card may refuse all else that its process asks
            # for. After one that was foreseen, a loss that is no number say, the worker still holds
            # what it trained along.
            broken = self._seat is not None and message.broken
            self._worn = broken or message.own_bytes > self._memory_limit()
        lost = Lost("the worker process died")
        self._inbox.put((self, lost if message is None else message))


@dataclass(frozen=True, eq=False)
class _Relay:
    """The inbox of one process."""

    hear: Callable[[_Relay, Epoch | Outcome | None], None]

    def put(self, told: tuple[WorkerProcess, Epoch | Outcome | None]) -> None:
        """Take in what the process tells."""
        self.hear(self, told[1])


@dataclass(frozen=True)
class Local:
    """The executor of this machine; see `contract`.

    Attributes:
        jobs: worker processes on the CPU
        devices: cards that networks are trained on, each by workers of its own
        memory_limit: bytes of its own at which a worker is replaced after its job; None for a share
            of the machine's memory
    """

    jobs: int = 1
    devices: Devices = field(default_factory=Devices)
    memory_limit: float | None = None

    @property
    def networks_at_once(self) -> int:
        """How many workers train networks on cards."""
        return len(self.devices.cards) * self.devices.workers_per_card

    @property
    def others_at_once(self) -> int:
        """How many workers there are on the CPU."""
        return self.jobs

    @property
    def workers_here(self) -> int:
        """All of them."""
        return self.networks_at_once + self.jobs

    @property
    def tuning_processes(self) -> int:
        """All of them: jobs that tune are run one by one."""
        return self.jobs

    def crew(self, here: Processes) -> Processes:
        """Processes of this machine."""
        return here

    def run(
        self, work: Iterable[Work], stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[Event]:
        """Run jobs and tell what happens to them."""
        slots: list[Slot] = []

        def limit() -> float:
            working = sum(slot.worker is not None for slot in slots)
            return self.memory_limit or _MEMORY_SHARE * _total_memory() / max(working, 1)

        slots += self._slots(limit)
        return share_out(work, slots, stopping)

    def close(self) -> None:
        """Do nothing: workers end with the jobs that they were started for."""

    def _slots(self, limit: Callable[[], float]) -> list[Slot]:
        """Return slots of the CPU, and of each card."""
        among = cores.allowed()
        lane = False if self.devices.cards else None
        by_cpu = cores.spread(self.jobs, among)
        by_card = {card: cores.near_card(card.bus, among) for card in self.devices.cards}
        sharing = Counter([*by_cpu, *list(by_card.values()) * self.devices.workers_per_card])
        on_cpus = [
            Slot(
                partial(
                    LocalWorker,
                    seat=None,
                    memory_limit=limit,
                    kept_to=own,
                    sharing=sharing[own],
                ),
                lane=lane,
            )
            for own in by_cpu
        ]
        share = USABLE_SHARE / self.devices.workers_per_card
        hint = "--workers-per-device or --together"
        on_cards = [
            Slot(
                partial(
                    LocalWorker,
                    seat=Seat(card.address, share),
                    memory_limit=limit,
                    kept_to=by_card[card],
                    sharing=sharing[by_card[card]],
                ),
                lane=True,
                hint=hint,
            )
            for _ in range(self.devices.workers_per_card)
            for card in self.devices.cards
        ]
        return on_cards + on_cpus


def _total_memory() -> int:
    import psutil

    return psutil.virtual_memory().total
