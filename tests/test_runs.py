"""A run from names to records: interrupted, repeated, and broken in every way a user can."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from conftest import perform_here

import emobench
from emobench import corpora
from emobench.errors import CorpusError, SpecError, StoreError
from emobench.executors import Outcome
from emobench.experiments import configuration
from emobench.runs import Observer, Selection, current_fingerprint, execute, plan
from emobench.spec import Places
from emobench.store import read_experiments

NETWORK = "latif2019"


def select(*models, **options):
    return Selection(models, ("tiny",), **{"protocol": "smoke", **options})


def run(places, *models, **options):
    return execute(plan(select(*models, **options), places), places)


def records(results: Path) -> dict[str, bytes]:
    """Return the predictions of every job, as stored, by path."""
    return {
        str(path.relative_to(results)): path.read_bytes() for path in results.rglob("*.parquet")
    }


def command(places, *more):
    return [
        *(sys.executable, "-m", "emobench", "run", "--model", f"{NETWORK},svm-is09"),
        *("--corpus", "tiny", "--protocol", "smoke", "--data", str(places.data)),
        *("--cache", str(places.cache), "--datasets", str(places.datasets[0])),
        *more,
    ]


@pytest.fixture(scope="module")
def undisturbed(tiny_data, tiny_cache, tmp_path_factory):
    """Predictions of a run that nothing happened to."""
    places = Places(
        tmp_path_factory.mktemp("undisturbed"),
        tiny_cache,
        tiny_data,
        (tiny_data / "datasets.yaml",),
    )
    summary = run(places, NETWORK, "svm-is09")
    assert summary.failures == {}
    return records(places.results)


def test_a_run_files_every_fold(undisturbed):
    assert sorted(Path(name).stem for name in undisturbed) == 2 * ["fold-00-repetition-1"] + 2 * [
        "fold-01-repetition-1"
    ]


def test_two_workers_give_the_same_bits(undisturbed, tiny_places):
    run(tiny_places, NETWORK, "svm-is09", jobs=2)
    assert records(tiny_places.results) == undisturbed


def test_a_second_run_computes_nothing(tiny_places):
    first = run(tiny_places, "svm-is09")
    stamps = {path: path.stat().st_mtime_ns for path in tiny_places.results.rglob("*")}
    second = run(tiny_places, "svm-is09")
    assert (first.done, first.kept, second.done, second.kept) == (2, 0, 0, 2)
    assert stamps == {path: path.stat().st_mtime_ns for path in tiny_places.results.rglob("*")}


@pytest.mark.parametrize("delay", [pytest.param(0.0, marks=pytest.mark.slow), 1.5])
def test_killed_at_any_moment_the_same_command_goes_on(undisturbed, tiny_places, tmp_path, delay):
    results = tmp_path / "results"
    started = subprocess.Popen(
        command(tiny_places, "--results", str(results)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(results.rglob("fold-*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(delay)
    workers = psutil.Process(started.pid).children(recursive=True)
    started.kill()
    started.wait()
    psutil.wait_procs(workers, timeout=20)
    assert not [process for process in workers if process.is_running()], "a worker outlived the run"
    done = {path: path.stat().st_mtime_ns for path in results.rglob("fold-*.json")}
    assert done

    again = subprocess.run(
        command(tiny_places, "--results", str(results)), capture_output=True, text=True, check=True
    )
    assert records(results) == undisturbed
    assert {path: path.stat().st_mtime_ns for path in done} == done, "a finished job ran again"
    assert f"{4 - len(done)} jobs done, {len(done)} were there already" in again.stdout


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX")
def test_a_network_is_trained_by_jax_twice_with_the_same_bits(tiny_places, tmp_path):
    first = run(tiny_places, NETWORK, backend="jax", folds=(0,))
    assert first.failures == {}
    again = replace(tiny_places, results=tmp_path / "again")
    run(again, NETWORK, backend="jax", folds=(0,))
    assert records(again.results) == records(tiny_places.results)
    (path,) = tiny_places.results.rglob("fold-*.json")
    assert json.loads(path.read_text())["keras_backend"] == "jax"


def test_an_interrupt_finishes_what_is_running(tiny_places, tmp_path):
    results = tmp_path / "results"
    started = subprocess.Popen(
        command(tiny_places, "--results", str(results), "--epochs", "40"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(results.rglob("experiment.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(3)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=120)
    assert started.returncode == 130
    assert "finishing the jobs that are running" in errors
    assert "Traceback" not in errors
    assert len(list(results.rglob("fold-*-repetition-1.json"))) in (1, 2, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("group", [False, True], ids=["parent", "group"])
def test_an_order_to_end_drops_what_is_running(tiny_places, tmp_path, name, group):
    results, number = tmp_path / "results", getattr(signal, name)
    with ended_at_last(
        command(tiny_places, "--results", str(results), "--epochs", "4000"),
        # Tests that are started by nohup would hand down that they ignore it.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    ) as started:
        deadline = time.monotonic() + 120
        while not list(results.rglob("experiment.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(2)
        workers = psutil.Process(started.pid).children(recursive=True)
        assert workers
        (os.killpg if group else os.kill)(started.pid, number)
        _, errors = started.communicate(timeout=30)
    assert started.returncode == 128 + number
    assert f"ended by {name}" in errors
    assert "give the same command to go on" in errors
    assert "Traceback" not in errors
    assert "leaked" not in errors
    assert "dropped" in errors
    assert psutil.wait_procs(workers, timeout=20)[1] == []


@contextlib.contextmanager
def ended_at_last(command, **more):
    """Start a command in a session of its own, and leave none of its processes behind."""
    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **more,
    )
    with started:
        try:
            yield started
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_who_is_started_by_nohup_outlives_its_terminal(tiny_places, tmp_path):
    results = tmp_path / "results"
    started = subprocess.Popen(
        ["nohup", *command(tiny_places, "--results", str(results), "--folds", "0")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(results.rglob("experiment.json")) and started.poll() is None:
        time.sleep(0.02)
    started.send_signal(signal.SIGHUP)
    printed, _ = started.communicate(timeout=120)
    assert started.returncode == 0
    assert "2 jobs done" in printed


def test_a_killed_worker_costs_its_job_a_second_try(undisturbed, tiny_places):
    killed = []

    def kill_once(event):
        if event.kind == "epoch" and not killed:
            workers = psutil.Process().children(recursive=True)
            killed.extend(p for p in workers if "executors.worker" in " ".join(p.cmdline()))
            for process in killed:
                os.kill(process.pid, signal.SIGKILL)

    kinds = []

    def listener(event):
        kinds.append(event.kind)
        kill_once(event)

    planned = plan(select(NETWORK, "svm-is09"), tiny_places)
    summary = execute(planned, tiny_places, Observer(listener))
    assert killed
    assert "retried" in kinds
    assert summary.failures == {}
    assert records(tiny_places.results) == undisturbed


def test_a_failure_is_a_record_and_is_tried_again(tiny_places, monkeypatch):
    def broken(work):
        return Outcome(None, "no luck")

    with monkeypatch.context() as patch:
        perform_here(patch, broken)
        summary = run(tiny_places, "svm-is09")
    assert set(summary.failures.values()) == {"no luck"}
    assert len(list(tiny_places.results.rglob("*.failure.json"))) == 2
    assert run(tiny_places, "svm-is09").done == 2
    assert list(tiny_places.results.rglob("*.failure.json")) == []


@pytest.mark.slow
def test_a_worker_serves_one_backend_only(tiny_places):
    """An SVM first, so that the first worker was started for another backend than the network's."""
    summary = run(tiny_places, "svm-is09", NETWORK, backend="jax", jobs=2, folds=(0,))
    assert summary.failures == {}
    (path,) = tiny_places.results.rglob(f"{NETWORK}/*/fold-*.json")
    assert json.loads(path.read_text())["keras_backend"] == "jax"


