"""Features that other machines extract, and jobs on other machines, which extract none."""

from __future__ import annotations

import os
import pickle
import platform
import re
import shutil
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from conftest import perform_here
from in_processes import crash, foreign, look, slow

from emobench import __version__, corpora, environment, features
from emobench.cli import main
from emobench.errors import EmobenchError, FeatureError, SpecError, StoreError, UncachedError
from emobench.executors import NodeError, Work, slurm_crew, worker
from emobench.executors.portion import Extraction, Portion
from emobench.executors.remote import Remote
from emobench.executors.sealed import Sealed
from emobench.executors.share import Share
from emobench.executors.slurm import Slurm
from emobench.executors.slurm_options import parse as parse_slurm
from emobench.executors.work import Outcome
from emobench.experiments import context
from emobench.features import cache as caching
from emobench.features import extraction
from emobench.features.workers import Processes
from emobench.runs import Observer, Selection, execute, plan
from emobench.runs.extraction import extract_ahead, parse
from emobench.runs.turns import StoppedError
from emobench.spec import Places
from emobench.store import Store

MEMORY = 80 * 2**20
"""Least object store that Ray accepts, and far more than is used."""


@pytest.fixture
def table(tiny_places):
    registry = corpora.load_registry(tiny_places.datasets)
    return corpora.load(registry.get("tiny"), tiny_places.data, tiny_places.cache).sort_index()


def contents(cache: Path) -> dict[str, bytes]:
    """All packs of a cache, to the last byte, but for when and by whom they were made."""
    packs = [path.parent for path in cache.rglob("about.json")]
    assert packs
    return {
        path.relative_to(cache).as_posix(): path.read_bytes()
        for pack in packs
        for path in pack.iterdir()
        if path.is_file() and path.name != "lock"
    }


def extracted(table: pd.DataFrame, spec, cache: Path, crew) -> dict[str, bytes]:
    features.load(table, spec, cache=cache, crew=crew, corpus="tiny")
    return contents(cache)


def test_options_of_an_executor_are_for_it(tiny_places):
    with pytest.raises(SpecError, match="--address x:1: expected --executor ray, found --executor"):
        list(extract_ahead(["logmel"], ["tiny"], tiny_places, address="x:1"))


# Portions -----------------------------------------------------------------------------------------


def portion(places: Places, work=look, tasks=(1, 2), network: bool = False) -> Portion:
    (made,) = Extraction(work, places, "looking", network).portions(list(tasks), 9)
    return made


