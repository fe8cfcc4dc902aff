"""Sharing jobs out among workers that take room from each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from in_turn import InTurn
from stored import experiment

from emobench.executors import Work, sharing
from emobench.executors.sharing import Inbox, Slot, share_out
from emobench.executors.work import Outcome, Ready
from emobench.spec import Job, Places


class Node:
    """A machine with so many CPUs: a worker takes one, and waits where there is none.

    Attributes:
        engaged: how often a worker was asked for
    """

    def __init__(self, cpus: int) -> None:
        self.free = cpus
        self.waiting: list[Worker] = []
        self.engaged = 0

    def engage(self, inbox: Inbox) -> Worker:
        self.engaged += 1
        worker = Worker(self, inbox)
        self.waiting.append(worker)
        self.place()
        return worker

    def place(self) -> None:
        while self.free and self.waiting:
            self.free -= 1
            self.waiting.pop(0).begin()


class Worker:
    """Is done with every job at once."""

    def __init__(self, node: Node, inbox: Inbox) -> None:
        self.ready = False
        self.node, self.inbox = node, inbox

    def begin(self) -> None:
        self.ready = True
        self.inbox.put((self, Ready()))

    def send(self, work: Work) -> None:
        self.inbox.put((self, Outcome({})))

    def close(self, *, at_once: bool) -> None:
        if self.ready:
            self.node.free += 1
            self.node.place()
        else:
            self.node.waiting.remove(self)


def work(number: int, backend: str = "scikit-learn") -> Work:
    return Work(experiment(f"m{number}", backend=backend), Job(0), Places(Path("r"), Path("c")))


NETWORK, NEXT = work(1, "tensorflow"), work(2, "tensorflow")


def impatient() -> Callable[[], bool]:
    """Give up after a while."""
    asked = itertools.count()

    def stopping() -> bool:
        if next(asked) > 100:  # each of which waits for `POLL_SECONDS` at most
            pytest.fail("jobs wait for a worker that is never ready")
        return False

    return stopping


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(sharing, "STARVED_SECONDS", 0.05)
    monkeypatch.setattr(sharing, "POLL_SECONDS", 0.01)


def test_those_who_have_nothing_to_do_make_room(soon):
    node = Node(2)
    # Estimators take all there is before the network asks.
    slots = [Slot(node.engage, lane=lane) for lane in (False, False, True)]
    jobs = InTurn((0, work(3)), (0, work(4)), (1, NETWORK), (3, NEXT))
    heard = jobs.run(lambda jobs, stopping: share_out(jobs, slots, stopping), impatient())
    assert sum(event.kind == "done" for event in heard) == 4


def test_those_who_have_nothing_to_do_stay_while_all_others_are_ready(soon):
    node = Node(3)
    slots = [Slot(node.engage, lane=lane) for lane in (False, False, True)]
    jobs = InTurn((0, work(3)), (0, work(4)), (1, NETWORK), (3, NEXT))
    jobs.run(lambda jobs, stopping: share_out(jobs, slots, stopping), impatient())
    assert node.engaged == 3