def test_a_failed_tuning_stops_its_own_experiment_only(tiny_places, monkeypatch):
    def broken(work):
        if work.job.fold is None:
            return Outcome(None, "no luck")
        return Outcome({})

    perform_here(monkeypatch, broken)
    summary = run(tiny_places, "svm-is09", NETWORK, protocol="keesing2020", repetitions=1)
    assert summary.failures == {"tiny svm-is09 tuning": "no luck"}
    assert summary.done == 4


def test_doubts_about_a_result_are_told_at_the_end(tiny_places, monkeypatch):
    record = {"warnings": ["by running statistics …"]}
    perform_here(monkeypatch, lambda work: Outcome(record if work.job.fold else {"scores": None}))
    summary = run(tiny_places, "svm-is09")
    assert summary.warnings == {"tiny svm-is09 fold-01-repetition-1": ["by running statistics …"]}


def calling(places, cache: Path) -> str:
    """Python that runs two jobs in two processes, with features to be extracted in two as well."""
    return (
        "import emobench\n"
        f"summary = emobench.run('svm-is09', 'tiny', 'smoke', data={str(places.data)!r}, jobs=2, "
        f"results={str(places.results)!r}, cache={str(cache)!r}, "
        f"datasets=[{str(places.datasets[0])!r}])\n"
    )


