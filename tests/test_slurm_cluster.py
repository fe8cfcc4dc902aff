"""A real Slurm of two nodes on this machine, whose jobs are told to end, taken away and killed."""

from __future__ import annotations

import getpass
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import held_model
import pytest
import small_slurm
from in_processes import slow

from emobench import corpora, features, models
from emobench.errors import EmobenchError, FeatureError, SpecError
from emobench.executors import slurm as executor
from emobench.executors import slurm_crew
from emobench.executors.slurm_options import parse
from emobench.features.workers import Processes
from emobench.runs import Observer, Selection, Summary, execute, find_places, plan

TESTS = Path(__file__).parent
PATIENCE_SECONDS = 120

pytestmark = pytest.mark.skipif(
    bool(small_slurm.LACKING),
    reason=f"needs Slurm's daemons; not installed: {', '.join(small_slurm.LACKING)}",
)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[small_slurm.Cluster]:
    """The cluster; all of its commands find it."""
    pytest.importorskip("submitit", reason="needs submitit (pip install emobench[slurm])")
    made = small_slurm.Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        made.start()
        yield made
    except TimeoutError as error:
        pytest.skip(f"needs a Slurm that comes up on this machine: {error}")
    finally:
        made.stop()


@pytest.fixture(scope="module")
def extracted(tmp_path_factory) -> Path:
    """A cache that has the features."""
    cache = tmp_path_factory.mktemp("cache")
    places = find_places(results=tmp_path_factory.mktemp("local"), cache=cache)
    execute(plan(Selection("svm-is09", "demo", "smoke"), places), places)
    return cache


