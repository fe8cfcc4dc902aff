"""Which job goes where, what a worker sees of the machine, and how it ends."""

from __future__ import annotations

import itertools
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

from emobench import environment
from emobench.environment import Seat
from emobench.errors import EmobenchError
from emobench.executors import Card, Devices, Local, Outcome, Work, local
from emobench.executors.pending import Pending
from emobench.executors.process import WorkerProcess
from emobench.executors.sharing import Slot, share_out
from emobench.executors.work import Epoch
from emobench.spec import Experiment, Job, Places

CARDS = (Card(0, "0", "A", 1000), Card(1, "1", "B", 1000))


def work(model: str, fold: int, backend: str = "tensorflow") -> Work:
    experiment = Experiment("tiny", model, "smoke", backend, {"model": model}, "", 2, 1)
    return Work(experiment, Job(fold), Places(Path("results"), Path("cache")))


def group(model: str):
    return work(model, 0).group


def drain(pending: Pending, own=None, kept=(), lane=None) -> list[tuple[str, int]]:
    """Take all that one worker takes, which keeps to the group of its last job."""
    found = []
    while (taken := pending.take(own, kept, lane)) is not None:
        found.append((taken.experiment.model, taken.job.fold))
        own = taken.group
    return found


def test_a_worker_keeps_to_its_experiment():
    pending = Pending([work("b", 0), work("a", 1), work("a", 2)])
    assert pending.take(group("b")) == work("b", 0)
    assert drain(Pending([work("b", 0), work("a", 1), work("a", 2)]), group("b")) == [
        ("b", 0),
        ("a", 1),
        ("a", 2),
    ]


def test_a_free_worker_takes_an_experiment_that_nobody_is_at():
    pending = Pending([work("a", 1), work("a", 2), work("b", 0)])
    assert pending.take(None, {group("a")}) == work("b", 0)
    assert pending.take(group("a")) == work("a", 1)


def test_with_nothing_else_left_it_helps():
    pending = Pending([work("a", 1)])
    assert pending.take(None, {group("a")}) == work("a", 1)
    assert not pending


def test_workers_look_at_jobs_of_their_lane_only():
    jobs = [work("network", 0), work("svm", 0, "scikit-learn"), work("network", 1)]
    pending = Pending(jobs, lambda item: item.is_network)
    assert drain(pending, lane=False) == [("svm", 0)]
    assert drain(pending, lane=True) == [("network", 0), ("network", 1)]


def test_no_more_jobs_are_drawn_than_are_of_use():
    drawn = []

    def endless():
        for number in itertools.count():
            drawn.append(number)
            yield work(f"m{number // 10}", number % 10)

    pending = Pending(endless())
    own = None
    for number in range(35):
        taken = pending.take(own)
        assert taken == work(f"m{number // 10}", number % 10)
        own = taken.group
        assert len(drawn) == number + 1
    assert pending.take(None, {own}) == work("m4", 0)  # behind the rest of what is kept to
    assert len(drawn) == 41
    assert drain_some(pending, own, 5) == [("m3", number) for number in range(5, 10)]
    assert len(drawn) == 41


def drain_some(pending: Pending, own, count: int) -> list[tuple[str, int]]:
    found = [pending.take(own) for _ in range(count)]
    return [(item.experiment.model, item.job.fold) for item in found]


def test_one_endless_experiment_is_shared(monkeypatch):
    monkeypatch.setattr("emobench.executors.pending.LOOKAHEAD", 50)
    made = work("a", 0)
    drawn = []
    jobs = (drawn.append(n) or replace(made, job=Job(n)) for n in itertools.count())
    pending = Pending(jobs)
    own = pending.take().group
    for number in range(1, 200):
        assert pending.take(None if number % 2 else own, {own}).job.fold == number
        assert len(drawn) <= number + 51


def test_taking_a_job_costs_the_same_however_many_wait():
    """Counted, not timed: how often jobs are looked at."""
    looked = []

    class Watched(Work):
        @property
        def group(self):
            looked.append(1)
            return self.experiment.model, None

    def cost(experiments: int) -> float:
        looked.clear()
        made = [work(f"m{number}", 0).experiment for number in range(experiments)]
        jobs = [
            Watched(experiment, Job(fold), Places(Path("r"), Path("c")))
            for experiment in made
            for fold in range(10)
        ]
        pending, groups = Pending(jobs), [None, None, None]
        for number in range(len(jobs)):
            own = groups[number % 3]
            taken = pending.take(own, {group for group in groups if group and group != own})
            groups[number % 3] = taken.group
        assert not pending
        return len(looked) / len(jobs)

    assert cost(400) <= cost(20) + 0.1


