from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, GroupKFold, ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emobench import models
from emobench.models.svm_is09 import Config, Fitted, SupportVectorMachine, squared_distances
from emobench.spec import fingerprint
from emobench.weights import balanced

SMALL = Config(C=(2.0**-4, 1.0, 16.0), gamma=(2.0**-10, 2.0**-6, 2.0**-2))


@dataclass(frozen=True)
class Problem:
    features: np.ndarray
    labels: np.ndarray
    splits: list


def problem(n_clips=240, n_classes=4, n_columns=60, n_speakers=12, n_splits=4) -> Problem:
    random = np.random.default_rng(n_clips)
    label = random.integers(0, n_classes, n_clips) * random.integers(0, 2, n_clips)
    centres = 0.35 * random.normal(size=(n_classes, n_columns))
    features = centres[label] + random.normal(size=(n_clips, n_columns))
    features[3] = features[11]  # equal clips: distance 0
    speakers = random.integers(0, n_speakers, n_clips)
    splits = list(GroupKFold(n_splits).split(features, groups=speakers))
    return Problem(features, np.array(list("dabc"))[label], splits)


def plain_search(given: Problem, config: Config, weights: np.ndarray) -> GridSearchCV:
    search = GridSearchCV(
        SVC(kernel="rbf", break_ties=True),
        {"C": config.C, "gamma": config.gamma},
        scoring="balanced_accuracy",
        cv=given.splits,
        refit=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(given.features, given.labels, sample_weight=weights)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_search_is_grid_search_cv(n_classes):
    given = problem(n_classes=n_classes)
    found = SupportVectorMachine(SMALL).tune(
        given.features, given.labels, given.splits, weights="corpus"
    )
    expected = plain_search(given, SMALL, balanced(given.labels))
    assert found.parameters == expected.best_params_
    assert [{"C": cell["C"], "gamma": cell["gamma"]} for cell in found.scores] == (
        expected.cv_results_["params"]
    )
    for split in range(len(given.splits)):
        np.testing.assert_allclose(
            [cell["splits"][split] for cell in found.scores],
            expected.cv_results_[f"split{split}_test_score"],
            rtol=1e-14,
        )
    means = [cell["score"] for cell in found.scores]
    np.testing.assert_allclose(means, expected.cv_results_["mean_test_score"], rtol=1e-14)


def test_scaling_that_is_refitted_in_each_split_is_a_pipelines():
    """scikit-learn fits every step of a pipeline on the training part of a split."""
    given = problem()
    given.features[:, :5] *= np.linspace(1, 30, len(given.labels))[:, None]
    refitted = [
        StandardScaler().fit(given.features[training]).transform(given.features)
        for training, _ in given.splits
    ]
    found = SupportVectorMachine(SMALL).tune(
        iter(refitted), given.labels, given.splits, weights="none"
    )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVC(kernel="rbf", break_ties=True)),
        {"svc__C": SMALL.C, "svc__gamma": SMALL.gamma},
        scoring="balanced_accuracy",
        cv=given.splits,
        refit=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(given.features, given.labels)
    means = [cell["score"] for cell in found.scores]
    np.testing.assert_allclose(means, search.cv_results_["mean_test_score"], rtol=1e-12)
    together = SupportVectorMachine(SMALL).tune(
        refitted[0], given.labels, given.splits, weights="none"
    )
    assert together.scores != found.scores


def test_one_matrix_for_each_split_may_be_the_same_one():
    given, machine = problem(), SupportVectorMachine(SMALL)
    shared = machine.tune(given.features, given.labels, given.splits)
    each = [given.features] * len(given.splits)
    assert machine.tune(each, given.labels, given.splits, n_jobs=2) == shared


@pytest.mark.parametrize("weights", ["training", "none"])
def test_every_cell_predicts_what_a_plain_machine_predicts(weights):
    given = problem(n_columns=384)
    predictions = {}

    def criterion(truth, predicted):
        name = float(len(predictions))
        predictions[name] = list(predicted)
        return name

    found = SupportVectorMachine(SMALL).tune(
        given.features, given.labels, given.splits, weights=weights, criterion=criterion
    )
    for cell in found.scores:
        for (training, validation), name in zip(given.splits, cell["splits"], strict=True):
            machine = SVC(C=cell["C"], gamma=cell["gamma"], break_ties=True)
            balance = balanced(given.labels[training]) if weights == "training" else None
            machine.fit(given.features[training], given.labels[training], balance)
            assert predictions[name] == machine.predict(given.features[validation]).tolist()


