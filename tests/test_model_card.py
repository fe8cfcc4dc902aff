"""What a model card tells is what the stored predictions say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, recall_score
from stored import LABELS, Filled, experiment

from emobench.analysis.intervals import over_speakers
from emobench.bundles import card
from emobench.bundles.evidence import find
from emobench.spec import Job

WHERE = {"protocol": "keesing2020", "corpus": "emo-db", "model": "svm-is09"}


@pytest.fixture
def filled(tmp_path):
    return Filled(tmp_path / "results")


def everything(folder) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])


def test_the_evidence_is_that_of_the_predictions(filled):
    made = experiment(n_folds=5)
    table = everything(filled.run(made))
    found = find(filled.results, made.configuration, WHERE)
    assert (found.jobs, found.wanted) == (5, 5)
    truth, predicted = table["label"], table["predicted"]
    expected = confusion_matrix(truth, predicted, labels=LABELS)
    assert found.confusion == tuple(map(tuple, expected))
    recalls = recall_score(truth, predicted, labels=LABELS, average=None)
    assert [found.recall[label] for label in LABELS] == pytest.approx(list(recalls))
    each = [
        recall_score(own["label"], own["predicted"], average="macro", labels=own["label"].unique())
        for _, own in table.groupby("speaker")
    ]
    assert found.interval.centre == pytest.approx(np.mean(each))
    assert found.interval == over_speakers(each)
    own = table[table["sex"] == "female"]
    [female] = found.sexes
    assert (female.sex, female.clips, female.speakers) == ("female", len(own), 5)
    recall = recall_score(
        own["label"], own["predicted"], labels=LABELS, average="macro", zero_division=0
    )
    present = own["label"].nunique() / len(LABELS)
    assert female.uar == pytest.approx(recall / present)


def test_only_the_same_configuration_counts_whatever_computed_it(filled):
    made = experiment(backend="tensorflow", n_folds=2)
    assert find(filled.results, made.configuration, WHERE) is None
    filled.run(experiment(backend="tensorflow", n_folds=2, epochs_override=3))
    filled.run(experiment(backend="tensorflow", n_folds=2, corpus="ravdess"))
    assert find(filled.results, made.configuration, WHERE) is None
    filled.run(experiment(backend="jax", n_folds=2), seed=1)
    other = find(filled.results, made.configuration, WHERE)
    assert other.jobs == 2
    filled.run(made, [Job(0)])
    assert find(filled.results, made.configuration, WHERE) == other  # the complete one
    filled.run(made)
    own = find(filled.results, made.configuration, WHERE)
    assert own.confusion != other.confusion


def test_an_incomplete_cross_validation_says_so(filled):
    made = experiment(n_folds=5)
    filled.run(made, [Job(0), Job(2)])
    found = find(filled.results, made.configuration, WHERE)
    training = {"model": "svm-is09", "protocol": "keesing2020", "caution": "optimistic."}
    told = card._told(training, "emo-db", found)
    assert "**Caution:** optimistic.\n" in told
    assert "From 2 of 5 folds only" in told
    assert "no interval over speakers: they are too few, or folds are missing" in told
    assert f"**UAR {100 * found.uar:.1f} %**" in told
    assert "| female | 2 |" in told
