"""Which jobs of a run are trained at once, and that nothing comes of it but time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emobench import corpora, models
from emobench.cli import main
from emobench.errors import EmobenchError, SpecError
from emobench.executors import Card, Devices, Local
from emobench.runs import Selection, execute, plan
from emobench.runs.handing_out import Handout, Step, sizes_of_groups
from emobench.runs.preparing import prepare
from emobench.spec import Experiment, Job, Places
from emobench.store import Store, read_experiments
from emobench.training import jobs, network_fold

MODEL = "aldeneh2017-logmel40:filters=4,units=8,batch_size=8"
CARDS = (Card(0, "0"), Card(1, "1"))
NO_CARD = Devices()


def step(name: str, missing: int, model: str = "latif2019") -> Step:
    """An experiment of five folds with so many jobs to do."""
    spec = models.get(model)
    backend = "jax" if spec.kind == "network" else "scikit-learn"
    experiment = Experiment(name, model, "losgo", backend, {"model": model}, name, 5, 3)
    every = [Job(fold, number) for number in (1, 2, 3) for fold in range(5)]
    return Step(experiment, spec, tuple(every[len(every) - missing :]), len(every) - missing)


def groups(
    steps: list[Step], places: Places, *, devices: Devices = NO_CARD, **options
) -> list[list[tuple]]:
    """Return corpus, fold and repetition of the jobs that are trained at once, by group."""
    planned = plan(Selection(("latif2019",), ("tiny",), "losgo", **options), places)
    sizes = sizes_of_groups(planned, Local(devices=devices).networks_at_once)
    handout = Handout(places, 1, 1, sizes)
    work = [item for each in steps for item in handout.folds(each)]
    found: dict[tuple, list] = {}
    for item in work:
        found.setdefault(item.group if item.siblings else (item.group, item.job), []).append(item)
    for group in found.values():
        for item in group:
            assert {item.job, *item.siblings} == {other.job for other in group}
    assert [item for group in found.values() for item in group] == work, "not behind each other"
    return [
        [(item.experiment.corpus, item.job.fold, item.job.repetition) for item in group]
        for group in found.values()
    ]


@pytest.mark.parametrize(
    ("options", "devices", "sizes"),
    [
        ({"backend": "jax"}, Devices(), [1] * 15),
        ({"backend": "jax"}, Devices(CARDS[:1]), [15]),
        ({"backend": "jax"}, Devices(CARDS), [8, 7]),
        ({"backend": "jax"}, Devices(CARDS, workers_per_card=2), [4, 4, 4, 3]),
        ({"backend": "jax", "together": "off"}, Devices(CARDS), [1] * 15),
        ({"backend": "jax", "together": 1}, Devices(CARDS), [1] * 15),
        ({"backend": "jax", "together": 4}, Devices(), [4, 4, 4, 3]),
        ({"backend": "jax", "together": 7}, Devices(CARDS), [7, 7, 1]),
        ({"backend": "jax", "together": 99}, Devices(), [15]),
        ({"backend": "tensorflow"}, Devices(CARDS[:1]), [1] * 15),
        ({"backend": "tensorflow", "together": "off"}, Devices(CARDS[:1]), [1] * 15),
    ],
)
def test_jobs_are_grouped_as_asked_for(tiny_places, options, devices, sizes):
    found = groups([step("a", 15)], tiny_places, devices=devices, **options)
    assert list(map(len, found)) == sizes
    assert sorted(chain.from_iterable(found)) == [("a", f, n) for f in range(5) for n in (1, 2, 3)]


def test_groups_hold_jobs_of_one_experiment_that_are_still_to_be_done(tiny_places):
    steps = [step("done", 0), step("a", 3), step("done too", 0), step("b", 2)]
    found = groups(steps, tiny_places, backend="jax", devices=Devices(CARDS[:1]))
    assert found == [[("a", 2, 3), ("a", 3, 3), ("a", 4, 3)], [("b", 3, 3), ("b", 4, 3)]]


@pytest.mark.parametrize("devices", [Devices(), Devices(CARDS[:1]), Devices(CARDS)])
def test_a_run_that_is_finished_has_nothing_to_do(tiny_places, devices):
    assert groups([step("done", 0)], tiny_places, backend="jax", devices=devices) == []


def test_more_workers_than_jobs_take_one_each(tiny_places):
    devices = Devices(CARDS, workers_per_card=4)
    assert len(groups([step("a", 3)], tiny_places, backend="jax", devices=devices)) == 3


def test_estimators_are_fitted_one_by_one(tiny_places):
    found = groups([step("a", 4, "svm-is09")], tiny_places, backend="jax", together=4)
    assert list(map(len, found)) == [1] * 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"together": 3}, "--together 3: expected --backend jax.*found tensorflow"),
        ({"together": 0}, "--together: expected auto, off or a number of 1 or more, found 0"),
        ({"together": -2, "backend": "jax"}, "--together: .* found -2"),
        ({"together": "x"}, "--together: expected auto, off or a number of 1 or more, found 'x'"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_done(tiny_places, options, message):
    with pytest.raises(SpecError, match=message):
        plan(Selection(("latif2019",), ("tiny",), "smoke", **options), tiny_places)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("3",), "--together 3: expected --backend jax"),
        (("3", "--backend", "tensorflow"), "--together 3: expected --backend jax"),
        (("0",), "expected auto, off or a number of 1 or more, found 0"),
        (("x", "--backend", "jax"), "expected auto, off or a number of 1 or more, found 'x'"),
        (("³",), "expected auto, off or a number of 1 or more, found '³'"),
    ],
)
def test_the_command_line_says_it_in_one_message(tiny_places, capfd, words, message):
    with pytest.raises(SystemExit) as stop:
        main([*command(tiny_places), "--together", *words])
    printed = capfd.readouterr()
    assert stop.value.code not in (0, None)
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("expected") == 1
    assert "Traceback" not in printed.err


def command(places: Places) -> list[str]:
    return [
        *("run", "--model", MODEL, "--corpus", "tiny", "--protocol", "smoke"),
        *("--data", str(places.data), "--cache", str(places.cache)),
        *("--results", str(places.results), "--datasets", str(places.datasets[0])),
    ]


def test_jobs_that_are_done_are_not_trained_along_again(tiny_places, monkeypatch):
    """A worker that died, or had no memory for all, begins with what is left."""
    given = []

    def run(context, job, seed, report, siblings, tuned):
        given.append(siblings)
        raise EmobenchError("enough")

    registry = corpora.load_registry(tiny_places.datasets)
    planned = plan(selection(), tiny_places)
    ready, _ = prepare(registry.get("tiny"), models.get(MODEL), planned, tiny_places)
    monkeypatch.setattr(network_fold, "run", run)
    monkeypatch.setattr(Store, "done", lambda store, experiment, jobs: {Job(0), Job(1)})
    for siblings in ((Job(0), Job(1), Job(1, 2)), (Job(0), Job(1)), ()):
        with pytest.raises(EmobenchError, match="enough"):
            jobs.run(ready.experiment, Job(0, 2), tiny_places, jobs.Settings(), siblings=siblings)
    assert given == [[Job(1, 2)], [], None]


def selection(together: int | str = 4) -> Selection:
    """Two folds, twice, two epochs, on JAX and the CPU."""
    return Selection(
        (MODEL,),
        ("tiny",),
        "smoke",
        backend="jax",
        device="cpu",
        repetitions=2,
        together=together,
    )


def stored(results: Path) -> tuple[dict[tuple, dict], pd.DataFrame]:
    """Return the records by fold and repetition, and the predictions of all."""
    (found,) = read_experiments(results)
    assert not found.problems
    assert not found.failures
    known = {(record["fold"], record["repetition"]): record for record in found.records}
    order = ["repetition", "fold", "id"]
    return known, found.predictions.sort_values(order).reset_index(drop=True)


def assert_same_results(one: Path, other: Path) -> None:
    """Compare two results folders: probabilities and losses to 1e-5, and all else exactly."""
    (records, mine), (others, theirs) = stored(one), stored(other)
    assert records.keys() == others.keys() == {(fold, n) for fold in (0, 1) for n in (1, 2)}
    numbers = list(mine.select_dtypes("floating").columns)
    assert numbers
    np.testing.assert_allclose(mine[numbers], theirs[numbers], atol=1e-5)
    pd.testing.assert_frame_equal(mine.drop(columns=numbers), theirs.drop(columns=numbers))
    for job, record in records.items():
        np.testing.assert_allclose(record["loss"], others[job]["loss"], atol=1e-5)
        for key in ("scores", "seed", "epochs", "steps_per_epoch", "class_share"):
            assert record[key] == others[job][key]


@pytest.fixture(scope="module")
def alone(tiny_data, tiny_cache, tmp_path_factory) -> Places:
    """Where a run lies whose jobs were trained one by one."""
    pytest.importorskip("jax")
    results = tmp_path_factory.mktemp("alone")
    places = Places(results, tiny_cache, tiny_data, (tiny_data / "datasets.yaml",))
    summary = execute(plan(selection("off"), places), places)
    assert (summary.done, summary.failures) == (4, {})
    return places


@pytest.mark.slow
def test_folds_that_are_trained_together_are_filed_as_if_they_were_not(alone, tiny_places):
    assert execute(plan(selection(4), tiny_places), tiny_places).done == 4
    assert_same_results(tiny_places.results, alone.results)
    records, _ = stored(tiny_places.results)
    assert [record["trained_together"] for record in records.values()] == [4] * 4
    assert len({record["seconds_training"] for record in records.values()}) == 1
    apart, _ = stored(alone.results)
    assert not any("trained_together" in record for record in apart.values())
    losses = {tuple(record["loss"]) for record in records.values()}
    assert len(losses) == 4, "members are not trained apart"


KILLED = """
import json, os, signal, sys
from pathlib import Path
from emobench.runs import Observer, Selection, execute, plan
from emobench.spec import Places

def listener(event):
    if event.kind == "done":
        os.kill(os.getpid(), signal.SIGKILL)

results, cache, data, registry = map(Path, sys.argv[1:5])
places = Places(results, cache, data, (registry,))
execute(plan(Selection(**json.loads(sys.argv[5])), places), places, Observer(listener))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_run_that_is_killed_goes_on_with_what_is_left(alone, tiny_places):
    wanted = json.dumps(selection(4).__dict__)
    folders = tiny_places.results, tiny_places.cache, tiny_places.data, *tiny_places.datasets
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, folders), wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    (first,) = tiny_places.results.rglob("fold-*.json")
    before = first.read_bytes()
    summary = execute(plan(selection(4), tiny_places), tiny_places)
    assert (summary.done, summary.kept, summary.failures) == (3, 1, {})
    assert first.read_bytes() == before
    records, _ = stored(tiny_places.results)
    assert sorted(record["trained_together"] for record in records.values()) == [3, 3, 3, 4]
    assert_same_results(tiny_places.results, alone.results)
    again = execute(plan(selection(4), tiny_places), tiny_places)
    assert (again.done, again.kept) == (0, 4)
