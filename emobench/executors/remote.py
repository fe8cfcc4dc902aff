"""A worker process on another machine, fed by whoever reserved the place for it there."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue

from ..environment import Seat
from ..errors import EmobenchError
from . import node
from .local import LocalWorker
from .node import NodeError
from .sharing import Inbox
from .work import Lost, Outcome, Refused, Work

_MEMORY_SHARE = 0.6
"""Part of a machine's memory that workers may hold, each for its part of the CPUs."""


class Remote:
    """Starts, feeds and replaces one worker process.

    Args:
        name: of this machine, for messages
        share: part of a card's memory that is the worker's; 0 for the CPU
        cpus: how many of this machine's CPUs are the worker's
    """

    def __init__(self, name: str, share: float, cpus: float = 1) -> None:
        self._name = name
        self._inbox: Inbox = SimpleQueue()
        self._on_card = share > 0
        self._usable_by: set[str] = set()  # backends that were seen to use the card
        address = os.environ.get("CUDA_VISIBLE_DEVICES", "")  # set by who reserved the card
        seat = Seat(address, share) if share else None
        self._worker = LocalWorker(self._inbox, seat, _limit(cpus))

    def look(self, version: str, places: bytes) -> str:
        """Return why jobs cannot be done here, or "".

        Args:
            version: of emobench, where the run was planned
            places: `Places`, pickled: another version may not be able to read them
        """
        try:
            node.insist_on_version(version, self._name)
            node.insist_on_places(pickle.loads(places), self._name)
        except NodeError as error:
            return str(error)
        return ""

    def perform(self, packed: bytes) -> bytes:
        """Do a job and return what became of it, pickled."""
        work: Work = pickle.loads(packed)
        try:
            node.insist_on_experiment(work, self._name)
            self._insist_on_card(work.experiment.backend)
        except NodeError as error:
            return pickle.dumps(Refused(str(error)))
        try:
            self._worker.send(work)
        except EmobenchError as error:
            return pickle.dumps(self._named(Outcome(None, str(error))))
        while True:
            _, message = self._inbox.get()
            if isinstance(message, Lost):
                self._worker.close(at_once=True)
                return pickle.dumps(replace(message, why=f"{message.why} on {self._name}"))
            if isinstance(message, Outcome):
                return pickle.dumps(self._named(message))

    def close(self) -> None:
        """End the worker process."""
        self._worker.close(at_once=True)

    def _insist_on_card(self, backend: str) -> None:
        """Refuse a backend that cannot use this worker's card; each is tried once."""
        if self._on_card and backend not in self._usable_by:
            node.insist_on_card(backend, self._name)
            self._usable_by.add(backend)

    def _named(self, outcome: Outcome) -> Outcome:
        """Let a message say which machine it is about."""
        named = f"{outcome.message} (on {self._name})" if outcome.message else ""
        return replace(outcome, message=named)


def _limit(cpus: float) -> Callable[[], float]:
    import psutil

    part = min(cpus / (psutil.cpu_count() or 1), 1)
    return lambda: _MEMORY_SHARE * psutil.virtual_memory().total * part