def test_what_is_kept_at_the_end_includes_what_was_not_drawn_yet():
    first, *others = grouped("a", range(4))
    pending = Pending([first, *others, *grouped("b", range(2))])
    assert pending.take() == first
    pending.keep_only({first.group})
    assert [pending.take(first.group) for _ in range(4)] == [*others, None]
    assert not pending


def grouped(model: str, folds: range) -> list[Work]:
    """Jobs that one worker may train at once."""
    jobs = [Job(fold) for fold in folds]
    return [
        replace(work(model, job.fold, "jax"), siblings=tuple(set(jobs) - {job})) for job in jobs
    ]


def test_jobs_that_another_worker_trains_along_are_left_to_it():
    first, *others = grouped("a", range(3))
    last, *rest = grouped("a", range(3, 5))
    pending = Pending([*others, last, *rest])
    assert pending.take(None, {first.group}) == last
    assert pending.take(last.group, {first.group}) == rest[0]
    assert pending.take(last.group, {first.group}) is None
    assert [pending.take(first.group, {last.group}) for _ in range(3)] == [*others, None]


def places_of_groups(events) -> dict[tuple, set[int]]:
    """The worker that each group was done by, where none died."""
    found = {}
    for event in events:
        if event.kind == "done":
            found.setdefault(event.work.group, set()).add(event.record["worker"])
    return found


def test_a_group_stays_with_one_worker(monkeypatch):
    machine = Machine(monkeypatch)
    groups = [range(0, 4), range(4, 5), range(5, 9), range(9, 12), range(12, 13)]
    jobs = [item for folds in groups for item in grouped("a", folds)]
    events = machine.run(jobs, jobs=1, devices=Devices(CARDS))
    assert sorted(e.work.job.fold for e in events if e.kind == "done") == list(range(13))
    places = places_of_groups(events)
    assert all(len(places[item.group]) == 1 for item in jobs if item.siblings)
    assert machine.most == {"0": 1, "1": 1}


@pytest.mark.parametrize("devices", [Devices(), Devices(CARDS[:1]), Devices(CARDS)])
@pytest.mark.parametrize("deadly", [{0}, {1}, {2, 5}, set(range(6))])
def test_no_job_of_a_group_is_stranded_when_its_worker_dies(monkeypatch, devices, deadly):
    machine = Machine(monkeypatch, lambda item, attempt: item.job.fold in deadly and attempt == 1)
    jobs = grouped("a", range(3)) + grouped("a", range(3, 6))
    events = machine.run(jobs, jobs=2, devices=devices)
    assert sorted(e.work.job.fold for e in events if e.kind == "done") == list(range(6))
    retried = {event.work.job.fold for event in events if event.kind == "retried"}
    assert retried == deadly


def test_a_group_goes_on_after_a_job_of_it_was_given_up(monkeypatch):
    machine = Machine(monkeypatch, lambda item, attempt: item.job.fold == 0)
    events = machine.run(grouped("a", range(4)), jobs=3)
    assert [e.work.job.fold for e in events if e.kind == "failed"] == [0]
    assert sorted(e.work.job.fold for e in events if e.kind == "done") == [1, 2, 3]
    # The others stay together; the job itself is tried again by whoever is free.
    assert machine.most == {environment.NO_CARD: 2}


@pytest.mark.parametrize("stop", [0, 2])
@pytest.mark.parametrize(
    ("facts", "more"), [({"trained_together": 4}, True), ({"trained_alone": "why"}, False)]
)
def test_an_interrupt_loses_nothing_that_was_trained_along(monkeypatch, stop, facts, more):
    """The first job takes the time of all; where each takes its own, no other is begun."""
    machine = Machine(monkeypatch)
    machine.facts, machine.stopped_after = facts, {("a", stop)}
    jobs = grouped("a", range(4)) + grouped("a", range(4, 8)) + grouped("b", range(2))
    events = machine.run(jobs, jobs=1)
    done = [(e.work.experiment.model, e.work.job.fold) for e in events if e.kind == "done"]
    assert done == [("a", fold) for fold in range(4 if more else stop + 1)]


