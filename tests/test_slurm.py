"""Arrays of jobs through submitit, on processes of this machine in the place of Slurm's nodes."""

from __future__ import annotations

import os
import pickle
import pickletools
import platform
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from slurm_commands import submission, works
from stored import Filled

from emobench import __version__
from emobench.errors import EmobenchError, SpecError
from emobench.executors import Event, Work, devices, share, submissions
from emobench.executors import slurm as executor
from emobench.executors.sealed import Sealed
from emobench.executors.share import missing
from emobench.executors.slurm import parted
from emobench.executors.slurm_options import Asked
from emobench.runs import Observer, Selection, Summary, execute, find_places, plan
from emobench.spec import Job
from emobench.store import Store


def test_what_devices_say_is_in_the_log_of_a_share(tmp_path, monkeypatch, capsys):
    items = works(tmp_path, "a", 1)
    items[0].places.cache.mkdir()
    Store(items[0].places.results).open(items[0].experiment)
    monkeypatch.setattr(share, "find", lambda *_, **__: devices.Devices(note="on the CPU: why"))
    monkeypatch.setattr(share.Local, "run", lambda self, work: (one for one in ()))
    wanted = devices.parse("auto")
    assert share.Share(items, 1, wanted, "tensorflow", 1).perform("box7") == 0
    assert "on the CPU: why" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "shares"), [(1, 16), (8, 3), (8, 8), (9, 4), (100, 16)])
def test_shares_are_neighbours_and_about_as_large(tmp_path, count, shares):
    items = works(tmp_path, "a", count)
    parts = list(parted(items, shares))
    assert [item for part in parts for item in part] == items
    assert len(parts) <= shares
    assert max(map(len, parts)) == -(-count // shares)


def test_what_is_trained_together_stays_in_one_share(tmp_path):
    jobs = [Job(fold) for fold in range(8)]
    items = []
    for start in (0, 4):
        group = jobs[start : start + 4]
        items += [
            replace(item, siblings=tuple(job for job in group if job != item.job))
            for item in works(tmp_path, "a", 8)[start : start + 4]
        ]
    assert [len(part) for part in parted(items, 3)] == [4, 4]


def test_what_has_a_record_is_no_part_of_a_share_any_more(tmp_path):
    items = works(tmp_path)
    filled = Filled(tmp_path / "results")
    filled.run(items[0].experiment, [Job(1), Job(2)])
    filled.run(items[4].experiment, [])
    left = [(item.experiment.model, item.job.fold) for item in missing(items, "box7")]
    assert left == [("a", 0), ("a", 3), ("b", 0), ("b", 1), ("b", 2), ("b", 3)]


def test_results_that_a_node_does_not_see_are_named(tmp_path):
    with pytest.raises(EmobenchError, match="box7: expected the experiment emo-db a among the res"):
        list(missing(works(tmp_path), "box7"))


def test_a_share_files_why_a_job_failed(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="needs submitit (pip install emobench[slurm])")
    items = works(tmp_path, "a", 2)
    (tmp_path / "cache").mkdir()
    store = Store(items[0].places.results)
    store.open(items[0].experiment)

    def run(self, work):
        for item in work:
            kind = "failed" if item.job.fold else "done"
            yield Event(kind, item, message="no luck" if item.job.fold else "")

    monkeypatch.setattr(share.Local, "run", run)
    made = executor.Slurm(Asked(), items[0].places)._sealed(items, tmp_path / "refusal")
    assert made() == 1
    reason, _ = store.failure(items[1].experiment, Job(1))
    assert reason == f"no luck (on {platform.node()})"
    assert store.failure(items[0].experiment, Job(0)) is None


def test_a_sealed_share_is_made_of_what_every_version_has(tmp_path):
    """Of ours only its own name is needed to unpickle it; what is inside stays closed."""
    items = works(tmp_path)
    made = executor.Slurm(Asked(), items[0].places)._sealed(items, tmp_path / "refusal")
    named = {
        argument
        for code, argument, _ in pickletools.genops(pickle.dumps(made, protocol=2))
        if code.name == "GLOBAL"
    }
    assert {name for name in named if name.startswith("emobench")} == {
        "emobench.executors.sealed Sealed"
    }
    assert set(vars(made)) == {"version", "packed", "refusal"}
    assert {type(value) for value in vars(made).values()} == {str, bytes}


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("9.9", rf"expected emobench 9\.9, as where the run was planned, found {__version__}"),
        (
            __version__,
            rf"expected the same code of emobench {__version__} .*No module named 'gone'",
        ),
    ],
)
def test_jobs_of_other_code_are_refused_with_the_node(tmp_path, version, message):
    pytest.importorskip("submitit", reason="needs submitit (pip install emobench[slurm])")
    unreadable = b"cgone.module\nShare\n."
    with pytest.raises(EmobenchError, match=message):
        Sealed(version, unreadable, str(tmp_path / "refusal"))()
    assert re.match(f"{platform.node()}: {message}", (tmp_path / "refusal").read_text())


