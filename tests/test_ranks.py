"""Models over several corpora, against the worked example of Demšar (JMLR 2006) and SciPy."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats
from stored import Filled, current, experiment, predictions, result

from emobench.analysis import ranks
from emobench.cli.compare import compare as command
from emobench.cli.plot import plot
from emobench.results.columns import Column
from emobench.spec import Job

DEMSAR = [
    *((0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967)),
    *((0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931)),
    *((0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875)),
    *((1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669)),
    *((0.972, 0.981, 0.975, 0.9749), (0.957, 0.978, 0.946, 0.970)),
]
"""Table 6: AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on fourteen data sets.

The last but one is printed as 0.975 twice and ranked 2 and 3: they are rounded.
"""


def table(scores) -> ranks.ScoreTable:
    scores = np.asarray(scores, dtype=float)
    columns = tuple(Column(f"model-{number}") for number in range(scores.shape[1]))
    corpora = tuple(f"corpus-{number}" for number in range(len(scores)))
    return ranks.ScoreTable(columns, corpora, scores, ())


def test_the_example_of_demsar():
    found = ranks.ranking(table(DEMSAR))
    assert found.ranks == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=5e-4)
    assert found.critical == pytest.approx(1.25, abs=5e-3)
    assert found.p < 0.05  # Friedman's test rejects, Nemenyi's tells no two apart
    assert [len(group) for group in found.groups()] == [4]
    assert (found.p_pairs[~np.eye(4, dtype=bool)] > 0.05).all()


def test_the_statistic_is_that_of_the_mean_ranks():
    """Without ties, Friedman's statistic is 12 N / (k (k + 1)) times the spread of mean ranks."""
    scores = np.random.default_rng(0).normal(size=(9, 5)) + np.arange(5)
    found = ranks.ranking(table(scores))
    expected = 12 * 9 / (5 * 6) * (np.square(found.ranks).sum() - 5 * 36 / 4)
    assert found.statistic == pytest.approx(expected)
    assert found.p == pytest.approx(stats.chi2.sf(expected, 4))
    assert sum(found.ranks) == pytest.approx(15)
    assert found.order() == [4, 3, 2, 1, 0]


def test_the_critical_difference_is_where_p_is_the_level():
    """Quantiles of Demšar's Table 5(a), and groups as the p of each pair has them."""
    quantiles = {3: 2.343, 5: 2.728, 10: 3.164}
    for n_models, expected in quantiles.items():
        scores = np.random.default_rng(n_models).normal(size=(8, n_models))
        scores += 1.5 * np.arange(n_models)
        found = ranks.ranking(table(scores))
        unit = np.sqrt(n_models * (n_models + 1) / (6 * 8))
        assert found.critical == pytest.approx(expected * unit, abs=2e-3)
        together = {frozenset(pair) for group in found.groups() for pair in pairs(group)}
        apart = {
            frozenset({found.table.columns[one], found.table.columns[other]})
            for one in range(n_models)
            for other in range(one)
            if found.p_pairs[one, other] >= 0.05
        }
        assert together == apart


def pairs(group):
    return [(one, other) for one in group for other in group if one != other]


def test_models_that_never_differ():
    found = ranks.ranking(table(np.ones((6, 3))))
    assert (found.ranks, found.statistic, found.p) == ((2, 2, 2), 0, 1)
    assert [len(group) for group in found.groups()] == [3]


CORPORA = ("crema-d", "emo-db", "iemocap", "ravdess", "savee", "tess")


def held(corpus: str, model: str, **options):
    skill = {"zhao2019": 0.9, "latif2019": 0.7, "svm-is09": 0.5}.get(model, 0.3)
    folds = [predictions(Job(fold), skill=skill, seed=len(corpus)) for fold in range(3)]
    return result(pd.concat(folds, ignore_index=True), model, corpus=corpus, **options)