def test_an_unguarded_script_can_run(tiny_places, tmp_path):
    """Neither workers nor processes that extract import the script that started them."""
    path = tmp_path / "script.py"
    path.write_text(f"print('once')\n{calling(tiny_places, tmp_path / 'cache')}print(summary.done)")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["once", "2"]


NOTEBOOK = """
import asyncio, io, sys
answers, sys.stdout, sys.stderr = sys.stdout, io.StringIO(), io.StringIO()

async def cell():
    exec(compile({code!r}, "<cell>", "exec"), globals())

asyncio.run(cell())
main = sys.modules["__main__"]
print(sys.stderr.getvalue(), hasattr(main, "__file__"), summary.done, file=answers)
"""


def test_a_notebook_can_run(tiny_places, tmp_path):
    """A kernel's main module has no file, an event loop is running, and output is no file."""
    code = NOTEBOOK.format(code=calling(tiny_places, tmp_path / "cache"))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "2"]


@pytest.fixture
def full_disk(tmp_path):
    """A file system of 128 KiB, where one can be made."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(path: Path) -> None:
    """Write to a file until its disk is full."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(1024)):
            pass


def test_a_full_disk_loses_nothing_finished(tiny_places, full_disk):
    places = replace(tiny_places, results=full_disk / "results")
    run(places, "svm-is09", folds=(0,))
    before = records(places.results)
    filler = full_disk / "filler"
    fill(filler)
    with pytest.raises(StoreError, match=r"found a full disk.*[Rr]un the same command again"):
        run(places, "svm-is09")
    assert records(places.results) == before
    filler.unlink()
    assert run(places, "svm-is09").done == 1
    assert before.items() < records(places.results).items()


def test_a_protocol_that_tunes_on_its_folds_files_the_tuning_first(tiny_places):
    summary = run(tiny_places, "svm-is09", protocol="keesing2020")
    assert summary.failures == {}
    assert summary.done == 5
    assert [path.stem for path in tiny_places.results.rglob("tuning.json")] == ["tuning"]


def test_a_nested_protocol_stores_its_grid(tiny_places):
    run(tiny_places, "svm-is09", protocol="losgo")
    for path in tiny_places.results.rglob("fold-*.json"):
        record = json.loads(path.read_text())
        assert len(record["grid"]) == 42
        assert record["tuned_on"].startswith("training folds")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"model": ("latif",)},
            "--model: expected the name of a model, found 'latif'.*`emobench models`",
        ),
        ({"corpus": ("tinny",)}, "'tinny'.* Did you mean 'tiny'"),
        ({"protocol": "losg"}, "--protocol: expected one of losgo.* Did you mean 'losgo'"),
        ({"backend": "theano"}, "--backend: expected one of tensorflow"),
    ],
)
def test_a_misspelt_name_is_said(tiny_places, options, message):
    selection = Selection(**{"model": ("svm-is09",), "corpus": ("tiny",), **options})
    with pytest.raises(SpecError, match=message):
        plan(selection, tiny_places)