class Machine:
    """Stands in for worker processes and keeps count of what runs at once, and where."""

    def __init__(self, monkeypatch, fail=lambda work, attempt: False):
        self.started, self.most, self.running, self.attempts = [], {}, [], {}
        self.facts, self.stopped_after = {}, None
        machine = self

        class Worker:
            def __init__(self, seen, inbox, kept_to):
                self.place = seen["CUDA_VISIBLE_DEVICES"]
                self.inbox, self.pending = inbox, None
                self.number = len(machine.started)
                machine.started.append(seen)
                machine.workers.append(self)

            def send(self, item):
                self.pending = item
                machine.running.append(self.place)
                for place in set(machine.running):
                    count = machine.running.count(place)
                    machine.most[place] = max(machine.most.get(place, 0), count)
                return True

            def answer(self):
                item, self.pending = self.pending, None
                machine.running.remove(self.place)
                key = (item.experiment.model, item.job.fold)
                machine.attempts[key] = machine.attempts.get(key, 0) + 1
                died = fail(item, machine.attempts[key])
                record = {"place": self.place, "worker": self.number, **machine.facts}
                self.inbox.put((self, None if died else Outcome(record)))

            def close(self, *, at_once):
                machine.workers.remove(self)

        self.workers = []
        monkeypatch.setattr(local, "WorkerProcess", Worker)

    def run(self, given, **options):
        """Run jobs; every worker answers once all that could be handed out is."""
        return list(Local(**options).run(given, self._answer))

    def _answer(self):
        for worker in [worker for worker in self.workers if worker.pending]:
            worker.answer()
        return self.stopped_after is not None and self.attempts.keys() >= self.stopped_after


@pytest.mark.parametrize("lingers", [math.inf, 0.2])
def test_a_worker_gives_back_what_it_holds_while_others_are_made_ready(lingers):
    """Unless it lingers; the second job then comes only once the worker of the first is gone."""
    closed, told = [], []

    class Worker:
        ready = True

        def __init__(self, inbox):
            self.inbox = inbox

        def send(self, work):
            self.inbox.put((self, Outcome({})))

        def close(self, *, at_once):
            closed.append(self)

    class Gradually:
        def __init__(self):
            self.left, self.asked = [work("a", 0), work("b", 0)], 0

        def ready(self):
            self.asked += len(told) == 2  # the first was begun and done
            return len(self.left) == 2 or bool(closed) or (lingers > 1 and self.asked > 5)

        def __iter__(self):
            return self

        def __next__(self):
            if not self.left:
                raise StopIteration
            return self.left.pop(0)

    slots = [Slot(Worker, lingers=lingers)]
    for event in share_out(Gradually(), slots, lambda: False):
        told.append((event.kind, event.work.experiment.model))
    assert told == [("started", "a"), ("done", "a"), ("started", "b"), ("done", "b")]
    assert len(closed) == (1 if lingers > 1 else 2)


def test_networks_wait_for_a_card_while_estimators_share_the_cpu(monkeypatch):
    machine = Machine(monkeypatch)
    jobs = [work("net", fold) for fold in range(5)]
    jobs += [work("svm", fold, "scikit-learn") for fold in range(5)]
    events = machine.run(jobs, jobs=3, devices=Devices(CARDS))
    done = [(e.work.experiment.model, e.record["place"]) for e in events if e.kind == "done"]
    assert len(done) == 10
    assert {place for model, place in done if model == "net"} == {"0", "1"}
    assert {place for model, place in done if model == "svm"} == {environment.NO_CARD}
    assert machine.most == {"0": 1, "1": 1, environment.NO_CARD: 3}


def test_more_workers_than_cards_divide_them(monkeypatch):
    machine = Machine(monkeypatch)
    jobs = [work("net", fold, "jax") for fold in range(9)]
    machine.run(jobs, jobs=1, devices=Devices(CARDS, workers_per_card=3))
    assert machine.most == {"0": 3, "1": 3}
    shares = [float(seen["XLA_PYTHON_CLIENT_MEM_FRACTION"]) for seen in machine.started]
    assert shares == [0.3] * 6


