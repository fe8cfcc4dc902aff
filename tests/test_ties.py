"""The best of a row: bold together with all that speakers do not tell from it."""

from __future__ import annotations

import csv
import io
import json
import os
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from stored import FakeRegistry, Filled, current, experiment, result

from emobench import leaderboard, metric_table
from emobench.analysis.ties import standing
from emobench.metric_table import UAR
from emobench.results.columns import Column
from emobench.spec import Job

CLASSES = ("anger", "happiness", "neutral", "sadness")
CLIPS = 25
"""Of each class and speaker."""


def predictions(right: list[float], fold_of=lambda speaker: speaker) -> pd.DataFrame:
    """Return clips of speakers, such a share of whose clips of each class is predicted right."""
    parts = []
    for speaker, share in enumerate(right):
        truth = np.repeat(CLASSES, CLIPS)
        wrong = np.roll(truth, CLIPS)
        hit = np.tile(np.arange(CLIPS) < round(share * CLIPS), len(CLASSES))
        parts.append(
            pd.DataFrame(
                {
                    "id": [f"s{speaker}-{number:03d}" for number in range(len(truth))],
                    "label": truth,
                    "predicted": np.where(hit, truth, wrong),
                    "speaker": f"s{speaker}",
                    "group": f"g{fold_of(speaker)}",
                    "fold": fold_of(speaker),
                    "repetition": 1,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


GOOD = [0.84, 0.72, 0.92, 0.6, 0.8, 0.68]
ALIKE = [0.8, 0.76, 0.88, 0.64, 0.72, 0.68]
"""As good: better for some speakers, worse for others."""
WORSE = [value - 0.4 for value in GOOD[:3]] + [value - 0.32 for value in GOOD[3:]]


def best(**right: list[float]) -> set[str]:
    found = standing([result(predictions(own), name) for name, own in right.items()], UAR)
    return {column.name for column in found.best}


def test_two_equal_models_are_both_the_best_and_a_worse_one_is_not():
    assert best(zhao2019=GOOD, latif2019=GOOD, zhang2019=WORSE) == {"zhao2019", "latif2019"}
    assert best(zhao2019=GOOD, latif2019=ALIKE, zhang2019=WORSE) == {"zhao2019", "latif2019"}
    assert best(zhao2019=WORSE) == {"zhao2019"}
    assert best() == set()


def test_p_is_scipy_s_with_holm_s_correction():
    held = {"zhao2019": GOOD, "latif2019": ALIKE, "zhang2019": WORSE}
    found = standing([result(predictions(own), name) for name, own in held.items()], UAR)
    raw = {name: stats.ttest_rel(GOOD, held[name]).pvalue for name in ("latif2019", "zhang2019")}
    assert raw["zhang2019"] < raw["latif2019"]
    assert found.p == pytest.approx(
        {
            Column("latif2019"): max(raw["latif2019"], 2 * raw["zhang2019"]),
            Column("zhang2019"): 2 * raw["zhang2019"],
        }
    )


def test_many_models_need_more_to_be_told_apart():
    """What one comparison tells, ten do not: some would seem to differ by chance."""
    slightly = [
        value - drop for value, drop in zip(GOOD, [0.08, 0.0, 0.08, 0.04, 0.04, 0.04], strict=True)
    ]
    p = stats.ttest_rel(GOOD, slightly).pvalue
    assert 0.05 / 10 < p < 0.05
    assert best(zhao2019=GOOD, latif2019=slightly) == {"zhao2019"}
    others = {f"mine-{number}": ALIKE for number in range(9)}
    assert "latif2019" in best(zhao2019=GOOD, latif2019=slightly, **others)


def test_too_few_speakers_tell_nothing_apart():
    everyone = {"zhao2019", "zhang2019"}
    assert best(zhao2019=GOOD[:3], zhang2019=WORSE[:3]) == everyone
    assert best(zhao2019=GOOD[:4], zhang2019=WORSE[:4]) == {"zhao2019"}


def test_a_worse_mean_over_folds_may_be_no_worse_over_speakers():
    """Only what speakers tell to be worse is: here they tell the lower figure to be the better."""
    groups = [0, 0, 0, 0, 0, 0, 1]
    first = predictions([0.6] * 5 + [0.64, 1.0], groups.__getitem__)
    second = predictions([0.68] * 5 + [0.72, 0.8], groups.__getitem__)
    held = [result(first, "zhao2019"), result(second, "latif2019")]
    assert held[0].scores["uar"] > held[1].scores["uar"]
    assert {column.name for column in standing(held, UAR).best} == {"zhao2019", "latif2019"}


def test_what_may_not_be_compared_takes_no_part():
    held = [
        result(predictions(GOOD), "zhao2019", protocol="keesing2020"),
        result(predictions(WORSE), "zhang2019"),
    ]
    assert standing(held, UAR).best == {Column("zhang2019")}


def test_each_metric_has_its_own_best():
    """One model is right on the two common classes, the other evenly."""
    truth = ["anger"] * 40 + ["neutral"] * 40 + ["happiness"] * 5 + ["sadness"] * 5
    parts = {"zhao2019": [], "latif2019": []}
    for speaker in range(6):
        common = [label if label in ("anger", "neutral") else "anger" for label in truth]
        evenly = [
            label if place % 10 < 7 - speaker % 2 else "sadness" if label != "sadness" else "anger"
            for place, label in enumerate(truth)
        ]
        for name, predicted in (("zhao2019", common), ("latif2019", evenly)):
            parts[name].append(
                pd.DataFrame(
                    {
                        "id": [f"s{speaker}-{number}" for number in range(len(truth))],
                        **{"label": truth, "predicted": predicted, "speaker": f"s{speaker}"},
                        **{"group": None, "fold": speaker, "repetition": 1},
                    }
                )
            )
    held = [result(pd.concat(own), name) for name, own in parts.items()]
    assert standing(held, UAR).best == {Column("latif2019")}
    assert standing(held, metric_table.get("wa")).best == {Column("zhao2019")}


@pytest.fixture
def filled(tmp_path, monkeypatch) -> Filled:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    (tmp_path / "results").mkdir()
    return Filled(tmp_path / "results")


def store(filled: Filled, model: str, right: list[float]) -> None:
    made = experiment("ravdess", model, "losgo", n_folds=len(right))
    filled.store.open(made, {"labels": CLASSES, "n_clips": 100 * len(right)})
    table = predictions(right).assign(**{f"p_{label}": 0.25 for label in CLASSES})
    for fold, part in table.groupby("fold"):
        filled.store.add(made, Job(fold), {}, part.drop(columns=["fold", "repetition"]))


def test_intervals_and_ties_are_in_every_format(filled):
    right = {"latif2019": GOOD, "zhang2019": ALIKE, "zhao2019": WORSE}
    for model, own in right.items():
        store(filled, model, own)
    (board,) = leaderboard.build_all(filled.results, current=current, registry=FakeRegistry())
    shown = {}
    for model, own in right.items():
        low, high = stats.ttest_1samp(own, 0).confidence_interval(0.95)
        shown[model] = f"{100 * np.mean(own):.1f}", f"[{100 * low:.1f}, {100 * high:.1f}]"
    text = leaderboard.render(board, "markdown")
    for model, (figure, held) in shown.items():
        bold = f"**{figure}**" if model != "zhao2019" else figure
        assert f"| {bold} {held} (" in text
    assert "not told from it (paired t-test over speakers, p of 0.05 or more" in text
    assert "over repetitions [95 % interval over speakers];" in text
    table = leaderboard.render(board)
    line = next(line for line in table.splitlines() if line.startswith("RAVDESS"))
    assert re.findall(r"\*[\d.]+", line) == [f"*{shown[m][0]}" for m in ("latif2019", "zhang2019")]
    below = table.splitlines()[table.splitlines().index(line) + 1]
    assert re.findall(r"\[.*?\]", below) == [held for _, held in shown.values()]
    (row,) = json.loads(leaderboard.render(board, "json"))["leaderboards"][0]["rows"]
    assert row["best"] == ["latif2019", "zhang2019"]
    lines = list(csv.DictReader(io.StringIO(leaderboard.render(board, "csv"))))
    assert [one["best"] for one in lines] == ["true", "true", "false"]
    for one in lines:
        own = right[one["model"]]
        ends = 100 * np.array(stats.ttest_1samp(own, 0).confidence_interval(0.95))
        assert [float(one["uar_low"]), float(one["uar_high"])] == pytest.approx(ends, abs=1e-4)
        assert float(one["uar_mean_over_speakers"]) == pytest.approx(100 * np.mean(own))
        assert float(one["uar_sd_over_speakers"]) == pytest.approx(
            100 * np.std(own, ddof=1), abs=1e-4
        )
        assert one["speakers"] == "6"
        assert row["results"][one["model"]]["uar_low"] == float(one["uar_low"])
    assert lines[0]["p_best"] == ""
    assert float(lines[2]["p_best"]) == pytest.approx(
        2 * stats.ttest_rel(GOOD, WORSE).pvalue, rel=1e-3
    )