def test_the_number_of_threads_changes_no_number():
    given, machine = problem(), SupportVectorMachine(SMALL)
    one, three = (
        machine.tune(given.features, given.labels, given.splits, n_jobs=n_jobs) for n_jobs in (1, 3)
    )
    assert one == three


def test_clips_outside_the_splits_are_not_looked_at():
    given, machine = problem(), SupportVectorMachine(SMALL)
    splits, outside = [(training[:90], training[90:]) for training, _ in given.splits[:1]], (
        given.splits[0][1]
    )  # fmt: skip
    before = machine.tune(given.features, given.labels, splits)
    features, labels = given.features.copy(), given.labels.copy()
    features[outside], labels[outside] = np.nan, "never"
    assert machine.tune(features, labels, splits) == before


def test_of_equal_cells_the_first_wins():
    given = problem(n_clips=60)
    found = SupportVectorMachine(SMALL).tune(
        given.features, given.labels, given.splits, criterion=lambda truth, predicted: 0.5
    )
    assert found.parameters == {"C": 2.0**-4, "gamma": 2.0**-10}


def test_the_criterion_can_be_another():
    given = problem()
    found = SupportVectorMachine(SMALL).tune(
        given.features, given.labels, given.splits, weights="none", criterion=accuracy_score
    )
    plain = GridSearchCV(
        SVC(break_ties=True), {"C": SMALL.C, "gamma": SMALL.gamma}, cv=given.splits, refit=False
    ).fit(given.features, given.labels)
    assert found.parameters == plain.best_params_


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_largest_probability_is_the_predicted_class(n_classes):
    given = problem(n_classes=n_classes)
    training, test = given.splits[0]
    features, labels = given.features.astype(np.float32), given.labels
    weights = balanced(labels[training])
    fitted = SupportVectorMachine(Config()).fit(
        features[training], list(labels[training]), weights, {"C": 4.0, "gamma": 2.0**-6}, seed=5
    )
    chances = fitted.predict(features[test])
    plain = SVC(C=4.0, gamma=2.0**-6, break_ties=True)
    plain.fit(features[training].astype(np.float64), labels[training], weights)
    predicted = np.array(fitted.classes)[chances.argmax(axis=1)]
    np.testing.assert_array_equal(predicted, plain.predict(features[test].astype(np.float64)))
    assert fitted.classes == tuple(np.unique(labels))
    assert chances.shape == (len(test), n_classes)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-5)


def test_probabilities_are_the_softmax_of_the_decision_values():
    given = problem()
    training, test = given.splits[0]
    machine = SVC(gamma=2.0**-6).fit(given.features[training], given.labels[training])
    chances = Fitted(machine, tuple(machine.classes_)).predict(given.features[test])
    values = np.exp(machine.decision_function(given.features[test]))
    np.testing.assert_allclose(chances, values / values.sum(axis=1, keepdims=True), rtol=1e-6)


class Tied:
    """A machine whose decision is finer than float32."""

    classes_ = np.array(["a", "b", "c"])

    def decision_function(self, features):
        return np.array([[1.0, 1.0 + 1e-12, 0.0], [2.0, 0.0, 2.0], [0.0, 1.0, 2.0]])

    def predict(self, features):
        return self.classes_[self.decision_function(features).argmax(axis=1)]


def test_rounding_does_not_change_the_predicted_class():
    chances = Fitted(Tied(), ("a", "b", "c")).predict(np.zeros((3, 1)))
    assert chances.dtype == np.float32
    assert chances.argmax(axis=1).tolist() == [1, 0, 2]
    # also for a reader who takes the columns in another order
    assert chances[:, ::-1].argmax(axis=1).tolist() == [1, 2, 0]


def test_distances_are_those_of_a_loop():
    features = problem(n_clips=20).features
    expected = [[((a - b) ** 2).sum() for b in features] for a in features]
    found = squared_distances(features)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert (np.diag(found) == 0).all()
    assert (found >= 0).all()


def test_the_grid_is_the_papers_in_scikit_learns_order():
    config = Config()
    assert tuple(2.0**power for power in (-6, -4, -2, 0, 2, 4, 6)) == config.C
    assert config.gamma == tuple(2.0**power for power in (-12, -10, -8, -6, -4, -2))
    cells = [{"C": cost, "gamma": gamma} for cost in config.C for gamma in config.gamma]
    assert cells == list(ParameterGrid({"C": config.C, "gamma": config.gamma}))
    assert fingerprint(config) != fingerprint(SMALL)


def test_the_model_is_registered():
    spec = models.get("svm-is09")
    assert (spec.kind, spec.deterministic) == ("estimator", True)
    assert [each.feature for each in spec.inputs.values()] == ["is09"]
    assert isinstance(spec.build(spec.config), SupportVectorMachine)