def test_a_name_in_two_spellings_is_one(tiny_places):
    selection = Selection(("svm-is09", "SVM_IS09"), ("tiny", "Tiny"), "smoke")
    ((corpus, specs),) = plan(selection, tiny_places).pairs
    assert (corpus.name, [spec.name for spec in specs]) == ("tiny", ["svm-is09"])


def test_all_and_a_name_are_both_run(tiny_places):
    selection = Selection(("svm-is09",), ("ALL", "demo"), "smoke")
    assert [corpus.name for corpus, _ in plan(selection, tiny_places).pairs] == ["tiny", "demo"]


def test_a_backend_that_is_not_installed_is_said(tiny_places, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("emobench.features.missing_package", lambda name: None)
    with pytest.raises(SpecError, match=r"found no jax\. Run `pip install jax`"):
        plan(select(NETWORK, backend="jax"), tiny_places)


def test_the_usual_number_of_epochs_is_no_other_experiment(tiny_places):
    planned = plan(select(NETWORK, protocol="losgo"), tiny_places)
    corpus, (model,) = planned.pairs[0]
    usual = configuration(corpus, model, planned.protocol)
    assert configuration(corpus, model, planned.protocol, epochs=50) == usual


def test_clips_are_trained_in_the_order_of_their_ids(tiny_places, tmp_path):
    deeper = tmp_path / "data" / "tiny"
    for path in (tiny_places.data / "tiny").iterdir():
        folder = deeper / path.stem.rpartition("_")[2] / path.stem[:2]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, folder)
    run(tiny_places, "svm-is09")
    moved = replace(tiny_places, data=deeper.parent, results=tmp_path / "moved")
    run(moved, "svm-is09")
    assert records(moved.results) == records(tiny_places.results)


def test_a_fold_that_does_not_exist_is_said(tiny_places):
    with pytest.raises(SpecError, match="--folds: expected numbers from 0 to 1 for tiny, found 7"):
        run(tiny_places, "svm-is09", folds=(7,))


def test_no_corpus_at_all_says_what_to_do(tiny_places, tmp_path):
    places = replace(tiny_places, data=tmp_path)
    with pytest.raises(CorpusError, match="found none of the registered corpora"):
        plan(Selection(("svm-is09",), ("all",)), places)


def test_what_changes_no_result_changes_no_fingerprint(tiny_places):
    planned = plan(select(NETWORK), tiny_places)
    corpus, (model,) = planned.pairs[0]
    before = configuration(corpus, model, planned.protocol)
    idle = replace(planned.protocol, title="other words", repetitions=9, caution="!")
    assert configuration(corpus, model, idle) == before
    weights = replace(planned.protocol, weights="none")
    assert configuration(corpus, model, weights) != before
    assert configuration(corpus, model, planned.protocol, epochs=3) != before
    assert configuration(corpus, model, planned.protocol, backend="jax") != before


def test_todays_fingerprint_of_a_stored_experiment(tiny_places):
    run(tiny_places, "svm-is09")
    (stored,) = read_experiments(tiny_places.results)
    registry = corpora.load_registry(tiny_places.datasets)
    today = current_fingerprint(stored.experiment, registry)
    assert today == stored.experiment["configuration_fingerprint"]
    assert current_fingerprint({**stored.experiment, "corpus": "gone"}, registry) is None


def test_the_python_interface(tiny_places):
    summary = emobench.run(
        "svm-is09",
        "tiny",
        "smoke",
        data=tiny_places.data,
        results=tiny_places.results,
        cache=tiny_places.cache,
        datasets=tiny_places.datasets,
        threads=2,
        device="cpu",
    )
    assert summary.done == 2
    for path in tiny_places.results.rglob("fold-*.json"):
        assert json.loads(path.read_text())["threads"] == 2
    table = emobench.read_results(tiny_places.results)
    assert list(table.columns[:10]) == [
        *("protocol", "corpus", "model", "fingerprint", "fold"),
        *("repetition", "id", "speaker", "label", "predicted"),
    ]
    assert len(table) == 12
    clips = emobench.load_corpus("tiny", tiny_places.data, datasets=tiny_places.datasets)
    assert set(table["id"]) < set(clips.index)
