"""How long clips last: kept beside an experiment, shown where it is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import stored
from sites import Page

from emobench import leaderboard, runs
from emobench.analysis import speaker_scores
from emobench.corpora import load, load_registry
from emobench.costs import effort, precedents
from emobench.experiments import durations
from emobench.models import get
from emobench.report.evidence import Evidence
from emobench.report.site import contents
from emobench.results.gathering import COLUMNS
from emobench.runs import Selection
from emobench.runs.preparing import prepare
from emobench.store import Store


@pytest.mark.parametrize("longest", [0.05, 0.4, 1.0, 3.97, 17.0, 60.0, 4_000.0])
def test_a_histogram_is_that_of_numpy(longest):
    lasting = np.random.default_rng(0).uniform(0, longest, 500)
    lasting[0] = longest
    found = durations.histogram(np.append(lasting, np.nan))
    edges = found.width * np.arange(len(found.counts) + 1)
    wanted, _ = np.histogram(lasting, edges)
    assert list(found.counts) == wanted.tolist()
    assert found.clips == sum(found.counts) == 500
    assert found.mean == pytest.approx(lasting.mean())
    assert 3 < len(found.counts) <= 21
    assert durations.stored({durations.KEY: json.loads(json.dumps(found.plain))}).counts == (
        found.counts
    )


def test_unknown_durations_are_none():
    assert durations.histogram(np.array([np.nan, np.nan])) is None


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        [],
        {"clips": 2, "seconds": 3.0, "width": 0.5},
        {"clips": 3, "seconds": 3.0, "width": 0.5, "counts": [1, 1]},
        {"clips": 2, "seconds": 3.0, "width": 0, "counts": [1, 1]},
        {"clips": 0, "seconds": 0.0, "width": 1, "counts": [3, -3]},
        {"clips": 2, "seconds": "x", "width": 1, "counts": [1, 1]},
        {"clips": 2, "seconds": 3.0, "width": 1, "counts": "ab"},
    ],
)
def test_nonsense_is_as_good_as_nothing(told):
    assert durations.stored({durations.KEY: told}) is None


def test_they_are_kept_beside_an_experiment_and_move_no_fingerprint(tiny_places):
    registry = load_registry(tiny_places.datasets)
    planned = runs.plan(Selection("svm-is09", "tiny", "smoke"), tiny_places)
    [(corpus, [model])] = planned.pairs
    step, data = prepare(corpus, model, planned, tiny_places)
    known = runs.preparing.facts(data, runs.preparing.AS_IT_IS)
    folder = Store(tiny_places.results).open(step.experiment, known)
    told = json.loads((folder / "experiment.json").read_text())
    lasting = load(registry.get("tiny"), tiny_places.data, tiny_places.cache)["duration"]
    assert durations.stored(told).mean == pytest.approx(lasting.mean(), abs=1e-3)
    assert durations.stored(told).clips == len(lasting) == 24
    assert durations.KEY not in told["configuration"]
    assert told["fingerprint"] == step.experiment.fingerprint


def test_the_page_of_a_corpus_shows_them_where_they_are_kept(tmp_path):
    registry = load_registry()
    lasting = durations.histogram(np.array([0.4, 1.3, 1.3, 2.9]))
    for corpus, more in (("emo-db", {durations.KEY: lasting.plain}), ("ravdess", {})):
        made = stored.experiment(corpus, "svm-is09", "losgo", n_folds=2)
        stored.Filled(tmp_path).run(made)
        folder = Store(tmp_path).folder(made)
        (folder / "experiment.json").unlink()
        Store(tmp_path).open(made, {"labels": stored.LABELS, "n_clips": 40, **more})
    boards = leaderboard.build_all(
        tmp_path,
        partial=True,
        columns=(*COLUMNS, *speaker_scores.COLUMNS),
        registry=registry,
        current=stored.current,
    )
    files = dict(contents(Evidence(tmp_path, registry, tuple(boards), (), ())))
    for corpus in ("emo-db", "ravdess"):
        (tmp_path / f"{corpus}.html").write_bytes(files[f"corpora/{corpus}.html"])
    page = Page(tmp_path / "emo-db.html")
    lines = page.table("Clips by duration")[1:]
    assert sum(int(line[2]) for line in lines) == 4
    assert [line[0] for line in lines if line[2] == "2"] == ["1.2–1.4 s"]
    assert "5.9 s in 4 clips whose duration is known, 1.5 s on average" in page.words()
    assert "Clips by duration" not in Page(tmp_path / "ravdess.html").words()


def test_an_estimate_from_another_corpus_goes_by_its_durations(tmp_path):
    """Clips twice as long: the same seconds are of twice the effort."""
    found = {}
    for seconds in (2.0, 4.0):
        results = tmp_path / str(seconds)
        configured = {"model": {"config": {"epochs": 5}}, "protocol": {}}
        made = stored.experiment("emo-db", "latif2019", "losgo", n_folds=1)
        made = replace(made, configuration=configured)
        lasting = durations.histogram(np.full(20, seconds))
        Store(results).open(made, {"labels": stored.LABELS, durations.KEY: lasting.plain})
        table = stored.predictions()
        record = {"seconds": 60.0, "n_training": 20, "n_test": 20, "device": "cpu", "threads": 1}
        Store(results).add(made, stored.FIRST, record, table)
        [found[seconds]] = precedents.read(
            [results],
            get("latif2019"),
            backend="tensorflow",
            device="cpu",
            threads=1,
            duration=lambda corpus: 3.0,
        ).every
    rows = {seconds: effort.rows(get("latif2019"), seconds) for seconds in found}
    assert rows[4.0] == 2 * rows[2.0]
    wanted = effort.effort(get("latif2019"), 20, rows[4.0], 1, 5)
    assert found[4.0].effort == pytest.approx(wanted)
    assert found[4.0].effort > 1.5 * found[2.0].effort