def test_portions_are_neighbours(tiny_places):
    portions = Extraction(look, tiny_places, "looking", False).portions([*range(7)], 3)
    told = [made()[0] for made in portions]
    assert [[task for task, _, _ in each] for each in told] == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_portion_of_an_encoder_sees_its_card_alone(tiny_places, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    for on_cards, shown in ((True, "5"), (False, environment.NO_CARD)):
        found, error = portion(tiny_places, network=True)(on_cards=on_cards)
        assert error is None
        for _, process, seen in found:
            assert process != os.getpid()
            assert (seen["CUDA_VISIBLE_DEVICES"], seen["OMP_NUM_THREADS"]) == (shown, "1")


def test_another_version_is_refused_before_anything_of_it_is_read(tiny_places):
    made = replace(portion(tiny_places), version="9.9", packed=b"of another version")
    found, error = made(where="box7")
    assert (found, type(error)) == ([], NodeError)
    assert str(error).startswith("box7: expected emobench 9.9")


def test_a_folder_of_corpora_that_is_not_there_is_named(tiny_places, tmp_path):
    _, error = portion(replace(tiny_places, data=tmp_path / "absent"))(where="box7")
    assert isinstance(error, NodeError)
    assert str(error).startswith(f"box7: expected the folder of corpora at {tmp_path}/absent")


def test_results_need_not_be_there_yet(tiny_places, tmp_path):
    found, error = portion(replace(tiny_places, results=tmp_path / "absent"))()
    assert (len(found), error) == (2, None)


def test_a_process_that_is_killed_names_its_machine(tiny_places):
    _, error = portion(tiny_places, crash, network=True)(where="box7")
    assert isinstance(error, FeatureError)
    assert "was killed" in str(error)
    assert str(error).endswith("(on box7)")


# Jobs on other machines ---------------------------------------------------------------------------


@pytest.fixture
def planned(tiny_places, tmp_path, monkeypatch) -> Work:
    """A job of an experiment whose features were cached, and are not any more."""
    places = replace(tiny_places, cache=tmp_path / "cache")
    works = []

    def run(self, work, stopping):
        works.extend(work)
        yield from ()

    with monkeypatch.context() as patch:
        patch.setattr("emobench.executors.Local.run", run)
        execute(plan(Selection(("svm-is09",), ("tiny",), "smoke"), places), places)
    context._open.clear()
    shutil.rmtree(places.cache)
    places.cache.mkdir()
    monkeypatch.setattr(caching, "_PATIENCE_SECONDS", 0.1)
    return works[0]


def test_a_worker_of_this_machine_extracts_what_is_gone(planned):
    assert worker.perform(planned, print).record is not None
    assert contents(planned.places.cache)


def test_a_job_elsewhere_extracts_nothing_and_ends_the_run(planned):
    found = worker.perform(replace(planned, extracts=False), print)
    assert (found.record, found.fatal, found.broken) == (None, True, False)
    assert found.message.startswith(
        "tiny: expected is09 of 24 clips in the cache, found that 24 are missing below "
        f"{planned.places.cache}"
    )
    assert found.message.endswith("give the same command again, which extracts first.")
    assert list(planned.places.cache.rglob("*is09*")) == []


def test_a_job_on_a_node_says_where(planned, monkeypatch):
    """Within a worker process, which waits as long as files may take to be seen."""
    done = []
    remote = Remote("box7", 0)
    monkeypatch.setattr(remote._worker, "send", done.append)
    remote._inbox.put((remote._worker, Outcome(None, "gone", fatal=True)))
    told = pickle.loads(remote.perform(pickle.dumps(planned)))
    assert (told.message, told.fatal) == ("gone (on box7)", True)
    assert [work.extracts for work in done] == [False]


def test_a_share_on_a_node_says_where(planned, tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="needs submitit (pip install emobench[slurm])")
    perform_here(monkeypatch, lambda work: worker.perform(work, print))
    monkeypatch.setattr("platform.node", lambda: "box7")
    share = pickle.dumps(Share([planned], 1, None, "tensorflow", 1))
    with pytest.raises(EmobenchError, match="tiny: expected is09"):
        Sealed(__version__, share, str(tmp_path / "refusal"))()
    assert (tmp_path / "refusal").read_text().startswith("box7: tiny: expected is09 of 24 clips")


def test_what_another_machine_wrote_may_be_seen_late(table, tmp_path, monkeypatch):
    """As on a network file system, which asks anew only after a while."""
    spec, cache = features.spec("logmel"), tmp_path / "cache"
    monkeypatch.setattr(caching, "_LOOK_SECONDS", 0.05)
    writing = threading.Timer(0.5, features.load, (table, spec), {"cache": cache})
    writing.start()
    found = features.load(table, spec, cache=cache, crew=None)
    writing.join()
    assert len(found) == 24
    monkeypatch.setattr(caching, "_PATIENCE_SECONDS", 0.1)
    with pytest.raises(UncachedError, match=r"expected logmel\(bands=240\) of 24 clips"):
        features.load(table, features.spec("logmel", bands=240), cache=cache, crew=None)


# A scheduler --------------------------------------------------------------------------------------


class TestThroughSubmitit:
    """On processes of this machine in the place of Slurm's nodes."""

    @pytest.fixture
    def crew(self, tiny_places, tmp_path, monkeypatch):
        """Hands over whatever is not done at first, in two jobs."""
        pytest.importorskip("submitit", reason="needs submitit (pip install emobench[slurm])")
        monkeypatch.setattr(slurm_crew, "_WORTH_SECONDS", 0.0)
        monkeypatch.setattr(slurm_crew, "_SHARE_SECONDS", 1e-9)
        monkeypatch.setattr(slurm_crew, "_POLL_SECONDS", 0.1)
        monkeypatch.setattr(extraction, "_CLIPS_PER_TASK", 2)
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        places = replace(tiny_places, cache=tmp_path / "shared")
        places.cache.mkdir()
        return Slurm(parse_slurm("cluster=local,array=2"), places).crew(Processes(1))

    @pytest.fixture
    def handed_over(self, monkeypatch) -> list[int]:
        """How many jobs were submitted each time."""
        counts, submit = [], Slurm._array

        def noted(self, folder, calls):
            counts.append(len(calls))
            return submit(self, folder, calls)

        monkeypatch.setattr(Slurm, "_array", noted)
        return counts

    @pytest.mark.parametrize("name", ["logmel", "is09"])
    def test_the_cache_is_the_same_to_the_last_bit(self, handed_over, crew, table, tmp_path, name):
        spec = features.spec(name)
        here = extracted(table, spec, tmp_path / "here", Processes(1))
        assert extracted(table, spec, tmp_path / "there", crew) == here
        assert handed_over == [2]
        assert not list(crew.places.cache.glob("local/extraction/*"))

    def test_an_encoder_gives_the_same_bits(self, handed_over, crew, table, tmp_path):
        pytest.importorskip("onnx", reason="needs onnx, which makes the encoder of this test")
        pytest.importorskip("onnxruntime", reason="needs onnxruntime, which computes with it")
        from onnx_encoders import write_encoder

        spec = parse(f"encoder:{write_encoder(tmp_path / 'encoder')}")
        here = extracted(table, spec, tmp_path / "here", Processes(1))
        assert extracted(table, spec, tmp_path / "there", replace(crew, there=2)) == here
        assert handed_over == [2]

    def test_what_takes_moments_is_done_here(self, handed_over, crew, table, tmp_path, monkeypatch):
        monkeypatch.setattr(slurm_crew, "_WORTH_SECONDS", 600.0)
        spec = features.spec("logmel")
        here = extracted(table, spec, tmp_path / "here", Processes(1))
        assert extracted(table, spec, tmp_path / "there", crew) == here
        assert handed_over == []

    def test_what_the_scheduler_does_not_take_is_done_here(self, crew, caplog):
        def full(folder, calls):
            raise SpecError("expected the scheduler to take an array")

        found = [*replace(crew, submit=full).in_order(look, [*range(5)], "looking")]
        assert [task for task, _, _ in found] == [*range(5)]
        assert "looking: extracted here, as no job can do it: expected" in caplog.text

    def test_a_job_that_fails_names_its_log(self, crew):
        found = crew.in_order(foreign_later, [0, 0, 0, 1], "looking")
        with pytest.raises(
            FeatureError, match=r"job \d+, found that it failed: .*ForeignError"
        ) as told:
            list(found)
        log = re.search(r"Its log is (\S+);", str(told.value)).group(1)
        assert "ForeignError" in Path(log).read_text()

    def test_a_job_that_dies_names_its_log(self, crew):
        with pytest.raises(
            FeatureError, match=r"job \d+, found that it ended without any\. Its log"
        ):
            list(crew.in_order(crash_later, [0, 0, 0, 1], "looking"))

    def test_a_node_that_cannot_do_it_is_named(self, crew, tmp_path):
        crew = replace(crew, places=replace(crew.places, data=tmp_path / "absent"))
        told = f"{platform.node()}: expected the folder of corpora at {tmp_path}/absent"
        with pytest.raises(NodeError, match=re.escape(told)):
            list(crew.in_order(look, [*range(4)], "looking"))

    def test_who_waits_may_stop(self, crew, request):
        """And leaves no job in the queue."""
        # A shell's background jobs are born deaf to the signal by which submitit cancels, and so
        # would be what is started here.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
        jobs = []

        def submit(folder, calls):
            jobs.extend(crew.submit(folder, calls))
            return [*jobs]

        def stop() -> None:
            raise StoppedError

        found = replace(crew, submit=submit).in_order(slow, [0, 0, 0, 100], "looking", waiting=stop)
        with pytest.raises(StoppedError):
            list(found)
        began = time.monotonic()
        while not jobs[0].done():
            time.sleep(0.1)
        assert time.monotonic() - began < 20

    def test_ahead_of_a_run(self, handed_over, crew, capsys):
        places = crew.places
        options = [f"--{name}={getattr(places, name)}" for name in ("data", "cache")]
        options += [f"--datasets={places.datasets[0]}", "--executor=slurm"]
        asked = ["features", "logmel", "--corpus=tiny", *options, "--slurm=cluster=local,array=3"]
        with pytest.raises(SystemExit) as stop:
            main(asked)
        assert stop.value.code == 0
        assert "tiny: logmel(bands=40): 24 clips" in capsys.readouterr().out
        assert handed_over == [3]

    @pytest.mark.parametrize(
        ("asked", "seconds", "jobs"),
        [
            ("time=60", 700, 2),
            ("time=60", 3_000, 10),
            ("time=600", 30_000, 16),
            ("time=60,array=40", 30_000, 40),
            ("time=10", 30_000, 100),  # else each would run out of time
        ],
    )
    def test_as_many_jobs_as_are_worth_it(self, tiny_places, asked, seconds, jobs):
        assert Slurm(parse_slurm(asked), tiny_places).crew(Processes(1))._jobs(seconds) == jobs

    def test_encoders_go_to_the_cards_that_are_asked_for(self, tiny_places, monkeypatch):
        submitted = []
        monkeypatch.setattr("emobench.encoders.accelerator", lambda folder: "onnxruntime")
        monkeypatch.setattr(
            Slurm, "_array", lambda self, folder, calls: submitted.append(calls) or []
        )
        places = replace(tiny_places, encoder=Path("encoder"))
        made = Slurm(parse_slurm("time=60,gpus=1"), places)
        assert [*made.crew(Processes(1)).in_order(look, [*range(40)], "", network=True)] == []
        assert [[call.on_cards for call in calls] for calls in submitted] == [[True, True]]
        cards = Processes(1, ("0",))
        # What this machine has a card for is done here.
        monkeypatch.setattr(Processes, "in_order", lambda self, *given, **how: iter(self.cards))
        assert [*made.crew(cards).in_order(look, [1], "", network=True)] == ["0"]
        assert len(submitted) == 1


# Ray ----------------------------------------------------------------------------------------------

on_ray = [
    pytest.mark.slow,
    # Ray leaves pipes and sockets of its processes to the garbage collector.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def cluster():
    """Two nodes with a CPU each, which find what tests let them do."""
    ray = pytest.importorskip("ray", reason="needs the package ray (pip install emobench[ray])")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": MEMORY}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        made = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        made.add_node(**node)
        made.wait_for_nodes()
        ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
        yield made
        ray.shutdown()
        made.shutdown()


class TestOnRay:
    pytestmark = on_ray

    @pytest.fixture
    def crew(self, cluster, tiny_places):
        from emobench.executors.ray_crew import RayCrew

        return RayCrew(tiny_places)

    @pytest.fixture
    def no_extraction_here(self, monkeypatch):
        monkeypatch.setattr(
            Processes, "in_order", lambda *given, **how: pytest.fail("extracted here")
        )

    @pytest.mark.parametrize("name", ["logmel", "is09"])
    def test_the_cache_is_the_same_to_the_last_bit(self, crew, table, tmp_path, name):
        spec = features.spec(name)
        here = extracted(table, spec, tmp_path / "here", Processes(1))
        assert extracted(table, spec, tmp_path / "there", crew) == here

    def test_an_encoder_gives_the_same_bits(self, crew, table, tmp_path):
        pytest.importorskip("onnx", reason="needs onnx, which makes the encoder of this test")
        pytest.importorskip("onnxruntime", reason="needs onnxruntime, which computes with it")
        from onnx_encoders import write_encoder

        spec = parse(f"encoder:{write_encoder(tmp_path / 'encoder')}")
        here = extracted(table, spec, tmp_path / "here", Processes(1))
        assert extracted(table, spec, tmp_path / "there", crew) == here

    def test_work_is_done_on_the_nodes_and_in_order(self, crew):
        found = [*crew.in_order(slow, [*range(12)], "looking")]
        assert [task for task, _ in found] == [*range(12)]
        assert os.getpid() not in {process for _, process in found}
        assert len({process for _, process in found}) >= 2

    def test_a_dead_node_costs_time_alone(self, cluster, crew):
        """What it was at is done again, and what it had done and nobody had fetched."""
        third = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        cluster.wait_for_nodes()
        told = []
        for task, _ in crew.in_order(slow, [*range(20)], "looking"):
            told.append(task)
            if len(told) == 4:
                cluster.remove_node(third, allow_graceful=False)
        assert told == [*range(20)]

    def test_who_waits_may_stop(self, crew):
        def stop() -> None:
            raise StoppedError

        found = crew.in_order(slow, [100], "looking", waiting=stop)
        with pytest.raises(StoppedError):
            next(found)
        assert [*crew.in_order(look, [1], "looking")]  # the CPUs are free again

    def test_a_node_that_cannot_do_it_is_named(self, crew, tmp_path):
        crew = replace(crew, places=replace(crew.places, data=tmp_path / "absent"))
        with pytest.raises(NodeError, match=r"\(Ray node \w{8}\): expected the folder of corpora"):
            list(crew.in_order(look, [1], "looking"))

    def test_another_version_is_refused(self, crew, monkeypatch):
        monkeypatch.setattr("emobench.executors.portion.__version__", "9.9")
        with pytest.raises(NodeError, match=r"\(Ray node \w{8}\): expected emobench 9\.9"):
            list(crew.in_order(look, [1], "looking"))

    def test_a_process_that_dies_each_time_is_explained(self, crew):
        with pytest.raises(FeatureError, match="looking: expected Ray to extract features on some"):
            list(crew.in_order(crash, [1], "looking"))

    def test_an_error_that_nobody_foresaw_keeps_its_type(self, crew):
        with pytest.raises(Exception, match="ForeignError"):
            list(crew.in_order(foreign_task, [1], "looking"))

    def test_a_run_extracts_on_the_nodes_while_they_have_workers(
        self, cluster, tiny_places, tmp_path, no_extraction_here
    ):
        """Each of which gives its CPU back, as there are no more CPUs than workers."""
        places = replace(tiny_places, cache=tmp_path / "cache")
        places.cache.mkdir()
        models = ("svm-is09", "mirsamadi2017-svm-mean", "librosa-svm")
        selection = Selection(models, ("tiny",), "smoke", executor="ray", address=cluster.address)
        summary = execute(plan(selection, places), places, Observer())
        assert (summary.done, summary.failures) == (6, {})
        assert len(list(places.cache.rglob("about.json"))) == 3

    def test_ahead_of_a_run(self, cluster, tiny_places, tmp_path, no_extraction_here):
        places = replace(tiny_places, cache=tmp_path)
        where = {"executor": "ray", "address": cluster.address}
        (found,) = extract_ahead(["logmel"], ["tiny"], places, **where)
        assert (found.clips, found.refused) == (24, {})
        assert contents(tmp_path)

    def test_an_empty_cache_of_a_node_is_told(self, cluster, tiny_places, tmp_path, monkeypatch):
        """Emptied here between extraction and jobs, which to a node is the same."""
        places = replace(tiny_places, cache=tmp_path / "cache")
        places.cache.mkdir()
        opened = Store.open

        def emptied(store, *given):
            for shelf in places.cache.glob("*-v*"):
                shutil.rmtree(shelf)
            return opened(store, *given)

        monkeypatch.setattr(Store, "open", emptied)
        selection = Selection(
            ("svm-is09",), ("tiny",), "smoke", executor="ray", address=cluster.address
        )
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"tiny: expected is09 of 24 clips.*\(on .*Ray node"):
            execute(plan(selection, places), places)
        assert time.monotonic() - began > caching._PATIENCE_SECONDS


def foreign_later(task: int):
    return foreign(task, ()) if task else [task]


def crash_later(task: int):
    return crash(task) if task else [task]


def foreign_task(task: int):
    return foreign(task, ())