def test_a_few_jobs_are_spread_over_the_cards(monkeypatch):
    machine = Machine(monkeypatch)
    machine.run(
        [work("net", fold) for fold in range(2)], jobs=8, devices=Devices(CARDS, workers_per_card=4)
    )
    assert machine.most == {"0": 1, "1": 1}


def test_without_a_card_the_jobs_of_the_cpu_bound_everything(monkeypatch):
    machine = Machine(monkeypatch)
    jobs = [work("net", fold) for fold in range(4)]
    jobs += [work("svm", fold, "scikit-learn") for fold in range(4)]
    machine.run(jobs, jobs=2)
    assert machine.most == {environment.NO_CARD: 2}


def test_a_job_whose_worker_dies_twice_is_given_up(monkeypatch):
    machine = Machine(monkeypatch, lambda item, attempt: item.job.fold == 1)
    events = machine.run([work("net", fold) for fold in range(3)], jobs=2)
    (failed,) = [event for event in events if event.kind == "failed"]
    assert failed.work == work("net", 1)
    assert "died 2 times" in failed.message
    assert "lower --jobs" in failed.message
    assert machine.attempts["net", 1] == 2
    assert sum(event.kind == "done" for event in events) == 2


@pytest.mark.parametrize("broken", [True, False])
def test_a_worker_on_a_card_outlives_only_errors_that_were_foreseen(monkeypatch, broken):
    started = []

    class Worker:
        def __init__(self, seen, inbox, kept_to):
            self.inbox = inbox
            started.append(self)

        def send(self, item):
            record = None if item.job.fold == 0 else {}
            failed = record is None
            self.inbox.put((self, Outcome(record, "no luck", broken=failed and broken)))
            return True

        def close(self, *, at_once):
            assert not at_once

    monkeypatch.setattr(local, "WorkerProcess", Worker)
    jobs = [work("net", fold) for fold in range(3)]
    kinds = [event.kind for event in Local(1, Devices(CARDS[:1])).run(jobs)]
    assert kinds.count("failed") == 1
    assert len(started) == (2 if broken else 1)


def of_worker(backend="jax", base=None, **options):
    return environment.of_worker(backend, 2, base=base or {}, **options)


@pytest.mark.parametrize("backend", ["scikit-learn", "tensorflow", "jax"])
def test_a_worker_of_the_cpu_sees_no_card(backend):
    seen = of_worker(backend, {"CUDA_VISIBLE_DEVICES": "0,1", "XLA_FLAGS": "--own"})
    assert seen["CUDA_VISIBLE_DEVICES"] == "-1"
    assert seen["OMP_NUM_THREADS"] == "2"
    assert "JAX_COMPILATION_CACHE_DIR" not in seen
    assert seen.get("JAX_PLATFORMS") == ("cpu" if backend == "jax" else None)
    assert "--own" in seen["XLA_FLAGS"].split()


BUSY_THREADS = """
import jax
import jax.numpy as jnp
import psutil

def spent():
    return {thread.id: thread.user_time for thread in psutil.Process().threads()}

square = jax.jit(lambda values: values @ values)
values = square(jnp.ones((1500, 1500))).block_until_ready()
before = spent()
for _ in range(20):
    square(values).block_until_ready()
each = [seconds - before.get(thread, 0) for thread, seconds in spent().items()]
print(sum(seconds > max(each) / 5 for seconds in each))
"""