def test_only_what_all_models_share_is_ranked():
    models = ("zhao2019", "latif2019", "svm-is09")
    results = {corpus: [held(corpus, model) for model in models] for corpus in CORPORA}
    results["iemocap:paper-speakers"] = [held("iemocap", model) for model in models]
    results["tess"] = results["tess"][:2]
    results["savee"].append(held("savee", "zhang2019"))
    found = ranks.score_table(results)
    assert [column.name for column in found.columns] == ["latif2019", "zhao2019", "svm-is09"]
    assert found.corpora == CORPORA[:5]
    assert [column.name for column in found.left_out] == ["zhang2019"]
    assert found.lacking == ""
    assert found.scores[1, 0] == results["emo-db"][1].scores["uar"]


def test_what_may_not_be_compared_is_not_ranked():
    results = {corpus: [held(corpus, "zhao2019", protocol="yoon2018")] for corpus in CORPORA}
    assert ranks.score_table(results).corpora == ()


@pytest.fixture
def filled(tmp_path, monkeypatch) -> Filled:
    from emobench import runs

    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(runs, "current_fingerprint", lambda stored, registry: current(stored))
    (tmp_path / "results").mkdir()
    return Filled(tmp_path / "results")


def invoke(filled: Filled, *arguments: str) -> str:
    words = ["--all", *arguments, "--protocol", "losgo", "--results", str(filled.results)]
    done = CliRunner().invoke(command, words, standalone_mode=False)
    assert done.exception is None
    return done.output


def test_the_command_ranks_over_five_corpora(filled, tmp_path):
    names = [f"voices-{number}" for number in range(6)]
    registry = tmp_path / "voices.yaml"
    entry = "{title: V, pattern: '^(?P<speaker>a)(?P<emotion>b)$', emotions: {b: anger}}"
    registry.write_text("".join(f"{name}: {entry}\n" for name in names))
    skills = {"svm-is09": 0.9, "zhao2019": 0.6, "latif2019": 0.2}
    for seed, corpus in enumerate(names):
        for model, skill in skills.items():
            filled.run(experiment(corpus, model, "losgo", n_folds=4), skill=skill, seed=seed)
    asked = ("--datasets", str(registry))
    facts = json.loads(invoke(filled, *asked, "--json"))
    assert [one["corpus"] for one in facts["corpora"]] == names
    diagram = facts["ranks"]
    assert diagram["mean_ranks"] == {"svm-is09": 1, "zhao2019": 2, "latif2019": 3}
    expected = stats.friedmanchisquare(*np.tile([3, 2, 1], (6, 1)).T)
    assert diagram["friedman"]["p"] == pytest.approx(expected.pvalue)
    assert diagram["critical_difference"] == pytest.approx(2.343 * np.sqrt(12 / 36), abs=2e-3)
    assert diagram["not_told_apart"] == [["svm-is09", "zhao2019"], ["zhao2019", "latif2019"]]
    assert diagram["p_nemenyi"]["svm-is09"]["latif2019"] < 0.05
    assert facts["no_ranks"] is None
    text = " ".join(invoke(filled, *asked).split())
    assert f"mean ranks over 6 corpora ({', '.join(names)}): Friedman's chi-squared = 12.00" in text
    assert "not told apart: svm-is09, zhao2019 not told apart: zhao2019, latif2019" in text
    picture = tmp_path / "ranks.svg"
    where = ("--protocol", "losgo", "--results", str(filled.results), *asked)
    done = CliRunner().invoke(plot, ["ranks", *where, "--out", str(picture)], standalone_mode=False)
    assert done.exception is None
    assert "<svg" in picture.read_text()
    some = ["ranks", *where, "--corpus", names[0], "--out", str(picture)]
    done = CliRunner().invoke(plot, some, standalone_mode=False)
    assert "found 3 models on 1 corpus. Run more of them" in str(done.exception)
    few = invoke(filled, *asked, "--corpus", ",".join(names[:4]))
    assert "same models on 5 corpora or more and 3 models or more; found 3 models on 4 co" in few
    fewer = json.loads(invoke(filled, *asked, "--json", "svm-is09", "zhao2019"))
    assert fewer["ranks"] is None
    assert fewer["no_ranks"].endswith("found 2 models on 6 corpora")
