"""A Ray cluster of two nodes on this machine, nodes, workers and drivers of which are killed."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest
from in_turn import InTurn
from small_ray import MEMORY, SmallRay
from stored import experiment

from emobench.cli import main
from emobench.errors import EmobenchError, SpecError, StoreError
from emobench.executors import Event, Work, devices, node, sharing
from emobench.executors.remote import Remote
from emobench.executors.work import Outcome, Refused
from emobench.runs import Observer, Selection, Summary, execute, find_places, placing, plan
from emobench.spec import Job, Places
from emobench.store import Store


def test_ray_that_is_not_installed_is_said(tiny_places, monkeypatch):
    planned = plan(Selection("svm-is09", "demo", executor="ray"), tiny_places)
    monkeypatch.setattr(placing.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SpecError, match="package ray, found that it is not installed"):
        placing.choose(planned, tiny_places, print)


def test_an_address_is_for_ray(tiny_places):
    with pytest.raises(SpecError, match="--address x:1: expected --executor ray, found"):
        plan(Selection("svm-is09", "demo", address="x:1"), tiny_places)


def test_a_node_of_another_version_is_named():
    with pytest.raises(node.NodeError, match=r"box7: expected emobench 9.9, .* found 0\."):
        node.insist_on_version("9.9", "box7")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("results", "folder of results"),
        ("cache", "feature cache"),
        ("data", "folder of corpora"),
        ("datasets", "registry file 1"),
        ("transcripts", "table of transcripts"),
        ("vectors", "file of word vectors"),
        ("encoder", "folder of the encoder"),
    ],
)
def test_a_node_that_lacks_a_place_is_named(tmp_path, what, words):
    file = tmp_path / "file"
    file.touch()
    places = Places(tmp_path, tmp_path, tmp_path, (file,), file, file, tmp_path)
    node.insist_on_places(places, "box7")
    absent = tmp_path / "absent"
    lacking = replace(places, **{what: (absent,) if what == "datasets" else absent})
    with pytest.raises(node.NodeError, match=f"box7: expected the {words} at {absent}, found none"):
        node.insist_on_places(lacking, "box7")


def test_results_in_another_folder_of_the_same_name_are_noticed(tmp_path):
    work = Work(experiment(), Job(0), Places(tmp_path, tmp_path))
    remote = Remote("box7", 0)
    told = pickle.loads(remote.perform(pickle.dumps(work)))
    assert isinstance(told, Refused)
    assert "box7: expected the experiment emo-db svm-is09 among the results" in told.why


def test_a_failure_far_away_names_its_node(tmp_path):
    work = Work(experiment(backend="scikit-learn"), Job(0), Places(tmp_path, tmp_path))
    Store(tmp_path).open(work.experiment)
    remote = Remote("box7", 0)
    told = pickle.loads(remote.perform(pickle.dumps(work)))
    remote.close()
    assert isinstance(told, Outcome)
    assert told.message.endswith("(on box7)")


def test_a_card_that_the_backend_cannot_use_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # as Ray does for a card that is but a number
    monkeypatch.setattr(devices, "_driver_installed", lambda: False)
    work = Work(experiment(), Job(0), Places(tmp_path, tmp_path))
    Store(tmp_path).open(work.experiment)
    told = pickle.loads(Remote("box7", 0.9).perform(pickle.dumps(work)))
    assert isinstance(told, Refused)
    assert re.search("box7: .* a graphics card that tensorflow can use, found none", told.why)


def test_a_card_is_looked_at_once(tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr(node, "find", lambda wanted, backend: looked.append((wanted, backend)))
    work = Work(experiment(), Job(0), Places(tmp_path, tmp_path))
    Store(tmp_path).open(work.experiment)
    for share in (0.9, 0):
        remote = Remote("box7", share)
        monkeypatch.setattr(remote, "_worker", Answering(remote._inbox))
        for _ in range(2):
            assert pickle.loads(remote.perform(pickle.dumps(work))).record == {}
    assert looked == [(devices.Wanted("gpu"), "tensorflow")]


@dataclass
class Answering:
    """A worker that is done at once."""

    inbox: SimpleQueue

    def send(self, work: Work) -> None:
        self.inbox.put((self, Outcome({})))


@dataclass
class Watched:
    """A run on a cluster, and what was heard of it."""

    results: Path
    events: list[Event] = field(default_factory=list)

    def run(self, address: str, *, on_event=lambda event: None, **options) -> Summary:
        def heard(event: Event) -> None:
            self.events.append(event)
            on_event(event)

        selection = Selection(
            "svm-is09",
            "demo",
            executor="ray",
            address=address,
            results=self.results,
            **options,
        )
        places = find_places(**selection.places)
        return execute(plan(selection, places), places, Observer(listener=heard))

    def jobs(self, kind: str) -> Counter[int]:
        return Counter(event.work.job.fold for event in self.events if event.kind == kind)


slow = [
    pytest.mark.slow,
    # Ray leaves pipes and sockets of its processes to the garbage collector.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def cluster():
    """A head with one CPU; tests add a second node."""
    pytest.importorskip("ray", reason="needs the package ray (pip install emobench[ray])")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=head)
    yield made
    made.shutdown()


@pytest.fixture
def second(cluster):
    """A second node."""
    added = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    cluster.wait_for_nodes()
    yield added
    if added in cluster.list_all_nodes():
        cluster.remove_node(added)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cache) -> Path:
    """The results of an undisturbed local run."""
    results = tmp_path_factory.mktemp("local")
    selection = Selection("svm-is09", "demo", results=results, cache=cache)
    places = find_places(**selection.places)
    assert execute(plan(selection, places), places).done == 6
    return results


def predictions(results: Path) -> dict[str, bytes]:
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in results.rglob("*.parquet")
    }


class TestOnACluster:
    pytestmark = slow

    def test_two_nodes_give_the_same_bits(self, cluster, second, undisturbed, cache, tmp_path):
        watched = Watched(tmp_path)
        assert watched.run(cluster.address, cache=cache).done == 6
        assert predictions(tmp_path) == predictions(undisturbed)
        assert watched.jobs("started") == watched.jobs("done") == Counter(range(6))
        assert watched.run(cluster.address, cache=cache).kept == 6

    def test_a_dead_node_costs_what_was_running_there(
        self, cluster, second, undisturbed, cache, tmp_path
    ):
        watched = Watched(tmp_path)

        def kill(event: Event) -> None:
            if len(watched.jobs("started")) == 2 and second in cluster.list_all_nodes():
                cluster.remove_node(second, allow_graceful=False)

        summary = watched.run(cluster.address, cache=cache, on_event=kill)
        assert (summary.done, summary.failures) == (6, {})
        assert predictions(tmp_path) == predictions(undisturbed)
        assert watched.jobs("done") == Counter(range(6))
        assert watched.jobs("retried").total() == 1
        assert watched.jobs("started").total() == 7

    def test_a_killed_worker_process_costs_its_job_a_second_try(
        self, cluster, undisturbed, cache, tmp_path
    ):
        watched, killed = Watched(tmp_path), []

        def kill_soon(event: Event) -> None:
            if event.kind == "started" and not killed:
                killed.append(threading.Thread(target=kill_worker))
                killed[0].start()

        summary = watched.run(cluster.address, cache=cache, on_event=kill_soon)
        killed[0].join()
        assert (summary.done, summary.failures) == (6, {})
        assert watched.jobs("retried").total() == 1
        assert predictions(tmp_path) == predictions(undisturbed)

    def test_a_killed_driver_is_started_again(self, cluster, undisturbed, cache, tmp_path):
        command = [sys.executable, "-m", "emobench", "run", "--model", "svm-is09"]
        command += ["--corpus", "demo", "--executor", "ray", "--address", cluster.address]
        command += ["--results", str(tmp_path), "--cache", str(cache)]
        with subprocess.Popen(command) as driver:
            while not list(tmp_path.rglob("fold-*.json")):
                assert driver.poll() is None
                time.sleep(0.05)
            driver.kill()
        wait_for_workers_to_end()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert "0 failed" in done.stdout
        assert "6 jobs done" not in done.stdout
        assert predictions(tmp_path) == predictions(undisturbed)

    def test_networks_find_a_card_while_others_hold_every_cpu(
        self, cluster, cache, tmp_path, monkeypatch
    ):
        if devices._driver_installed():
            pytest.skip("needs a machine where a card of Ray is but a number")
        from emobench.executors.ray import connect

        monkeypatch.setattr(sharing, "STARVED_SECONDS", 1)
        places = Places(tmp_path, cache)
        backends = ("scikit-learn", "scikit-learn", "tensorflow", "tensorflow")
        works = [
            Work(experiment(f"m{i}", backend=backend), Job(0), places)
            for i, backend in enumerate(backends)
        ]
        for work in works:
            Store(tmp_path).open(work.experiment)
        # Two take both CPUs; then a network comes, and the next once that is over.
        jobs = InTurn(*zip((0, 0, 1, 3), works, strict=True))
        end = time.monotonic() + 60

        def stopping() -> bool:
            if time.monotonic() > end:
                pytest.fail("a network waits for a CPU beside its card")
            return False

        added = cluster.add_node(num_cpus=1, num_gpus=1, object_store_memory=MEMORY)
        cluster.wait_for_nodes()
        executor = connect(cluster.address, places, jobs=2)
        # Only who was given the card can say that it is none.
        message = r"\(Ray node \w{8}\): .* a graphics card that tensorflow can use, found none"
        try:
            with pytest.raises(EmobenchError, match=message):
                jobs.run(executor.run, stopping)
        finally:
            executor.close()
            cluster.remove_node(added)

    def test_a_full_disk_ends_the_run(self, cluster, small_disk, cache):
        with pytest.raises(StoreError, match=r"found a full disk.*\(on .* \(Ray node "):
            Watched(small_disk).run(cluster.address, cache=cache)

    def test_another_version_is_refused(self, cluster, cache, tmp_path, monkeypatch):
        monkeypatch.setattr("emobench.executors.ray_workers.__version__", "9.9")
        with pytest.raises(EmobenchError, match=r"\(Ray node \w{8}\): expected emobench 9.9"):
            Watched(tmp_path).run(cluster.address, cache=cache)

    def test_a_card_that_no_node_has_is_said(self, cluster, cache, tmp_path):
        selection = Selection("latif2019", "demo", executor="ray", address=cluster.address)
        places = find_places(results=tmp_path, cache=cache)
        for device, message in (
            ("gpu", "expected a Ray cluster with a graphics card, found none in a cluster of 1"),
            ("gpu:0", "Ray itself chooses"),
        ):
            with pytest.raises(SpecError, match=message):
                execute(plan(replace(selection, device=device), places), places)


@pytest.fixture
def started():
    pytest.importorskip("ray", reason="needs the package ray (pip install emobench[ray])")
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        made = SmallRay(Path(folder))
        made.start()
        yield made
        made.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("again", "found"),
    [(True, "it was started anew"), (False, "nothing has answered there for 3 s")],
)
def test_a_run_that_loses_its_head_says_so_and_goes_on_later(
    started, undisturbed, cache, tmp_path, again, found
):
    patient = "from emobench.executors import ray_cluster; ray_cluster._AWAY_SECONDS = "
    patient += "300; " if again else "3; "  # a machine may take long to start it
    command = [sys.executable, "-c", patient + "from emobench.cli import main; main()", "run"]
    command += ["--model", "svm-is09", "--corpus", "demo", "--executor", "ray"]
    command += ["--address", started.address, "--results", str(tmp_path), "--cache", str(cache)]
    options = {"env": started.environment, "text": True}
    with subprocess.Popen(command, stderr=subprocess.PIPE, **options) as driver:
        while not list(tmp_path.rglob("fold-*.json")):
            assert driver.poll() is None
            time.sleep(0.05)
        started.kill()
        if again:
            started.start()
        _, said = driver.communicate()
    assert driver.returncode == 1, said
    (line,) = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert "Ray cluster at " in line
    assert found in line
    assert line.endswith("run the same command again: what was filed is kept.")
    assert "Traceback" not in said
    if not again:
        started.start()
    filed = len(list(tmp_path.rglob("fold-*.json")))
    assert 0 < filed < 6
    done = subprocess.run(command, check=True, capture_output=True, **options)
    assert f"{6 - filed} jobs done" in done.stdout
    assert predictions(tmp_path) == predictions(undisturbed)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_full_disk_of_one_node_ends_the_run_and_names_it(
    started, undisturbed, cache, tmp_path, monkeypatch
):
    results = shutil.copytree(undisturbed, tmp_path / "results")
    for file in (*results.rglob("fold-*"), *results.rglob("*.claim")):
        file.unlink()
    # The node sees a disk of its own there, with the experiment and no room for anything else.
    full = 'cp -a "$0" "$0.here"; mount -t tmpfs -o size=64k tmpfs "$0"; cp -a "$0.here/." "$0"; '
    full += 'dd if=/dev/zero of="$0/rest" bs=1k 2>/dev/null; exec "$@"'
    here = ("unshare", "--mount", "sh", "-c", full, str(results))
    if subprocess.run([*here, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    import ray

    ray.init(address=started.address, log_to_driver=False, logging_level="ERROR")
    try:
        (head,) = ray.nodes()
        started.join(*here)
        (node,) = (each["NodeID"] for each in ray.nodes() if each["NodeID"] != head["NodeID"])
        with pytest.raises(StoreError, match=rf"found a full disk.*\(Ray node {node[:8]}\)"):
            Watched(results).run("auto", cache=cache)
    finally:
        ray.shutdown()
    filed = predictions(results)
    assert filed.items() <= predictions(undisturbed).items()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "--address 127.0.0.1:1: expected a Ray cluster, found that nothing"),
        ("ray://x:1", "--address: expected HOST:PORT or auto, found 'ray://x:1'"),
        ("box", "--address: expected HOST:PORT or auto, found 'box'"),
    ],
)
def test_an_address_where_no_cluster_is(address, message, tmp_path, capsys):
    pytest.importorskip("ray", reason="needs the package ray (pip install emobench[ray])")
    command = ["run", "--model", "svm-is09", "--corpus", "demo", "--executor", "ray"]
    with pytest.raises(SystemExit) as stop:
        main([*command, "--address", address, "--results", str(tmp_path)])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def workers() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any("executors.worker" in word for word in words):
            found.append(process)
    return found


def kill_worker() -> None:
    """Kill the worker process of an actor of Ray once there is one."""
    while True:
        for process in workers():
            parent = process.parent()
            if parent is not None and "RemoteWorker" in " ".join(parent.cmdline()):
                time.sleep(1)
                os.kill(process.pid, signal.SIGKILL)
                return
        time.sleep(0.05)


def wait_for_workers_to_end() -> None:
    """An actor ends with its driver, and its process with it."""
    while any(map(is_of_an_actor, workers())):
        time.sleep(0.1)


def is_of_an_actor(process: psutil.Process) -> bool:
    try:
        parent = process.parent()
        return parent is not None and "RemoteWorker" in " ".join(parent.cmdline())
    except psutil.NoSuchProcess:  # it ends just now, or has ended and is not yet cleared away
        return False


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB, where one can be made."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)
