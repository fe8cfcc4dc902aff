"""Workers of a Ray cluster, by actors that end as they are told."""

from __future__ import annotations

import pickle
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import pytest
from stored import experiment

ray = pytest.importorskip("ray", reason="needs the package ray (pip install emobench[ray])")

from ray.exceptions import ActorDiedError, RayTaskError  # noqa: E402

from emobench.executors import Work  # noqa: E402
from emobench.executors.ray import room  # noqa: E402
from emobench.executors.ray_workers import Engagement, RayWorker  # noqa: E402
from emobench.executors.work import Lost, Outcome, Ready, Refused  # noqa: E402
from emobench.spec import Job, Places  # noqa: E402

PLACES = Places(Path("r"), Path("c"))


@dataclass
class Call:
    """A method of an actor, the answer of which is `ends`."""

    ends: Future = field(default_factory=Future)

    def remote(self, *given: object) -> Call:
        return self

    def future(self) -> Future:
        return self.ends


@dataclass
class Actor:
    look: Call = field(default_factory=Call)
    perform: Call = field(default_factory=Call)

    @classmethod
    def options(cls, **resources: float) -> type[Actor]:
        return cls

    @classmethod
    def remote(cls, share: float, cpus: float) -> Actor:
        return cls()


class Cluster:
    """Where workers are asked for, and what they told."""

    def __init__(self) -> None:
        self.inbox = SimpleQueue()
        self.is_away = False  # its head
        self.killed = []
        self.engage = Engagement(Actor, PLACES, self)

    def workers(self, count: int) -> list[RayWorker]:
        return [self.engage(self.inbox, num_cpus=1) for _ in range(count)]

    def told(self) -> list:
        return [self.inbox.get_nowait()[1] for _ in range(self.inbox.qsize())]


@pytest.fixture
def cluster(monkeypatch):
    made = Cluster()
    monkeypatch.setattr(ray, "kill", made.killed.append)
    return made


def lose(*workers: RayWorker) -> None:
    for worker in workers:
        worker._handle.look.ends.set_exception(ActorDiedError())


def start(worker: RayWorker) -> None:
    worker._handle.look.ends.set_result(("box7", ""))


def task_error(cause: Exception) -> Exception:
    """Return what Ray raises of an exception in an actor."""
    raised = RayTaskError("f", f"Traceback\n{cause!r}", cause, "ray::f", 1, "10.0.0.7")
    return raised.as_instanceof_cause()


def test_a_node_that_dies_while_workers_start_there_counts_once(cluster):
    lose(*cluster.workers(8))
    assert cluster.told() == [Lost("a worker was lost")] * 8
    again = cluster.workers(8)
    lose(*again[:4])
    start(again[4])
    lose(*again[5:])
    assert not any(isinstance(message, Refused) for message in cluster.told())


def test_workers_that_are_lost_again_and_again_end_the_run(cluster):
    for _ in range(3):
        lose(*cluster.workers(2))
    *before, last, lost = cluster.told()
    assert {type(message) for message in [*before, lost]} == {Lost}
    assert isinstance(last, Refused)
    assert "found that 3 in a row were lost before they were ready: " in last.why


def test_no_loss_ends_the_run_while_another_worker_is_there(cluster):
    (first,) = cluster.workers(1)
    start(first)
    for _ in range(9):
        lose(*cluster.workers(1))
    assert cluster.told() == [Ready(), *[Lost("a worker was lost")] * 9]
    first.close(at_once=False)
    for _ in range(3):
        lose(*cluster.workers(1))
    assert [type(message) for message in cluster.told()] == [Lost, Lost, Refused]


def test_no_actor_is_killed_while_the_head_is_away(cluster):
    first, second = cluster.workers(2)
    first.close(at_once=True)
    assert cluster.killed == [first._handle]
    cluster.is_away = True
    second.close(at_once=True)
    assert cluster.killed == [first._handle]


def test_a_fault_in_an_actor_is_told_and_no_second_try_made(cluster):
    (worker,) = cluster.workers(1)
    start(worker)
    worker.send(Work(experiment(), Job(0), PLACES))
    worker._handle.perform.ends.set_exception(task_error(ValueError("odd")))
    _, told = cluster.told()
    assert isinstance(told, Outcome)
    assert told.message.startswith("ValueError: odd. This is a fault of emobench")
    assert told.message.endswith("(on box7)")


def test_a_fault_of_an_actor_that_starts_ends_the_run(cluster):
    (worker,) = cluster.workers(1)
    worker._handle.look.ends.set_exception(task_error(pickle.UnpicklingError("odd")))
    (told,) = cluster.told()
    assert isinstance(told, Refused)
    assert "found UnpicklingError: odd. " in told.why


@pytest.mark.parametrize(
    ("nodes", "threads", "per_card", "expected"),
    [
        ([{"CPU": 4.0, "GPU": 1.0}], 1, 1, (1, 3)),
        ([{"CPU": 4.0, "GPU": 1.0}], 1, 0, (0, 4)),
        ([{"CPU": 4.0, "GPU": 1.0}], 2, 3, (2, 0)),
        ([{"CPU": 3.0}, {"CPU": 3.0}], 2, 1, (0, 2)),
        ([{"GPU": 8.0}, {"CPU": 5.0}], 1, 1, (0, 5)),
    ],
)
def test_cards_have_their_cpus(nodes, threads, per_card, expected):
    assert room(nodes, threads, per_card) == expected
