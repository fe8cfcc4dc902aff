"""A machine's arrays predict what scikit-learn's machine does."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

from emobench.models.support_vector_machine import Fitted
from emobench.models.support_vectors import SupportVectors

WORDS = np.array(["neutral", "anger", "fear", "joy", "sadness", "disgust", "boredom"])


def machine(n_classes: int, kernel: str = "rbf", **options) -> tuple[SVC, np.ndarray]:
    random = np.random.default_rng(n_classes)
    label = np.r_[np.arange(n_classes), random.integers(0, n_classes, 150)]
    centres = random.normal(size=(n_classes, 9))
    features = centres[label] + random.normal(size=(len(label), 9))
    fitted = SVC(kernel=kernel, break_ties=True, **options).fit(
        features, WORDS[label], sample_weight=random.uniform(0.5, 2, len(label))
    )
    return fitted, np.r_[features, random.normal(0, 4, (5000, 9))]


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize(
    ("kernel", "options"), [("rbf", {"C": 4.0, "gamma": 0.03}), ("linear", {"C": 0.1})]
)
def test_the_arrays_decide_as_the_machine_does(n_classes, kernel, options):
    fitted, features = machine(n_classes, kernel, **options)
    known = fitted.decision_function(features)
    expected = np.stack([-known, known], axis=1) if n_classes == 2 else known
    arrays = SupportVectors.of(fitted)
    np.testing.assert_allclose(arrays.decision(features), expected, atol=1e-9)
    assert (arrays.classes[arrays.decision(features).argmax(1)] == fitted.predict(features)).all()
    own = Fitted(fitted, tuple(fitted.classes_))
    np.testing.assert_allclose(arrays.predict(features), own.predict(features), atol=1e-7)


def test_files_without_python_objects_hold_the_arrays(tmp_path):
    fitted, features = machine(4, C=1.0, gamma=0.1)
    arrays = SupportVectors.of(fitted)
    np.savez(tmp_path / "model.npz", **arrays.arrays)
    with np.load(tmp_path / "model.npz", allow_pickle=False) as stored:
        again = SupportVectors.from_arrays(stored)
    np.testing.assert_array_equal(again.predict(features), arrays.predict(features), strict=True)


def test_no_clips_have_no_probabilities():
    arrays = SupportVectors.of(machine(3, C=1.0, gamma=0.1)[0])
    assert arrays.predict(np.empty((0, 9))).shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda arrays: arrays.pop("counts"), "expected an array 'counts', found none"),
        (
            lambda arrays: arrays.update(counts=arrays["counts"] + 1),
            "expected arrays of the shapes",
        ),
        (lambda arrays: arrays.update(intercepts=np.zeros(2)), "expected arrays of the shapes"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, match):
    arrays = SupportVectors.of(machine(3, C=1.0, gamma=0.1)[0]).arrays
    change(arrays)
    with pytest.raises(ValueError, match=match):
        SupportVectors.from_arrays(arrays)
