"""What an estimator's search is given: the input as each inner fold alone would know it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import feature_set
from sklearn.preprocessing import StandardScaler

from emobench import features, folds, models, protocols
from emobench.experiments.dataset import Dataset
from emobench.experiments.inputs import AudioInput, Side
from emobench.spec import Job
from emobench.training import estimator_fold

SPEAKERS, CLASSES = 5, ("anger", "fear", "sadness")


def data_set(scaling: str, values: np.ndarray) -> Dataset:
    """Return clips of one row each, six a speaker."""
    rows = [
        (f"s{speaker}-{clip}", f"s{speaker}", CLASSES[clip % 3])
        for speaker in range(SPEAKERS)
        for clip in range(6)
    ]
    table = pd.DataFrame(rows, columns=["id", "speaker", "label"]).set_index("id")
    table = table.assign(group=table["speaker"], emotion=table["label"], sex=None, sentence=None)
    side = Side(feature_set(table.index, values[:, None]), np.arange(len(values)))
    heard = AudioInput(features.get("is09"), features.spec("is09"), scaling, side, side)
    return Dataset(table, CLASSES, "speaker", {"functionals": heard}, {})


@pytest.fixture
def values() -> np.ndarray:
    random = np.random.default_rng(4)
    levels = np.repeat(np.arange(SPEAKERS), 6)[:, None]
    return random.normal(3.0 * levels, 1.0 + levels, (6 * SPEAKERS, 40)).astype(np.float32)


def context_of(scaling: str, values: np.ndarray, protocol: str = "losgo") -> SimpleNamespace:
    data, rules = data_set(scaling, values), protocols.get(protocol)
    return SimpleNamespace(
        data=data, protocol=rules, folds=data.folds(rules), model=models.get("svm-is09")
    )


def test_training_statistics_are_those_of_the_inner_training_part(values):
    context = context_of("training", values)
    splits, _ = folds.inner_splits(context.folds[1], context.data.table)
    assert len(splits) == SPEAKERS - 1
    found = list(estimator_fold._refitted(context, splits))
    for (training, validation), matrix in zip(splits, found, strict=True):
        scaler = StandardScaler().fit(values[training].astype(np.float64))
        for part in (training, validation):
            np.testing.assert_allclose(matrix[part], scaler.transform(values[part]), atol=1e-5)
    assert not np.allclose(found[0], found[1])


@pytest.mark.parametrize("protocol", ["losgo", "wang2020-random5"])
def test_a_speakers_own_statistics_are_the_same_to_the_last_bit(values, protocol):
    """So that what was found with per-speaker standardisation need not be found again."""
    context = context_of("speaker", values, protocol)
    for fold in context.folds:
        training, test = (context.data.positions(ids) for ids in (fold.training, fold.test))
        outer = context.data.matrix("functionals", training, test)
        splits, kind = folds.inner_splits(fold, context.data.table)
        assert kind == "speaker-disjoint"
        for matrix in estimator_fold._refitted(context, splits):
            np.testing.assert_array_equal(matrix[training], outer[training])


@pytest.mark.parametrize("scaling", ["speaker", "training"])
@pytest.mark.parametrize("protocol", ["losgo", "wang2020-random5"])
def test_no_search_looks_at_a_test_clip(values, scaling, protocol):
    before = context_of(scaling, values, protocol)
    test = before.data.positions(before.folds[0].test)
    changed = values.copy()
    changed[test] = changed[test] * -7 + 100
    after = context_of(scaling, changed, protocol)
    training = before.data.positions(before.folds[0].training)
    splits, _ = folds.inner_splits(before.folds[0], before.data.table)
    for one, two in zip(
        estimator_fold._refitted(before, splits),
        estimator_fold._refitted(after, splits),
        strict=True,
    ):
        np.testing.assert_array_equal(one[training], two[training])


def test_the_grid_of_a_fold_is_searched_on_refitted_inputs(values):
    context = context_of("training", values)
    job, tuned = Job(0), []

    class Machine:
        def tune(self, features, labels, splits, **options):
            tuned.extend(features)
            return SimpleNamespace(parameters={"C": 1.0}, scores=[])

        def fit(self, *given, **options):
            return SimpleNamespace(classes=CLASSES, predict=lambda rows: np.ones((len(rows), 3)))

    context.model = replace(context.model, build=lambda config: Machine())
    facts = estimator_fold.run(context, job, 0, 1).facts
    splits, _ = folds.inner_splits(context.folds[0], context.data.table)
    for one, two in zip(tuned, estimator_fold._refitted(context, splits), strict=True):
        np.testing.assert_array_equal(one, two)
    assert facts["tuned_on"] == "training folds, speaker-disjoint"