@dataclass
class Running:
    """A run whose jobs wait for a test to do something."""

    slurm: small_slurm.Cluster
    hold: held_model.Hold
    places: held_model.Places
    threads: ThreadPoolExecutor

    def run(self, options: str = "", folds: tuple[int, ...] = (), **heard: Callable) -> Summary:
        asked = ",".join(filter(None, ["time=5,array=1", options]))
        selection = Selection("held", "demo", "smoke", executor="slurm", slurm=asked, folds=folds)
        return execute(plan(selection, self.places), self.places, Observer(**heard))

    def begin(self, options: str = "", **heard: Any) -> Future[Summary]:
        """Give the command, and wait until its first job is held."""
        self.hold.close()
        running = self.threads.submit(self.run, options, **heard)
        self.until(lambda: running.done() or len(self.hold.begun) == 1)
        return running

    def until(self, reached: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert time.monotonic() < until, self.slurm.told("scontrol", "show", "job")
            time.sleep(0.05)

    @property
    def queue(self) -> list[str]:
        """The ids of all jobs in the queue."""
        return self.slurm.told("squeue", "--array", "--noheader", "--format=%i").split()

    @property
    def submitted(self) -> int:
        """How many jobs of the scheduler were ever submitted."""
        return len(list(self.places.cache.glob("slurm/*/*/*_submitted.pkl")))


@pytest.fixture
def running(slurm, extracted, tmp_path, monkeypatch) -> Iterator[Running]:
    monkeypatch.setenv("SLURM_CONF", str(slurm.configuration))
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setenv(held_model.FOLDER, str(tmp_path))
    monkeypatch.setattr(models, "_entries", dict(models._entries))
    models.register(held_model.HELD)
    monkeypatch.setitem(executor._LOOK_SECONDS, "slurm", 1)
    monkeypatch.setitem(executor._AGAIN_SECONDS, "slurm", 2)
    shutil.copytree(extracted, tmp_path / "cache")
    places = find_places(results=tmp_path / "results", cache=tmp_path / "cache")
    hold = held_model.Hold(tmp_path)
    with ThreadPoolExecutor(1) as threads:
        made = Running(slurm, hold, held_model.Places(**vars(places)), threads)
        yield made
        hold.open()
        slurm.told("scancel", "--user", getpass.getuser())
        made.until(lambda: not made.queue)


def usr1(running: Running) -> None:
    running.slurm.told("scancel", "--signal=USR1", *running.queue)


def requeue(running: Running) -> None:
    running.slurm.told("scontrol", "requeue", *running.queue)


def preempt(running: Running) -> None:
    command = ["sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null"]
    assert running.slurm.told(*command, "--wrap=sleep 1")


def out_of_time(running: Running) -> None:
    """Nothing: its signal comes by itself."""


def kill_the_node(running: Running) -> None:
    node = running.hold.begun[0]
    running.slurm.kill_node(node)
    running.slurm.start_node(node)


@pytest.mark.parametrize(
    ("disturb", "options"),
    [
        pytest.param(usr1, "", marks=pytest.mark.slow),
        pytest.param(requeue, "", marks=pytest.mark.long),
        pytest.param(preempt, "", marks=pytest.mark.long),
        # As if nearly all of its time were over.
        pytest.param(out_of_time, "time=3,signal_delay_s=178", marks=pytest.mark.long),
        pytest.param(kill_the_node, "", marks=pytest.mark.long),
    ],
)
def test_a_job_that_is_ended_is_queued_again(running, disturb, options):
    summary = running.begin(options)
    disturb(running)
    running.until(lambda: summary.done() or len(running.hold.begun) == 2)
    running.hold.open()
    summary = summary.result()
    assert (summary.done, summary.failures) == (2, {})
    assert len(running.hold.begun) == 3  # the first fold was begun twice
    assert running.submitted == 1


@pytest.mark.slow
def test_a_job_that_is_cancelled_is_told_and_submitted_by_the_next_run(running):
    summary = running.begin()
    running.slurm.told("scancel", *running.queue)
    failures = summary.result().failures
    assert len(failures) == 2
    (node,) = set(running.hold.begun)
    told = f"ended without a record of it, on node {node} (CANCELLED, exit code 0:15). Its log is"
    assert all(told in text for text in failures.values()), failures
    running.hold.open()
    assert running.run().done == 2


@pytest.mark.slow
def test_what_is_not_taken_now_is_handed_over_later(running, caplog):
    """A partition that takes nothing stands for a limit of jobs that may be submitted."""
    running.begin(folds=(0,), stopping=lambda: len(running.hold.begun) == 1).result()
    running.slurm.told("scontrol", "update", "PartitionName=main", "State=INACTIVE")
    try:
        summary = running.threads.submit(running.run)
        running.until(lambda: summary.done() or "takes no more for now" in caplog.text)
    finally:
        running.slurm.told("scontrol", "update", "PartitionName=main", "State=UP")
    running.until(lambda: summary.done() or running.submitted == 2)
    running.hold.open()
    assert (summary.result().done, summary.result().failures) == (2, {})
    assert len(running.hold.begun) == 2


@pytest.mark.slow
def test_a_node_that_does_not_see_the_cache_is_named(running):
    cache = running.places.cache
    away = cache.with_name("elsewhere")
    running.slurm.told("scontrol", "update", "NodeName=ALL", "State=DRAIN", "Reason=test")
    running.hold.close()
    summary = running.threads.submit(running.run)
    running.until(lambda: summary.done() or [*cache.glob("slurm/*/*.json")])  # it is taken down
    cache.rename(away)
    running.slurm.told("scontrol", "update", "NodeName=ALL", "State=RESUME")
    running.until(lambda: summary.done() or not running.queue)
    away.rename(cache)
    failures = summary.result().failures
    assert len(failures) == 2
    for text in failures.values():
        found = re.search(r"on node (first|second) \(FAILED, exit code \d+:\d+\)\. Expected", text)
        assert found, text
        assert f"{found[1]} seems not to see that folder of the cache" in text


@pytest.mark.slow
def test_a_node_without_the_environment_of_the_run_is_named(running, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/bin/python")
    failures = running.run().failures
    assert len(failures) == 2
    told = r"on node (first|second) \(FAILED, exit code .*/nowhere/bin/python: No such file or dir"
    assert all(re.search(told, text) for text in failures.values()), failures


@pytest.mark.slow
def test_a_controller_that_is_away_for_a_while(running, caplog):
    summary = running.begin()
    running.slurm.stop_controller()
    running.until(lambda: "the scheduler does not answer; waiting for it" in caplog.text)
    running.slurm.start_controller()
    running.hold.open()
    assert (summary.result().done, summary.result().failures) == (2, {})


@pytest.mark.slow
def test_a_killed_driver_is_started_again_and_submits_nothing_twice(running, extracted):
    """The record of an undisturbed local run is what its predictions are compared with."""
    folder = running.places.results.parent
    command = [sys.executable, "-m", "emobench", "run", "--model", "svm-is09", "--corpus", "demo"]
    command += ["--protocol", "smoke", "--cache", str(running.places.cache)]
    on_slurm = ["--results", str(folder / "results"), "--executor", "slurm", "--slurm", "time=5"]
    with subprocess.Popen([*command, *on_slurm]) as driver:
        running.until(lambda: running.submitted == 2)
        driver.kill()
    running.until(lambda: not running.queue)  # nobody lives who could hear of it
    done = subprocess.run([*command, *on_slurm], check=True, capture_output=True, text=True)
    assert "0 jobs done, 2 were there already, 0 failed" in done.stdout
    assert running.submitted == 2
    subprocess.run([*command, "--results", str(folder / "local")], check=True)
    assert predictions(folder / "results") == predictions(folder / "local")


def predictions(results: Path) -> dict[str, bytes]:
    found = {path.relative_to(results): path.read_bytes() for path in results.rglob("*.parquet")}
    assert found
    return found


@pytest.mark.slow
def test_srun_is_asked_for_as_many_cpus_as_sbatch(running):
    """It does not hear of what sbatch was asked for."""
    summary = running.begin("cpus=2")
    assert running.slurm.told("squeue", "--noheader", "--format=%C") == "2"
    running.hold.open()
    assert summary.result().done == 2
    (script,) = running.places.cache.glob("slurm/*/*/*_submission.sh")
    (line,) = [line for line in script.read_text().splitlines() if line.startswith("srun ")]
    assert "--cpus-per-task=2" in line.split()


@pytest.mark.slow
def test_why_a_job_waits_is_said(running, caplog):
    with caplog.at_level(logging.WARNING):
        summary = running.run("time=90", stopping=lambda: "waits:" in caplog.text)
    assert summary.stopped
    assert re.search("waits: Partition(Config|TimeLimit) ", caplog.text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("partition=gpux", "invalid partition specified: gpux"),
        ("gpus=1", "Invalid generic resource"),
        ("constraint=h100", "Invalid feature specification"),
        ("nodelist=box9", "Invalid node name specified"),
    ],
)
def test_what_slurm_does_not_take_is_said(running, options, message):
    with pytest.raises(SpecError, match=f"--slurm: expected the scheduler to take .*{message}"):
        running.run(options)


@pytest.mark.slow
def test_a_node_that_lacks_the_corpora_is_named(running, tmp_path):
    running.places = replace(running.places, data=tmp_path / "corpora")
    (tmp_path / "corpora").mkdir()
    running.slurm.told("scontrol", "update", "NodeName=ALL", "State=DRAIN", "Reason=test")
    summary = running.threads.submit(running.run)
    running.until(lambda: summary.done() or running.queue)
    (tmp_path / "corpora").rename(tmp_path / "elsewhere")
    running.slurm.told("scontrol", "update", "NodeName=ALL", "State=RESUME")
    with pytest.raises(EmobenchError, match=rf"{os.uname().nodename}: expected the folder of corp"):
        summary.result()


@pytest.mark.slow
def test_a_node_with_another_version_is_named(running, monkeypatch):
    monkeypatch.setattr(executor, "__version__", "9.9")
    with pytest.raises(EmobenchError, match=r": expected emobench 9.9, as where the run was"):
        running.run()


@pytest.fixture
def crew(running, monkeypatch):
    """Who hands over whatever is not done at first, in two jobs."""
    monkeypatch.setattr(slurm_crew, "_WORTH_SECONDS", 0.0)
    monkeypatch.setattr(slurm_crew, "_SHARE_SECONDS", 1e-9)
    monkeypatch.setattr(slurm_crew, "_LOOK_SECONDS", {"slurm": 1.0})
    monkeypatch.setattr(slurm_crew, "_GRACE_SECONDS", {"slurm": 3.0})
    return executor.Slurm(parse("time=5,array=2"), running.places).crew(Processes(1))


@pytest.mark.slow
def test_features_that_nodes_extract_are_the_same_to_the_last_bit(running, crew, tmp_path, caplog):
    registry = corpora.load_registry(running.places.datasets)
    table = corpora.load(registry.get("demo"), None, running.places.cache).sort_index()
    spec = features.spec("logmel")
    here = features.load(table, spec, cache=tmp_path / "here")
    there = features.load(table, spec, cache=tmp_path / "there", crew=crew)
    (one,), (other,) = here.packs, there.packs
    for path in one.folder.iterdir():
        assert (other.folder / path.name).read_bytes() == path.read_bytes()
    assert "submitted 2 jobs of the scheduler" in caplog.text


@pytest.mark.slow
def test_an_extraction_that_is_cancelled_is_told_with_its_log(running, crew):
    def cancel() -> None:
        running.slurm.told("scancel", *running.queue)

    found = crew.in_order(slow, [0, 0, 0, 100, 101], "looking", waiting=cancel)
    message = r"job \d+_0, found that it ended without any\. Its log is"
    with pytest.raises(FeatureError, match=message):
        list(found)


@pytest.mark.slow
def test_an_extraction_that_nobody_waits_for_is_cancelled(running, crew):
    def stop() -> None:
        if running.queue:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        list(crew.in_order(slow, [0, 0, 0, 100, 101], "looking", waiting=stop))
    running.until(lambda: not running.queue)
