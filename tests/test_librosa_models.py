"""The classifiers on librosa's features: counts, the machine against scikit-learn, padding."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.svm import SVC

from emobench import models
from emobench.models.librosa_models import MachineConfig, build_machine
from emobench.weights import balanced

LENGTHS = (9, 5, 1)


def problem(n_classes: int = 4, n_columns: int = 180) -> tuple:
    """Clips of twelve speakers, their labels, and four splits of the speakers."""
    random = np.random.default_rng(n_classes)
    label = random.integers(0, n_classes, 200)
    centres = 0.3 * random.normal(size=(n_classes, n_columns))
    features = centres[label] + random.normal(size=(200, n_columns))
    splits = list(GroupKFold(4).split(features, groups=random.integers(0, 12, 200)))
    return features, np.array(list("dabc"))[label], splits


def plain_search(machine: SVC, grid: dict, given: tuple, weights: np.ndarray) -> GridSearchCV:
    features, labels, splits = given
    search = GridSearchCV(machine, grid, scoring="balanced_accuracy", cv=splits, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(features, labels, sample_weight=weights)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_the_search_is_grid_search_cv(kernel, n_classes):
    given = problem(n_classes)
    config = MachineConfig(kernel=kernel)
    grid = {"C": config.C} | ({"gamma": config.gamma} if kernel == "rbf" else {})
    expected = plain_search(SVC(kernel=kernel, break_ties=True), grid, given, balanced(given[1]))
    found = build_machine(config).tune(*given, weights="corpus")
    assert found.parameters == expected.best_params_
    cells = [{key: cell[key] for key in grid} for cell in found.scores]
    assert cells == expected.cv_results_["params"]
    for split in range(len(given[2])):
        np.testing.assert_allclose(
            [cell["splits"][split] for cell in found.scores],
            expected.cv_results_[f"split{split}_test_score"],
            rtol=1e-14,
        )
    assert [cell["score"] for cell in found.scores] == pytest.approx(
        expected.cv_results_["mean_test_score"], rel=1e-14
    )


@pytest.mark.parametrize(
    ("kernel", "plain"),
    [("linear", SVC(C=4.0, kernel="linear")), ("rbf", SVC(C=4.0, gamma=2.0**-12))],
)
def test_a_machine_takes_the_parameters_that_its_kernel_has(kernel, plain):
    features, labels, splits = problem()
    training, test = splits[0]
    weights = balanced(labels[training])
    fitted = build_machine(MachineConfig(kernel=kernel)).fit(
        features[training], list(labels[training]), weights, {"C": 4.0, "gamma": 2.0**-12}
    )
    predicted = np.array(fitted.classes)[fitted.predict(features[test]).argmax(axis=1)]
    plain.set_params(break_ties=True).fit(features[training], labels[training], weights)
    np.testing.assert_array_equal(predicted, plain.predict(features[test]))


def test_a_linear_machine_needs_no_gamma():
    features, labels, _ = problem()
    fitted = build_machine(MachineConfig()).fit(features, labels, balanced(labels), {"C": 0.1})
    assert fitted.machine.kernel == "linear"


def test_the_grid_is_the_public_codes():
    spec = models.get("librosa-svm")
    assert spec.config.C == (0.0005, 0.001, 0.002, 0.01, 0.1, 1, 10)
    assert spec.build(spec.config).kernel == "linear"
    variant = models.get("librosa-svm:kernel=rbf")
    assert variant.build(variant.config).kernel == "rbf"
    assert variant.config.gamma == (0.001,)


@pytest.mark.parametrize(
    ("name", "counts"), [("librosa-mlp", (55_504, 56_407)), ("librosa-lstm", (290_308, 290_695))]
)
def test_parameter_counts_are_those_of_the_table(name, counts):
    assert tuple(models.build(name, n_classes).count_params() for n_classes in (4, 7)) == counts


def test_the_perceptron_is_two_products():
    model = models.build("librosa-mlp", 4)
    given = np.random.default_rng(0).standard_normal((5, 1, 180)).astype(np.float32)
    first, shift, second, last = (np.array(weight, dtype=float) for weight in model.weights)
    powers = np.exp(np.maximum(given[:, 0] @ first + shift, 0) @ second + last)
    found = np.array(model({"means": given}))
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), rtol=1e-4)


def test_the_penalty_of_the_perceptron_is_that_of_its_squared_weights():
    model = models.build("librosa-mlp", 4, l2=0.01)
    kernels = [np.array(weight, dtype=float) for weight in model.weights if weight.name == "kernel"]
    expected = 0.01 * sum((kernel**2).sum() for kernel in kernels)
    np.testing.assert_allclose(float(sum(model.losses)), expected, rtol=1e-5)
    assert set(models.get("librosa-mlp").grid) == {"l2"}


def padded() -> np.ndarray:
    given = np.random.default_rng(1).standard_normal((3, max(LENGTHS), 180)).astype(np.float32)
    for clip, length in zip(given, LENGTHS, strict=True):
        clip[length:] = 0
    return given


def test_a_padded_clip_is_the_clip_alone():
    model = models.build("librosa-lstm", 4)
    together = np.array(model({"features": padded()}))
    for clip, length, found in zip(padded(), LENGTHS, together, strict=True):
        alone = np.array(model({"features": clip[None, :length]}))[0]
        np.testing.assert_allclose(found, alone, atol=1e-6)


def test_without_masks_in_its_loops_the_lstm_is_keras_own_with_them():
    model = models.build("librosa-lstm", 4)
    x = keras.Input((None, 180))
    masked = keras.layers.Masking()(x)
    states = keras.layers.LSTM(128, return_sequences=True)(masked)
    last = keras.layers.LSTM(128)(states)
    plain = keras.Model(x, keras.layers.Dense(4, activation="softmax")(last))
    plain.set_weights(model.get_weights())
    outcomes = []
    for each, given in ((model, {"features": padded()}), (plain, padded())):
        for layer in each.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
        before = np.array(each(given))
        each.compile(keras.optimizers.SGD(0.5), "categorical_crossentropy", jit_compile=False)
        each.train_on_batch(given, np.eye(4, dtype=np.float32)[:3])
        outcomes.append([before, *each.get_weights()])
    for ours, theirs in zip(*outcomes, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_lstm_can_read_a_clips_means_as_one_step():
    name = "librosa-lstm:sequence=utterance"
    model = models.build(name, 7)
    assert model.count_params() == 290_695
    assert models.shapes(name) == {"features": (1, 180)}
    assert [spec.feature for spec in models.get(name).inputs.values()] == ["librosa180"]
    frames = models.get("librosa-lstm").inputs.values()
    assert [spec.feature for spec in frames] == ["librosa180-frames"]
