from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from emobench import metric_table, metrics, protocols

LABELS = ["anger", "boredom", "fear", "neutral", "sadness"]
pairs = st.lists(
    st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40
)


@settings(deadline=None, max_examples=60)
@given(pairs)
def test_scores_are_scikit_learns_also_for_absent_classes(clips):
    truth, predicted = (list(side) for side in zip(*clips, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        balanced = reference.balanced_accuracy_score(truth, predicted)
    assert metrics.uar(truth, predicted) == balanced
    assert metrics.accuracy(truth, predicted) == reference.accuracy_score(truth, predicted)
    f1 = reference.f1_score(truth, predicted, average="macro", zero_division=0)
    assert metrics.macro_f1(truth, predicted) == pytest.approx(f1)
    precision = reference.precision_score(truth, predicted, average="weighted", zero_division=0)
    assert metrics.wap(truth, predicted) == pytest.approx(precision)
    matrix = reference.confusion_matrix(truth, predicted, labels=LABELS)
    np.testing.assert_array_equal(metrics.confusion(truth, predicted, LABELS), matrix)
    recall = reference.recall_score(
        truth, predicted, labels=LABELS, average=None, zero_division=np.nan
    )
    expected = {
        label: value if label in truth else None
        for label, value in zip(LABELS, recall, strict=True)
    }
    assert metrics.recalls(truth, predicted, LABELS) == expected


def test_a_class_only_predicted_is_no_class_of_the_truth():
    truth, predicted = ["a", "a", "b", "b"], ["a", "c", "b", "b"]
    assert metrics.uar(truth, predicted) == 0.75
    assert metrics.macro_f1(truth, predicted) == pytest.approx((2 / 3 + 1 + 0) / 3)


@settings(deadline=None, max_examples=60)
@given(pairs)
def test_a_score_is_plain_json(clips):
    predictions = pd.DataFrame(clips, columns=["label", "predicted"])
    score = metrics.score(predictions, LABELS)
    assert json.loads(json.dumps(score, allow_nan=False)) == score
    assert np.sum(score["confusion"]) == len(clips)


def table(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["repetition", "fold", "label", "predicted"])


def test_a_summary_averages_folds_then_repetitions():
    predictions = table(
        [
            (1, 0, "a", "a"), (1, 0, "b", "b"), (1, 0, "b", "a"),  # 0.75
            (1, 1, "a", "b"), (1, 1, "a", "a"),  # 0.5: no b in the truth
            (2, 0, "a", "a"), (2, 0, "b", "b"), (2, 0, "b", "b"),  # 1.0
            (2, 1, "a", "b"), (2, 1, "a", "b"),  # 0.0
        ]
    )  # fmt: skip
    summary = metrics.summarise(predictions, ["a", "b"])
    assert summary["uar_repetitions"] == [0.625, 0.5]
    assert summary["uar"] == 0.5625
    assert summary["uar_sd"] == pytest.approx(np.std([0.625, 0.5], ddof=1))
    assert summary["uar_pooled"] == pytest.approx(((2 / 3 + 1 / 2) / 2 + (1 / 3 + 1) / 2) / 2)
    assert summary["wa"] == pytest.approx(0.6)
    assert summary["recall"] == {"a": 0.5, "b": 0.75}
    assert summary["confusion"] == [[3, 3], [1, 3]]
    assert (summary["repetitions"], summary["clips"]) == (2, 5)


@settings(deadline=None, max_examples=60)
@given(pairs, st.randoms(use_true_random=False))
def test_row_order_changes_no_figure(clips, random):
    rows = [(1 + n % 2, n % 3, *clip) for n, clip in enumerate(clips)]
    shuffled = random.sample(rows, len(rows))
    assert metrics.summarise(table(rows)) == metrics.summarise(table(shuffled))


def test_one_repetition_has_no_deviation():
    assert metrics.summarise(table([(1, 0, "a", "a")]))["uar_sd"] is None


def test_the_table_of_metrics_is_what_a_summary_holds():
    summary = metrics.summarise(table([(1, 0, "a", "a"), (2, 0, "a", "a")]))
    figures = {key for key, value in summary.items() if isinstance(value, float)}
    known = {key for one in metric_table.METRICS for key in (one.key, one.deviation) if key}
    assert figures == known == {"uar", "uar_sd", "uar_pooled", "wa", "macro_f1", "wap"}
    assert set(metric_table.SCORES) == set(metrics.scores(np.eye(2)))
    headlines = {protocols.get(name).headline for name in protocols.names()}
    assert headlines <= {one.name for one in metric_table.PUBLISHED}


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"expected to cover every label, found also \['z'\]"):
        metrics.confusion(["a"], ["z"], ["a", "b"])
    with pytest.raises(ValueError, match="predicted: expected 2 labels, found 1"):
        metrics.confusion(["a", "a"], ["a"], ["a"])
    with pytest.raises(ValueError, match="expected at least one clip, found none"):
        metrics.uar([], [])
    with pytest.raises(ValueError, match="expected at least one row, found none"):
        metrics.summarise(table([]))


def test_counts_of_each_fold_are_scikit_learns():
    random = np.random.default_rng(5)
    labels = ["a", "b", "c"]
    table = pd.DataFrame(
        {
            "fold": random.integers(0, 3, 200) * 2,
            "repetition": random.integers(1, 3, 200),
            "label": random.choice(labels, 200),
            "predicted": random.choice(labels, 200),
        }
    )
    table = table[(table["fold"] != 4) | (table["repetition"] != 2)]
    found = metrics.confusions(table, labels)
    parts = dict(list(table.groupby(["repetition", "fold"])))
    assert set(found) == set(parts)
    for key, part in parts.items():
        expected = reference.confusion_matrix(part["label"], part["predicted"], labels=labels)
        np.testing.assert_array_equal(found[key], expected)
    with pytest.raises(ValueError, match=r"found also \['c'\]"):
        metrics.confusions(table, ["a", "b"])
