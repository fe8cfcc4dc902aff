"""The dual-sequence LSTM against a plain NumPy loop, finite differences, and itself elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from emobench.models import layers

UNITS, X, Y, STEPS, CLIPS = 5, 3, 4, 6, 7
EPSILON, MOMENTUM = 1e-5, 0.9

ON_JAX = """
import sys, numpy as np
from tests.test_dual_sequence import after_a_step
np.savez(sys.argv[1], *[value for position in ("post", "pre") for value in after_a_step(position)])
"""


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def sequences(steps: int = STEPS, clips: int = CLIPS) -> tuple[np.ndarray, ...]:
    """Two sequences, and hidden and cell state to begin with."""
    wide = ((clips, steps, X), (clips, steps, Y), (clips, UNITS), (clips, UNITS))
    return tuple(noise(*shape, seed=seed) for seed, shape in enumerate(wide))


def randomised(layer: keras.Layer, scale: float = 0.5) -> keras.Layer:
    """The layer with weights that no initializer would draw; variances are positive."""
    for seed, weight in enumerate(layer.weights):
        value = noise(*weight.shape, seed=10 + seed) * scale
        weight.assign(np.abs(value) + 0.3 if "variance" in weight.path else value)
    return layer


def built(bn_position: str = "post", steps: int = STEPS, **options) -> layers.DSLSTM:
    layer = layers.DSLSTM(UNITS, bn_position, **options)
    layer.build((None, steps, X), (None, steps, Y))
    return randomised(layer)


def weights_of(layer: keras.Layer) -> dict[str, np.ndarray]:
    """Weights in double precision, by the last two parts of their paths."""
    return {
        "/".join(weight.path.split("/")[-2:]): np.array(weight, dtype=np.float64)
        for weight in layer.weights
    }


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def loop(weights, x, y, h, c, *, bn_position, training):
    """Equations (1) to (8) of the paper, gate by gate and step by step.

    Returns outputs, gates' statistics `(steps, 2, 4, units)`, and the outputs' `(steps, 2, units)`.
    """
    columns = UNITS
    kernel, recurrent = weights["cell/kernel"], weights["cell/recurrent_kernel"]
    biases = np.split(weights["cell/biases"], 6)
    gamma, beta = (np.split(weights[f"cell/{name}"], 4) for name in ("gamma", "beta"))
    stored = [weights[f"cell/moving_{name}"] for name in ("mean", "variance")]
    outputs, of_gates, of_outputs = [], [], []

    def normalised(values, mean, variance, scale, offset):
        return (values - mean) / np.sqrt(variance + EPSILON) * scale + offset

    for step in range(x.shape[1]):
        both = np.concatenate([x[:, step], y[:, step]], axis=1)
        gates, measured = [], []
        for gate in range(4):
            part = slice(gate * columns, (gate + 1) * columns)
            value = both @ kernel[:, part] + h @ recurrent[:, part] + biases[gate]
            if bn_position == "post":
                value = sigmoid(value)
            row = min(step, len(stored[0]) - 1)
            moments = [value.mean(axis=0), value.var(axis=0)]
            measured.append(moments)
            if not training:
                moments = [table[row, part] for table in stored]
            value = normalised(value, *moments, gamma[gate], beta[gate])
            gates.append(sigmoid(value) if bn_position == "pre" else value)
        forget, take_x, take_y, output = gates
        candidates = []
        for place, (name, inputs) in enumerate((("x", x), ("y", y)), start=4):
            part = slice(place * columns, (place + 1) * columns)
            value = inputs[:, step] @ weights[f"cell/kernel_{name}"] + h @ recurrent[:, part]
            candidates.append(np.tanh(value + biases[place]))
        c = forget * c + take_x * candidates[0] + take_y * candidates[1]
        h = output * np.tanh(c)
        moments = [h.mean(axis=0), h.var(axis=0)]
        of_gates.append(np.swapaxes(measured, 0, 1))
        of_outputs.append(moments)
        if not training:
            moments = [weights[f"normalization/moving_{name}"] for name in ("mean", "variance")]
        names = [f"normalization/{name}" for name in ("gamma", "beta")]
        outputs.append(normalised(h, *moments, *(weights[name] for name in names)))
    return np.stack(outputs, axis=1), np.array(of_gates), np.array(of_outputs)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("bn_position", ["post", "pre"])
def test_is_the_loop_of_the_papers_equations(bn_position, training):
    layer = built(bn_position)
    x, y, h, c = sequences()
    before = weights_of(layer)
    expected, of_gates, of_outputs = loop(
        before, x, y, h, c, bn_position=bn_position, training=training
    )
    found = layer(x, y, initial_state=(h, c), training=training)
    np.testing.assert_allclose(np.array(found), expected, atol=1e-5)
    after = weights_of(layer)
    for row, name in enumerate(("moving_mean", "moving_variance")):
        if training:
            measured = of_gates[:, row].reshape(STEPS, -1)
            before[f"cell/{name}"] = before[f"cell/{name}"] * MOMENTUM + measured * 0.1
            for step in range(STEPS):
                moving = before[f"normalization/{name}"]
                before[f"normalization/{name}"] = moving * MOMENTUM + of_outputs[step, row] * 0.1
        for key in (f"cell/{name}", f"normalization/{name}"):
            np.testing.assert_allclose(after[key], before[key], atol=1e-5, err_msg=key)


@pytest.mark.parametrize("bn_position", ["post", "pre"])
def test_steps_beyond_the_stored_ones_use_the_last(bn_position):
    layer = built(bn_position)
    x, y, h, c = sequences(STEPS + 3)
    before = weights_of(layer)
    expected, *_ = loop(before, x, y, h, c, bn_position=bn_position, training=False)
    np.testing.assert_allclose(np.array(layer(x, y, (h, c))), expected, atol=1e-5)
    _, of_gates, _ = loop(before, x, y, h, c, bn_position=bn_position, training=True)
    layer(x, y, (h, c), training=True)
    measured = of_gates[:STEPS, 0].reshape(STEPS, -1)
    expected = before["cell/moving_mean"] * MOMENTUM + measured * 0.1
    np.testing.assert_allclose(weights_of(layer)["cell/moving_mean"], expected, atol=1e-5)


def test_shorter_sequences_leave_the_statistics_of_later_steps():
    layer = built()
    before = weights_of(layer)["cell/moving_variance"]
    x, y, *_ = sequences(2)
    layer(x, y, training=True)
    after = weights_of(layer)["cell/moving_variance"]
    np.testing.assert_array_equal(after[2:], before[2:])
    assert not np.isclose(after[:2], before[:2]).any()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("bn_position", ["post", "pre"])
def test_cell_runs_under_keras_own_loop(bn_position, training):
    layer = built(bn_position)
    x, y, *_ = sequences(STEPS + 1)
    cell = layers.DSLSTMCell.from_config(layer.cell.get_config())
    recurrence = keras.layers.RNN(cell, return_sequences=True)
    both = np.concatenate([x, y], axis=-1)
    recurrence.build(both.shape)
    cell.set_weights(layer.cell.get_weights())
    hidden = recurrence(both, training=training)
    expected = layer(x, y, training=training)
    found = layer.normalization(hidden, training=training)
    np.testing.assert_allclose(np.array(found), np.array(expected), atol=1e-5)


@pytest.mark.parametrize("bn_position", ["post", "pre"])
def test_gradients_are_those_of_finite_differences(bn_position):
    clips = 5
    values = [value.astype(np.float64) for value in sequences(4, clips)]
    inputs = [keras.Input(value.shape[1:], dtype="float64") for value in values]
    state = [keras.layers.Dense(UNITS, dtype="float64")(each) for each in inputs[2:]]
    layer = layers.DSLSTM(UNITS, bn_position, dtype="float64")
    model = keras.Model(inputs, layer(*inputs[:2], initial_state=state))
    randomised(model)
    upstream = noise(clips, 4, UNITS, seed=5)
    start = model.get_weights()
    model.compile(
        keras.optimizers.SGD(1.0),
        lambda truth, outputs: keras.ops.sum(truth * outputs, axis=(1, 2)) * float(clips),
        jit_compile=False,
    )
    model.train_on_batch(values, upstream)
    moved = model.get_weights()
    model.set_weights(start)
    random = np.random.default_rng(0)

    def loss() -> float:
        return float((np.array(model(values, training=True)) * upstream).sum())

    for weight, before, after in zip(model.weights, start, moved, strict=True):
        places = [tuple(random.integers(side) for side in before.shape) for _ in range(3)]
        for place in places if weight.trainable else []:
            found = []
            for move in (1e-6, -1e-6):
                changed = before.copy()
                changed[place] += move
                weight.assign(changed)
                found.append(loss())
            weight.assign(before)
            slope = (found[0] - found[1]) / 2e-6
            gradient = before[place] - after[place]
            assert gradient == pytest.approx(slope, rel=1e-4, abs=1e-6), weight.path


def recurrent_model(bn_position: str, steps: int | None = STEPS) -> keras.Model:
    inputs = [keras.Input((steps, width)) for width in (X, Y)]
    options = {"steps": STEPS} if steps is None else {}
    hidden = layers.DSLSTM(UNITS, bn_position, **options)(*inputs)
    hidden = layers.DSLSTM(UNITS, bn_position, **options)(hidden, inputs[1])
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(hidden))
    randomised(model, 0.3)
    model.compile(keras.optimizers.SGD(0.1), "mean_squared_error")
    return model


def after_a_step(bn_position: str) -> list[np.ndarray]:
    """Predictions and loss of two layers, and weights and predictions after a training step."""
    model = recurrent_model(bn_position)
    x, y, *_ = sequences()
    before = model.predict([x, y], verbose=0)
    loss = model.train_on_batch([x, y], noise(CLIPS, UNITS, seed=5))
    after = model.predict([x, y], verbose=0)
    return [before, np.array(loss), *map(np.array, model.get_weights()), after]


@pytest.mark.slow
def test_jax_computes_and_trains_the_same(tmp_path):
    root, file = Path(__file__).parent.parent, tmp_path / "jax.npz"
    jax = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", ON_JAX, str(file)]
    subprocess.run(command, check=True, cwd=root, env=os.environ | jax, timeout=300)
    on_jax = list(np.load(file).values())
    here = [value for position in ("post", "pre") for value in after_a_step(position)]
    for found, expected in zip(on_jax, here, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("bn_position", ["post", "pre"])
def test_saved_and_loaded_it_computes_the_same(bn_position, tmp_path):
    model = recurrent_model(bn_position)
    x, y, *_ = sequences()
    model.train_on_batch([x, y], noise(CLIPS, UNITS))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*(each.predict([x, y], verbose=0) for each in (model, loaded)))
    for each in (layers.DSLSTM, layers.DSLSTMCell, layers.StepNormalization):
        config = {"units": 3, "x_columns": 2, "steps": 4, "bn_position": bn_position, "epsilon": 1}
        known = {key: config[key] for key in config if key in each.__init__.__annotations__}
        assert each.from_config(each(**known).get_config()).get_config().items() >= known.items()


def test_clips_are_independent_outside_training_and_batches_may_vary():
    model = recurrent_model("post")
    x, y, *_ = sequences()
    together = model.predict([x, y], verbose=0)
    apart = [model.predict([x[at], y[at]], verbose=0) for at in (slice(0, 1), slice(1, None))]
    np.testing.assert_allclose(np.concatenate(apart), together, atol=1e-6)
    for clips in (CLIPS, 2, 3):
        loss = model.train_on_batch([x[:clips], y[:clips]], noise(clips, UNITS))
        assert np.isfinite(loss)


def test_lengths_may_be_unknown_where_the_number_of_stored_steps_is_told():
    fixed, free = recurrent_model("post"), recurrent_model("post", None)
    x, y, *_ = sequences()
    np.testing.assert_array_equal(*(each.predict([x, y], verbose=0) for each in (fixed, free)))
    target = noise(CLIPS, UNITS)
    for steps in (STEPS, 2, STEPS + 2):
        x, y, *_ = sequences(steps)
        assert np.isfinite(free.train_on_batch([x, y], target))
        assert np.isfinite(free.predict([x, y], verbose=0)).all()
    with pytest.raises(ValueError, match="steps: expected a number"):
        layers.DSLSTM(UNITS)(keras.Input((None, X)), keras.Input((None, Y)))


@pytest.mark.parametrize(("dx", "dy", "units", "steps"), [(208, 464, 200, 55), (7, 3, 4, 9)])
def test_parameter_counts_are_those_of_the_formula(dx, dy, units, steps):
    layer = layers.DSLSTM(units)
    layer.build((None, steps, dx), (None, steps, dy))
    trained = (dx + dy + units) * 4 * units + 4 * units
    trained += (dx + units) * units + units + (dy + units) * units + units + 8 * units + 2 * units
    counts = [sum(np.prod(weight.shape) for weight in layer.trainable_weights)]
    assert [*counts, layer.count_params()] == [trained, trained + 8 * units * steps + 2 * units]
    gamma = next(weight for weight in layer.cell.weights if weight.name == "gamma")
    np.testing.assert_allclose(np.array(gamma), 0.1)


@pytest.mark.parametrize(
    ("window", "longer", "shorter", "steps"),
    [
        ("pairs", 112, 55, 55),
        ("pairs", 55, 27, 27),
        ("pairs", 4, 9, 2),
        ("window3", 55, 27, 26),
        ("window3", 56, 29, 27),
        ("window3", 12, 3, 3),
    ],
)
def test_alignment_averages_adjacent_steps(window, longer, shorter, steps):
    a, b = noise(2, longer, 3), noise(2, shorter, 4, seed=1)
    width = 2 if window == "pairs" else 3
    expected = [a[:, 2 * step : 2 * step + width].mean(axis=1) for step in range(steps)]
    layer = layers.AlignSequences(window)
    x, y = layer(a, b)
    np.testing.assert_allclose(np.array(x), np.stack(expected, axis=1), atol=1e-6)
    np.testing.assert_array_equal(np.array(y), b[:, :steps])
    assert layer.compute_output_shape(a.shape, b.shape) == (tuple(x.shape), tuple(y.shape))


def test_unknown_variants_are_refused():
    with pytest.raises(ValueError, match="'post' or 'pre', found 'after'"):
        layers.DSLSTMCell(3, 2, 4, "after")
    with pytest.raises(ValueError, match="'pairs' or 'window3', found 'window4'"):
        layers.AlignSequences("window4")
    with pytest.raises(ValueError, match="fewer than the input's 2, found 2"):
        layers.DSLSTMCell(3, 2, 4).build((None, 2))