def test_jax_multiplies_in_so_many_threads_as_records_say():
    pytest.importorskip("jax")
    told = subprocess.run(
        [sys.executable, "-c", BUSY_THREADS],
        env=environment.of_worker("jax", 1),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["1"]


def test_a_worker_of_jax_on_a_card():
    seen = of_worker(seat=Seat("GPU-1f", 0.45), compiled=Path("/c/compiled/jax"))
    assert seen["CUDA_VISIBLE_DEVICES"] == "GPU-1f"
    assert seen["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert seen["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.4500"
    assert seen["XLA_PYTHON_CLIENT_PREALLOCATE"] == "true"
    assert "XLA_FLAGS" not in seen  # the choice of kernels is left to XLA
    assert seen["JAX_COMPILATION_CACHE_DIR"] == "/c/compiled/jax"
    assert seen["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "0"
    assert seen["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] == "-1"
    assert "JAX_PLATFORMS" not in seen


def test_what_the_caller_has_set_on_purpose_is_kept():
    own = {
        "CUDA_VISIBLE_DEVICES": "3",
        "XLA_CLIENT_MEM_FRACTION": "0.5",
        "XLA_FLAGS": "--xla_gpu_deterministic_ops=true",
        "JAX_COMPILATION_CACHE_DIR": "/own",
    }
    seen = of_worker(base=own, seat=Seat("3"), compiled=Path("/c"))
    assert {name: seen[name] for name in own} == own
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in seen  # JAX refuses both names at once
    assert "CUDA_DEVICE_ORDER" not in seen  # the caller's numbers follow the caller's order


def test_a_worker_of_tensorflow_on_a_card():
    seen = of_worker("tensorflow", {"TF_XLA_FLAGS": "--own"}, seat=Seat("1"), compiled=Path("/c/t"))
    assert seen["CUDA_VISIBLE_DEVICES"] == "1"
    assert seen["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert seen["TF_XLA_FLAGS"].split()[:2] == ["--own", "--tf_xla_persistent_cache_directory=/c/t"]
    blank = of_worker("tensorflow", {}, seat=Seat("1"), compiled=Path("/my cache/t"))
    assert "TF_XLA_FLAGS" not in blank


def test_to_look_takes_no_memory_and_hides_nothing():
    assert "CUDA_VISIBLE_DEVICES" not in environment.for_looking("jax", {})
    seen = environment.for_looking("jax", {"CUDA_VISIBLE_DEVICES": "1,2"})
    assert seen["CUDA_VISIBLE_DEVICES"] == "1,2"
    assert seen["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


@pytest.fixture
def worker():
    """A worker process that has been told of no job yet, and its inbox."""
    inbox = SimpleQueue()
    started = WorkerProcess(environment.of_worker("scikit-learn", 1), inbox)
    yield started, inbox
    started.close(at_once=True)


def outcome_of(inbox):
    while True:
        _, message = inbox.get(timeout=60)
        if not isinstance(message, Epoch):
            return message


def test_a_worker_does_one_job_after_another_and_turns_errors_into_messages(worker):
    process, inbox = worker
    for _ in range(2):
        assert process.send(work("no-such-model", 0, "scikit-learn"))
        outcome = outcome_of(inbox)
        assert outcome.record is None
        assert outcome.message
        assert outcome.own_bytes > 0
        assert not outcome.broken
    process.close(at_once=False)
    assert inbox.get(timeout=60) == (process, None)


def test_a_worker_that_is_gone_is_noticed(worker):
    process, inbox = worker
    (child,) = [p for p in psutil.Process().children() if "executors.worker" in str(p.cmdline())]
    child.kill()
    assert inbox.get(timeout=60) == (process, None)
    while child.status() != psutil.STATUS_ZOMBIE:  # its pipes close one after another
        time.sleep(0.01)
    assert not process.send(work("a", 0))


def test_no_process_at_all_is_said(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(EmobenchError, match="worker process, found: Cannot allocate memory"):
        WorkerProcess({}, SimpleQueue())


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_ends_with_its_parent_and_nothing_is_left(how):
    """Not even where nobody can tidy up: no semaphore, no shared memory, no process."""
    shared = Path("/dev/shm")
    before = set(shared.iterdir()) if shared.is_dir() else set()
    script = (
        "import time\nfrom queue import SimpleQueue\n"
        "from emobench.environment import of_worker\n"
        "from emobench.executors.process import WorkerProcess\n"
        "workers = [WorkerProcess(of_worker('scikit-learn', 1), SimpleQueue()) for _ in range(2)]\n"
        "print('ready', flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout.readline() == "ready\n"
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) == 2
    os.kill(parent.pid, how)
    parent.wait(20)
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []
    assert parent.stderr.read() == ""
    parent.stdout.close()
    parent.stderr.close()
    if shared.is_dir():
        assert {path for path in set(shared.iterdir()) - before if "sem." in path.name} == set()


def test_an_interrupt_leaves_a_worker_alone(worker):
    process, inbox = worker
    (child,) = [p for p in psutil.Process().children() if "executors.worker" in str(p.cmdline())]
    for _ in range(20):  # from its first moment on
        child.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert process.send(work("no-such-model", 0, "scikit-learn"))
    assert outcome_of(inbox).message
