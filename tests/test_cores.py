"""Workers keep to the CPUs of one memory node; the machines are made up."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
from stored import experiment

from emobench import environment
from emobench.executors import Card, Devices, Local, Work, cores, local
from emobench.executors.process import WorkerProcess
from emobench.spec import Job, Places
from emobench.training import devices

ALL = frozenset(range(32))


@pytest.fixture
def system(tmp_path) -> Path:
    """Two sockets whose CPUs alternate in halves, a node of memory alone, and three cards."""
    for number, cpus in ((0, "0-7,16-23"), (1, "8-15,24-31"), (2, "")):
        folder = tmp_path / f"devices/system/node/node{number}"
        folder.mkdir(parents=True)
        (folder / "cpulist").write_text(f"{cpus}\n")
    (tmp_path / "devices/system/node/possible").write_text("0-2\n")
    for bus, node in (("0000:17:00.0", 0), ("0000:ca:00.0", 1), ("0000:f0:00.0", -1)):
        folder = tmp_path / "bus/pci/devices" / bus
        folder.mkdir(parents=True)
        (folder / "numa_node").write_text(f"{node}\n")
    return tmp_path


FIRST = frozenset([*range(8), *range(16, 24)])
SECOND = ALL - FIRST


def test_nodes_have_the_cpus_that_may_be_used(system):
    assert cores.memory_nodes(ALL, system) == {0: FIRST, 1: SECOND}
    assert cores.memory_nodes({1, 2, 17, 30}, system) == {0: {1, 2, 17}, 1: {30}}
    assert cores.memory_nodes({1, 2}, system) == {0: {1, 2}}


def test_workers_are_spread_over_nodes_by_their_size(system):
    assert cores.spread(4, ALL, system) == [FIRST, SECOND, FIRST, SECOND]
    small = FIRST | {8, 9, 10, 11}
    assert Counter(map(len, cores.spread(20, small, system))) == {16: 16, 4: 4}


@pytest.mark.parametrize("among", [{0, 1}, frozenset()])
def test_one_node_is_left_to_the_system(system, among):
    assert cores.spread(3, among, system) == [cores.ANY] * 3
    assert cores.near_card("0000:17:00.0", among, system) == cores.ANY


def test_a_machine_that_tells_nothing_is_left_to_the_system(tmp_path):
    assert cores.spread(2, ALL, tmp_path) == [cores.ANY] * 2
    assert cores.near_card("0000:17:00.0", ALL, tmp_path) == cores.ANY


@pytest.mark.parametrize(
    ("bus", "expected"),
    [
        ("0000:17:00.0", FIRST),
        ("0000:CA:00.0", SECOND),  # as the driver writes it
        ("0000:f0:00.0", cores.ANY),  # its node is not known
        ("0000:01:00.0", cores.ANY),
        ("", cores.ANY),
    ],
)
def test_a_card_is_at_a_node(system, bus, expected):
    assert cores.near_card(bus, ALL, system) == expected


def test_workers_of_a_run(system, monkeypatch):
    monkeypatch.setattr(cores, "allowed", lambda: ALL)
    for name in ("spread", "near_card"):
        function = getattr(cores, name)
        monkeypatch.setattr(cores, name, lambda *a, call=function: call(*a, system=system))
    cards = (Card(0, "0", bus="0000:CA:00.0"), Card(1, "1", bus="0000:17:00.0"))
    slots = Local(2, Devices(cards))._slots(lambda: 1e9)
    kept = [slot.engage(SimpleQueue())._kept_to for slot in slots]
    assert kept == [SECOND, FIRST, FIRST, SECOND]


@pytest.mark.parametrize(
    ("threads", "tuning_jobs", "kept"), [(1, 1, True), (2, 8, True), (17, 1, False), (1, 32, False)]
)
def test_a_job_that_needs_more_than_a_node_has_all(
    tmp_path, monkeypatch, threads, tuning_jobs, kept
):
    started = []

    def start(environment, inbox, kept_to):
        started.append(kept_to)
        return SimpleNamespace(send=lambda work: True)

    monkeypatch.setattr(local, "WorkerProcess", start)
    worker = local.LocalWorker(SimpleQueue(), None, lambda: 1e9, FIRST)
    places = Places(tmp_path, tmp_path)
    worker.send(Work(experiment(), Job(0), places, threads=threads, tuning_jobs=tuning_jobs))
    assert started == [FIRST if kept else cores.ANY]


needs_affinity = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="needs a system that keeps processes to CPUs"
)


@needs_affinity
def test_a_process_keeps_to_its_cpus():
    own = os.sched_getaffinity(0)
    one = frozenset([min(own)])
    process = WorkerProcess(environment.of_worker("scikit-learn", 1), SimpleQueue(), one)
    assert os.sched_getaffinity(process._process.pid) == one
    process.close(at_once=True)
    assert os.sched_getaffinity(0) == own


@needs_affinity
@pytest.mark.parametrize(
    ("numbers", "text"), [({5}, "5"), ({0, 1, 2, 8}, "0-2,8"), ({3, 2, 7, 6, 10}, "2-3,6-7,10")]
)
def test_a_record_names_the_cpus(monkeypatch, numbers, text):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: numbers)
    assert devices.cpus() == text
