"""What pages need beyond the tables, against NumPy, SciPy and scikit-learn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import stored
from scipy import stats
from sklearn.metrics import recall_score

from emobench import metrics
from emobench.analysis import attention_profile
from emobench.analysis.calibration import BINS, calibration
from emobench.analysis.class_recalls import class_recalls
from emobench.analysis.hard_clips import hard_clips, said_of
from emobench.results.result import Result
from emobench.spec import Job
from emobench.store import Store, read_experiments

LABELS = stored.LABELS


def tables(n_folds: int = 5, skill: float = 0.6, seed: int = 0) -> pd.DataFrame:
    return pd.concat(
        [stored.predictions(Job(fold), skill=skill, seed=seed) for fold in range(n_folds)]
    )


def result(table: pd.DataFrame) -> SimpleNamespace:
    """Return what the functions ask of a result."""
    return SimpleNamespace(
        predictions=table, labels=LABELS, scores=metrics.summarise(table, LABELS)
    )


def test_calibration_agrees_with_a_loop_over_bins():
    table = tables()
    found = calibration(table, LABELS)
    expected, every = 0.0, []
    for place in range(BINS):
        inside = [
            (row[f"p_{row['predicted']}"], row["label"] == row["predicted"])
            for _, row in table.iterrows()
            if place / BINS < row[f"p_{row['predicted']}"] <= (place + 1) / BINS
        ]
        every.append(len(inside))
        if inside:
            confidence, right = np.mean(inside, axis=0)
            assert found.bins[place].confidence == pytest.approx(confidence)
            assert found.bins[place].accuracy == pytest.approx(right)
            expected += len(inside) / len(table) * abs(confidence - right)
    assert [one.predictions for one in found.bins] == every
    assert sum(every) == len(table)
    assert found.ece == pytest.approx(expected)


def test_certain_and_right_is_perfectly_calibrated():
    table = pd.DataFrame(
        {"label": ["a", "b"], "predicted": ["a", "b"], "p_a": [1.0, 0.0], "p_b": [0.0, 1.0]}
    )
    assert calibration(table, ["a", "b"]).ece == 0


def test_no_calibration_without_every_probability():
    table = tables().drop(columns="p_anger")
    assert calibration(table, LABELS) is None
    assert calibration(tables().assign(p_anger=np.nan), LABELS) is None


def test_recalls_agree_with_scikit_learn_and_scipy():
    table = tables(n_folds=6)
    found = class_recalls(result(table))
    expected = recall_score(table["label"], table["predicted"], labels=LABELS, average=None)
    assert [one.recall for one in found] == pytest.approx(list(expected))
    for one in found:
        own = table[table["label"] == one.label]
        each = [(rows["label"] == rows["predicted"]).mean() for _, rows in own.groupby("speaker")]
        low, high = stats.t.interval(0.95, len(each) - 1, np.mean(each), stats.sem(each))
        assert (one.interval.low, one.interval.high) == pytest.approx((max(low, 0), min(high, 1)))
        assert (one.speakers, one.clips) == (6, len(own))


def test_no_interval_of_few_speakers():
    assert {one.interval for one in class_recalls(result(tables(n_folds=3)))} == {None}


def test_clips_are_hard_if_most_models_get_them_wrong():
    def said(**labels: str) -> SimpleNamespace:
        rows = [
            {
                "id": clip,
                "label": "anger",
                "predicted": label,
                "speaker": "s",
                "fold": 0,
                "repetition": 1,
            }
            for clip, label in labels.items()
        ]
        return SimpleNamespace(predictions=pd.DataFrame(rows))

    models = [
        said(a="neutral", b="neutral", c="anger"),
        said(a="neutral", b="anger", c="anger"),
        said(a="sadness", b="sadness", c="anger"),
        said(a="neutral", b="anger"),
    ]
    (found,) = hard_clips(models)
    assert (found.clip, found.taken_for, found.wrong, found.models) == ("a", "neutral", 4, 4)
    assert said_of(models[2], "a") == "sadness"
    assert said_of(models[3], "c") == ""


def test_half_of_the_repetitions_make_a_model_wrong():
    rows = [
        {
            "id": "a",
            "label": "anger",
            "predicted": label,
            "speaker": None,
            "fold": 0,
            "repetition": number,
        }
        for number, label in enumerate(["anger", "neutral"], start=1)
    ]
    (found,) = hard_clips([SimpleNamespace(predictions=pd.DataFrame(rows))])
    assert (found.wrong, found.speaker) == (1, "")


def test_attention_is_shared_out_by_time(tmp_path):
    store, made = Store(tmp_path), stored.experiment(n_folds=1)
    folder = store.open(made, {"labels": LABELS})
    table = stored.predictions(n_clips=3)
    ids = list(table["id"])
    halves = np.repeat([0.0, 1 / 30], 30).astype(np.float32)
    weights = {ids[0]: np.full(40, 1 / 40, np.float32), ids[1]: halves, ids[2]: np.ones(3) / 3}
    record = {"scores": metrics.score(table, LABELS)}
    store.add(made, Job(0), record, table, attention=weights)
    (one,) = read_experiments(tmp_path)
    found = attention_profile.profile(Result(one))
    assert folder == one.folder
    assert found.clips == 2, "a clip of three rows has no twenty parts"
    assert found.mean == pytest.approx([0.5] * 10 + [1.5] * 10, abs=1e-5)


def test_there_is_no_profile_without_weights(tmp_path):
    stored.Filled(tmp_path).run(stored.experiment(n_folds=1))
    (one,) = read_experiments(tmp_path)
    assert attention_profile.profile(Result(one)) is None