class Arriving:
    """Jobs of experiments that become ready one after another, when it is said."""

    def __init__(self, items: list[Work]) -> None:
        self.later, self.there = items, []

    def come(self, model: str) -> None:
        self.there += [work for work in self.later if work.experiment.model == model]
        self.later = [work for work in self.later if work not in self.there]

    def ready(self) -> bool:
        return bool(self.there or not self.later)

    def __iter__(self):
        return self

    def __next__(self) -> Work:
        if not (self.there or self.later):
            raise StopIteration
        return self.there.pop(0)


def test_what_is_ready_is_submitted_while_others_are_made_ready(tmp_path, monkeypatch):
    """And while an array waits for its nodes, what becomes ready is gathered for the next."""
    items = works(tmp_path, "abcd", folds=2)
    arriving, queue, arrays = Arriving(items), {}, []
    for item in items[::2]:
        Store(item.places.results).open(item.experiment)

    def submit(self, left, folder):
        made = submission(left, f"{len(arrays)}", folder)
        arrays.append([work.experiment.model for work in left])
        queue[made.id] = "Resources"
        return [made]

    def finish(model: str) -> None:
        for item in items:
            if item.experiment.model == model:
                Filled(tmp_path / "results").run(item.experiment, [item.job])

    def looked(cluster, ids):
        looks.append(len(arrays))
        if looks.count(1) == 1:
            arriving.come("b")
        elif looks.count(1) == 2:
            arriving.come("c")
        elif looks.count(1) == 4:
            assert arrays == [["a", "a"]]
            queue["0"] = ""  # it found a node
        elif looks.count(2) == 2:
            finish("a")
            finish("b")
            arriving.come("d")
        elif len(arrays) == 3:
            finish("c")
            finish("d")
        return dict(queue)

    looks: list[int] = []
    arriving.come("a")
    monkeypatch.setattr(executor.Slurm, "_submit", submit)
    monkeypatch.setattr(executor, "queued", looked)
    monkeypatch.setattr(executor, "_LOOK_SECONDS", {"slurm": 0.05})
    made = executor.Slurm(Asked(), replace(items[0].places, cache=tmp_path))
    told = [event.work.job.fold for event in made.run(arriving) if event.kind == "done"]
    assert arrays == [["a", "a"], ["b", "b", "c", "c"], ["d", "d"]]
    assert len(told) == 8


def test_what_is_ready_at_once_is_one_array(tmp_path, monkeypatch):
    items, arrays = works(tmp_path, "abc"), []
    monkeypatch.setattr(
        executor.Slurm, "_submit", lambda self, left, folder: arrays.append(left) or []
    )
    monkeypatch.setattr(executor, "queued", lambda cluster, ids: {})
    made = executor.Slurm(Asked(), replace(items[0].places, cache=tmp_path))
    assert list(made.run(iter(items), lambda: bool(arrays))) == []
    assert arrays == [items]


def test_the_queue_of_slurm(tmp_path, monkeypatch):
    squeue = tmp_path / "squeue"
    lines = ["12_0 R None", "12_3 PD ReqNodeNotAvail, UnavailableNodes:box7", "15 PD None"]
    lines.append("16 CG ")
    squeue.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert submissions.queued("slurm") == {
        "12_0": "",
        "12_3": "ReqNodeNotAvail, UnavailableNodes:box7",
        "15": "None",
        "16": "",
    }
    squeue.write_text("#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact' >&2\nexit 1\n")
    with pytest.raises(OSError, match="Unable to contact"):
        submissions.queued("slurm")


def test_no_other_process_is_taken_for_a_job():
    assert submissions.queued("local", [str(os.getpid()), "1", "x"]) == {}


