"""Recurrent layers against Keras' own of the same weights, on clips of all lengths."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from emobench.models import layers
from emobench.models.layers import lstm_loop

CLIPS, STEPS, COLUMNS, UNITS = 5, 7, 3, 4
LENGTHS = np.array([7, 4, 1, 0, 6])
MASK = np.arange(STEPS) < LENGTHS[:, None]

ON_JAX = """
import sys
import numpy as np
from tests.test_recurrent import after_a_step
values = [value for masked in (False, True) for value in after_a_step(masked)]
np.savez(sys.argv[1], *values)
"""


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def network(layer: keras.Layer, masked: bool) -> keras.Model:
    inputs = keras.Input((None, COLUMNS)), keras.Input((None,), dtype="bool")
    x = keras.layers.Dense(COLUMNS, name="below")(inputs[0])  # its kernel tells inputs' gradients
    outputs = layer(x, mask=inputs[1]) if masked else layer(x)
    model = keras.Model(inputs, outputs)
    model.set_weights([noise(*w.shape, seed=2) * 0.5 for w in model.weights])
    compiled = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.SGD(1.0), "mean_squared_error", jit_compile=compiled)
    return model


def observed(layer: keras.Layer, masked: bool) -> list[np.ndarray]:
    """Predictions and loss, and weights and predictions after a step of gradient descent."""
    return observed_of(network(layer, masked))


def observed_of(model: keras.Model) -> list[np.ndarray]:
    inputs = [noise(CLIPS, STEPS, COLUMNS, seed=1), MASK]
    before = np.array(model(inputs))
    loss = model.train_on_batch(inputs, noise(*before.shape, seed=3))
    weights = [np.array(weight) for weight in model.get_weights()]
    return [before, np.array(loss), *weights, np.array(model(inputs))]


def after_a_step(masked: bool) -> list[np.ndarray]:
    return [
        value
        for sequences in (False, True)
        for layer in (
            layers.Bidirectional(layers.LSTM(UNITS, return_sequences=sequences)),
            layers.ProjectedRNN(layers.ClassicGRUCell(UNITS), return_sequences=sequences),
        )
        for value in observed(layer, masked)
    ]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_classic_gru_is_that_of_keras(return_sequences, masked):
    options = {"return_sequences": return_sequences}
    layer = layers.ProjectedRNN(layers.ClassicGRUCell(UNITS), **options)
    ours = observed(layer, masked)
    plain = keras.layers.GRU(UNITS, reset_after=False, **options)
    model = network(plain, masked)
    start = [np.array(weight) for weight in network(layer, masked).get_weights()]
    model.set_weights(joined(start))
    theirs = observed_of(model)
    for found, expected in zip([*ours[:2], *joined(ours[2:-1]), ours[-1]], theirs, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def joined(weights: list[np.ndarray]) -> list[np.ndarray]:
    """Keras' GRU has gates and candidate in one array; those of the dense layer stay."""
    pairs = weights[2:]
    gates = [pairs[0], pairs[2], pairs[4]]
    candidates = [pairs[1], pairs[3], pairs[5]]
    both = [np.concatenate(pair, axis=-1) for pair in zip(gates, candidates, strict=True)]
    return [*weights[:2], *both]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(("both", "backwards"), [(False, False), (False, True), (True, False)])
@pytest.mark.parametrize("wide", [100, 0])
def test_lstm_is_that_of_keras(wide, both, backwards, return_sequences, masked, monkeypatch):
    monkeypatch.setattr(lstm_loop, "WIDE", wide)
    found, expected = (
        observed(wrap(layer) if both else layer, masked)
        for wrap, layer in (
            (
                package.Bidirectional,
                package.LSTM(
                    UNITS,
                    return_sequences=return_sequences,
                    zero_output_for_mask=return_sequences,
                    go_backwards=backwards,
                ),
            )
            for package in (layers, keras.layers)
        )
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("backend", "wanted", "masked", "by_keras"),
    [
        ("jax", "auto", False, True),
        ("jax", "auto", True, False),  # cuDNN takes no mask there, and two loops take twice as long
        ("jax", False, False, False),
        ("tensorflow", "auto", True, True),
        ("tensorflow", False, True, False),
    ],
)
def test_a_card_is_left_to_cudnn_only_where_that_computes(
    monkeypatch, backend, wanted, masked, by_keras
):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    asked = []
    whole = keras.layers.Bidirectional.call

    def call(self, *arguments, **options):
        asked.append(self)
        return whole(self, *arguments, **options)

    monkeypatch.setattr(keras.layers.Bidirectional, "call", call)
    layer = layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True, use_cudnn=wanted))
    layer(noise(CLIPS, STEPS, COLUMNS), mask=MASK if masked else None)
    assert bool(asked) == by_keras


def test_lstm_starts_with_the_weights_of_keras():
    starts = []
    for package in (layers, keras.layers):
        keras.utils.set_random_seed(3)
        lstm = package.LSTM(UNITS, dropout=0.2, name="lstm")
        layer = package.Bidirectional(lstm, name="both")
        layer.build((None, None, COLUMNS))
        starts.append({weight.path: np.array(weight) for weight in layer.weights})
    assert list(starts[0]) == list(starts[1])
    for name, start in starts[0].items():
        np.testing.assert_array_equal(start, starts[1][name])


