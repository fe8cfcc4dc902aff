"""Sharing jobs out among workers that take room from each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from stored import experiment

from emobench.executors import Work, sharing
from emobench.executors.sharing import Inbox, Slot, share_out
from emobench.executors.work import Event, Outcome, Ready
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


class InTurn:
    """Jobs, the last of which comes once the one before it is over; see `Coming`."""

    def __init__(self, *jobs: Work) -> None:
        self.jobs = list(jobs)
        self.over = 0

    def __iter__(self) -> Iterator[Work]:
        return self

    def __next__(self) -> Work:
        if not self.jobs:
            raise StopIteration
        return self.jobs.pop(0)

    def ready(self) -> bool:
        return len(self.jobs) != 1 or self.over > 0


def work(number: int, backend: str = "scikit-learn") -> Work:
    return Work(experiment(f"m{number}", backend=backend), Job(0), Places(Path("r"), Path("c")))


NETWORK, NEXT = work(1, "tensorflow"), work(2, "tensorflow")


def run(jobs: InTurn, slots: list[Slot]) -> list[Event]:
    """Run jobs, and give up after a while."""
    asked = itertools.count()

    def stopping() -> bool:
        if next(asked) > 100:  # each of which waits for `POLL_SECONDS` at most
            pytest.fail("jobs wait for a worker that is never ready")
        return False

    heard = []
    for event in share_out(jobs, slots, stopping):
        heard.append(event)
        jobs.over += event.kind == "done" and event.work.is_network
    return heard


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(sharing, "STARVED_SECONDS", 0.05)
    monkeypatch.setattr(sharing, "POLL_SECONDS", 0.01)


def test_those_who_have_nothing_to_do_make_room(soon):
    node = Node(2)
    # Estimators take all there is before the network asks.
    slots = [Slot(node.engage, lane=lane) for lane in (False, False, True)]
    jobs = InTurn(work(3), work(4), work(5), NETWORK, NEXT)
    heard = run(jobs, slots)
    assert sum(event.kind == "done" for event in heard) == 5


def test_those_who_have_nothing_to_do_stay_while_all_others_are_ready(soon):
    node = Node(3)
    slots = [Slot(node.engage, lane=lane) for lane in (False, False, True)]
    run(InTurn(work(3), work(4), NETWORK, NEXT), slots)
    assert node.engaged == 3