class Watched:
    """A run through submitit, and what was heard of it."""

    def __init__(self, results: Path, cache: Path) -> None:
        self.results, self.cache = results, cache
        self.options: dict[str, str] = {"model": "svm-is09"}
        self.events: list[Event] = []

    def run(self, asked: str = "cluster=local,array=2", **heard) -> Summary:
        selection = Selection(
            corpus="demo",
            executor="slurm",
            slurm=asked,
            results=self.results,
            cache=self.cache,
            **self.options,
        )
        places = find_places(**selection.places)
        observer = Observer(listener=self.events.append, **heard)
        return execute(plan(selection, places), places, observer)

    def submitted(self) -> Counter[int]:
        """How often each fold was handed over."""
        found: Counter[int] = Counter()
        for path in self.cache.glob("local/*/*/*_submitted.pkl"):
            packed = pickle.loads(path.read_bytes()).function.packed
            found.update(work.job.fold for work in pickle.loads(packed).jobs)
        return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, Path]:
    """The results of an undisturbed local run, and a cache."""
    pytest.importorskip("submitit", reason="needs submitit (pip install emobench[slurm])")
    results, cache = tmp_path_factory.mktemp("local"), tmp_path_factory.mktemp("cache")
    selection = Selection("svm-is09", "demo", results=results, cache=cache)
    places = find_places(**selection.places)
    assert execute(plan(selection, places), places).done == 6
    return results, cache


@pytest.fixture
def watched(undisturbed, tmp_path) -> Watched:
    """A run with a cache that has the features and knows of no submissions."""
    cache = tmp_path / "cache"
    subprocess.run(["cp", "-r", str(undisturbed[1]), str(cache)], check=True)
    return Watched(tmp_path / "results", cache)


def predictions(results: Path) -> dict[str, bytes]:
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in results.rglob("*.parquet")
    }


def processes(words: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if words in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def signal_a_share(folder: Path, number: int) -> None:
    """Send a signal to a job of the array once it has begun, and filed something if it can."""
    while True:
        tasks = [p for p in processes("submitit.core._submit") if str(folder) in p.cmdline()[-1]]
        for task in tasks:
            if any("executors.worker" in " ".join(child.cmdline()) for child in task.children()):
                task.send_signal(number)
                return
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # submitit waits for no process that it starts
class TestThroughSubmitit:
    def test_an_array_gives_the_same_bits(self, undisturbed, watched):
        summary = watched.run()
        assert (summary.done, summary.failures) == (6, {})
        assert predictions(watched.results) == predictions(undisturbed[0])
        assert watched.submitted() == Counter(range(6))
        assert watched.run().kept == 6

    def test_nobody_need_wait_and_nothing_is_submitted_twice(self, undisturbed, watched):
        summary = watched.run(stopping=lambda: watched.submitted().total() == 6)
        assert summary.stopped
        summary = watched.run()
        assert summary.done + summary.kept == 6
        assert watched.submitted() == Counter(range(6))
        assert predictions(watched.results) == predictions(undisturbed[0])

    def test_usr1_drops_the_job_and_has_it_queued_again(self, undisturbed, watched):
        sender = threading.Thread(target=signal_a_share, args=(watched.cache, signal.SIGUSR1))
        sender.start()
        summary = watched.run()
        sender.join()
        assert (summary.done, summary.failures) == (6, {})
        assert predictions(watched.results) == predictions(undisturbed[0])
        logs = "".join(path.read_text() for path in watched.cache.glob("local/*/*/*_log.*"))
        assert "Requeued job" in logs

    def test_term_drops_the_job_and_the_next_run_submits_what_is_missing(
        self, undisturbed, watched
    ):
        sender = threading.Thread(target=signal_a_share, args=(watched.cache, signal.SIGTERM))
        sender.start()
        summary = watched.run("cluster=local,array=1")
        sender.join()
        assert summary.done < 6
        assert all("ended without a record of it" in text for text in summary.failures.values())
        again = watched.run()
        assert again.kept == summary.done
        assert again.kept + again.done == 6
        assert predictions(watched.results) == predictions(undisturbed[0])

    def test_another_version_is_refused_by_the_node(self, watched, monkeypatch):
        monkeypatch.setattr(executor, "__version__", "9.9")
        with pytest.raises(EmobenchError, match=r": expected emobench 9.9, as where the run was"):
            watched.run()

    def test_a_node_without_the_card_that_is_asked_for_is_named(self, watched):
        watched.options = {"model": "latif2019", "device": "gpu"}
        with pytest.raises(EmobenchError, match=rf"{platform.node()}: --device: expected a graphi"):
            watched.run("cluster=local,array=1")

    def test_what_slurm_does_not_take_is_said(self, watched, commands):
        commands.let(
            "sbatch", "echo 'sbatch: error: invalid partition specified: gpux' >&2; exit 1"
        )
        with pytest.raises(SpecError, match="invalid partition specified: gpux"):
            watched.run("time=9,partition=gpux")
        with pytest.raises(SpecError, match=r"--slurm: expected .*Unknown argument 'partitoin'"):
            watched.run("time=9,partitoin=gpu")