@pytest.mark.parametrize("both", [False, True])
def test_dropout_of_inputs_is_that_of_keras(both):
    outputs = []
    for package in (layers, keras.layers):
        layer = package.LSTM(UNITS, dropout=0.5, seed=4, return_sequences=True)
        layer = package.Bidirectional(layer) if both else layer
        layer.build((CLIPS, STEPS, COLUMNS))
        layer.set_weights([noise(*w.shape, seed=2) for w in layer.get_weights()])
        inputs = noise(CLIPS, STEPS, COLUMNS)
        outputs.append([np.array(layer(inputs, training=True)) for _ in range(2)])
        assert not np.allclose(outputs[-1][0], layer(inputs, training=False))
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_what_padding_holds_does_not_matter():
    layer = layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True))
    inputs = noise(CLIPS, STEPS, COLUMNS)
    plain = np.array(layer(inputs, mask=MASK))
    changed = np.where(MASK[..., None], inputs, 100 * noise(*inputs.shape, seed=5))
    np.testing.assert_array_equal(layer(changed, mask=MASK), plain)
    assert (plain[~MASK] == 0).all()
    for clip, length in enumerate(LENGTHS):
        if length:
            alone = np.array(layer(inputs[clip : clip + 1, :length]))
            np.testing.assert_allclose(plain[clip, :length], alone[0], atol=1e-6)


def test_saved_and_loaded_it_computes_the_same(tmp_path):
    layer = layers.Bidirectional(layers.LSTM(UNITS, dropout=0.3, return_sequences=True))
    model = keras.Sequential([keras.Input((None, COLUMNS)), keras.layers.Masking(), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    inputs = noise(CLIPS, STEPS, COLUMNS) * MASK[..., None]
    np.testing.assert_array_equal(*(each.predict(inputs, verbose=0) for each in (model, loaded)))
    assert isinstance(loaded.layers[-1].forward_layer, layers.LSTM)


def test_states_are_neither_taken_nor_given():
    inputs = noise(CLIPS, STEPS, COLUMNS)
    state = [noise(CLIPS, UNITS)] * 2
    with pytest.raises(ValueError, match="without initial_state"):
        layers.LSTM(UNITS)(inputs, initial_state=state)
    with pytest.raises(ValueError, match="return_state"):
        layers.LSTM(UNITS, return_state=True)(inputs)


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        (cell, options)
        for cell in (layers.LSTMCell, layers.LSTM, layers.GRUCell)
        for options in (
            {"activation": "relu"},
            {"recurrent_activation": "hard_sigmoid"},
            {"use_bias": False},
        )
    ]
    + [
        (layers.GRUCell, {"reset_after": False}),
        (layers.GRUCell, {"dropout": 0.5}),
        (layers.GRUCell, {"recurrent_dropout": 0.5}),
        (layers.RecurrentDropoutLSTMCell, {"activation": "relu", "recurrent_dropout": 0.1}),
    ],
)
def test_what_would_be_passed_over_is_refused(cell, options):
    (name, value) = next(iter(options.items()))
    with pytest.raises(ValueError, match=f"expected {name}=.*, which alone .* found {value!r}"):
        cell(UNITS, **options)


def test_a_cell_drops_inputs_as_that_of_keras_does():
    def trained(package, cell):
        layer = package(cell(UNITS, dropout=0.5, seed=4), return_sequences=True)
        return observed(layer, masked=False)

    ours = trained(layers.ProjectedRNN, layers.LSTMCell)
    theirs = trained(keras.layers.RNN, keras.layers.LSTMCell)
    whole = trained(layers.ProjectedRNN, lambda units, **_: layers.LSTMCell(units))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert not np.allclose(ours[1], whole[1])


def test_recurrent_dropout_is_drawn_for_each_direction_in_one_loop_as_in_two():
    cell = layers.RecurrentDropoutLSTMCell(UNITS, recurrent_dropout=0.5, seed=1)
    inputs = noise(CLIPS, STEPS, COLUMNS)
    outputs = []
    for wrap in (layers.Bidirectional, keras.layers.Bidirectional):
        layer = wrap(layers.ProjectedRNN(cell))
        layer.build(inputs.shape)
        layer.set_weights([noise(*w.shape, seed=2) for w in layer.get_weights()])
        outputs.append([np.array(layer(inputs, training=True)) for _ in range(2)])
        assert not np.allclose(*outputs[-1])
    np.testing.assert_allclose(*outputs, atol=1e-5)


@pytest.mark.slow
def test_jax_computes_and_trains_the_same(tmp_path):
    root, file = Path(__file__).parent.parent, tmp_path / "jax.npz"
    jax = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", ON_JAX, str(file)]
    subprocess.run(command, check=True, cwd=root, env=os.environ | jax, timeout=300)
    on_jax = list(np.load(file).values())
    here = [value for masked in (False, True) for value in after_a_step(masked)]
    for found, expected in zip(on_jax, here, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
