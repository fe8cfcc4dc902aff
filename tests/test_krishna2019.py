"""Krishna's networks: sizes, padding, and the variants that the paper leaves open."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emobench import models
from emobench.models import layers

WINDOWS, WORDS = (6, 2, 4), (3, 5, 1)
NAMES = ("acoustic", "speech", "combined-word")
SMALL = {"lstm_units": 3, "units": 4}


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def small(name: str, audio: int | None = 6, tokens: int | None = 5, **changes) -> keras.Model:
    """A small network with weights that do not depend on its shapes."""
    inputs = models.get(f"krishna2019-{name}").inputs
    shapes = {key: {"audio": (audio, 4), "tokens": (tokens,)}[key] for key in inputs}
    config = {**SMALL, **changes}
    if "tokens" in inputs:
        config |= {"vocabulary": 9, "embedding_size": 5}
    model = models.build(f"krishna2019-{name}", 4, shapes, **config)
    for index, weight in enumerate(model.trainable_weights):
        weight.assign(noise(*weight.shape, seed=index + 1) * 0.7)
    return model


def clips(model: keras.Model) -> dict[str, np.ndarray]:
    """Three clips of different lengths."""
    audio = noise(3, 6, 4)
    tokens = np.random.default_rng(0).integers(1, 9, (3, 5)).astype(np.float32)
    for clip in range(3):
        audio[clip, WINDOWS[clip] :] = 0
        tokens[clip, WORDS[clip] :] = 0
    return {name: {"audio": audio, "tokens": tokens}[name] for name in model.input}


@pytest.mark.parametrize(
    ("name", "size", "counts"),
    [
        ("speech", 50, (315_908, 316_679)),
        ("word", 50, (315_908, 316_679)),
        ("combined-speech", 50, (614_148, 614_919)),
        ("combined-word", 100, (665_348, 666_119)),
        ("combined-word", 200, (767_748, 768_519)),
        ("combined-word", 300, (870_148, 870_919)),
    ],
)
def test_counts_without_the_table_are_the_published_ones(name, size, counts):
    for n_classes, count in zip((4, 7), counts, strict=True):
        model = models.build(f"krishna2019-{name}", n_classes, embedding_size=size, vocabulary=1000)
        assert model.count_params() - 1000 * size == count


@pytest.mark.parametrize("name", NAMES)
def test_a_padded_clip_is_read_as_if_it_stood_alone(name):
    model = small(name, None, None)
    inputs = clips(model)
    longer = {
        key: np.pad(value, [(0, 0), (0, 9)] + [(0, 0)] * (value.ndim - 2))
        for key, value in inputs.items()
    }
    together = model.predict(longer, verbose=0)
    lengths = {"audio": WINDOWS, "tokens": WORDS}
    for clip in range(3):
        alone = {key: value[clip : clip + 1, : lengths[key][clip]] for key, value in inputs.items()}
        np.testing.assert_allclose(together[clip], np.array(model(alone))[0], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_backward_pass_ends_at_the_first_step(name):
    """Both directions by plain LSTMs without masks, on each clip as long as it is."""
    model = small(name, None, None)
    inputs = clips(model)
    lengths = {"audio": WINDOWS, "tokens": WORDS}
    wrapped = [each for each in model.layers if isinstance(each, keras.layers.Bidirectional)]
    for key, layer in zip(inputs, wrapped, strict=True):
        sequence = inputs[key]
        if key == "tokens":
            sequence = np.array(model.get_layer("embedding").embeddings)[sequence.astype(int)]
        mask = np.arange(sequence.shape[1]) < np.array(lengths[key])[:, None]
        found = np.array(layer(sequence, mask=mask))
        weights = layer.get_weights()
        for clip in range(3):
            steps = sequence[clip : clip + 1, : lengths[key][clip]]
            ends = []
            for direction, own in ((1, weights[:3]), (-1, weights[3:])):
                plain = keras.layers.LSTM(3)
                plain.build(steps.shape)
                plain.set_weights(own)
                ends.append(np.array(plain(steps[:, ::direction]))[0])
            np.testing.assert_allclose(found[clip], np.concatenate(ends), atol=1e-6)


def test_without_masks_padding_counts():
    inputs = clips(small("combined-word"))
    masked, literal = (
        small("combined-word", mask=mask).predict(inputs, verbose=0) for mask in (True, False)
    )
    assert not np.allclose(masked, literal)
    full = {key: np.where(value == 0, 1, value) for key, value in inputs.items()}
    np.testing.assert_allclose(
        *(small("combined-word", mask=mask).predict(full, verbose=0) for mask in (True, False)),
        atol=1e-6,
    )


def test_fusion_of_hidden_states_has_one_dense_layer():
    name = models.get("krishna2019-combined-word:fusion=hidden").name
    assert name == "krishna2019-combined-word:fusion=hidden"
    # Two encoders less their dense layers of 256; the joined layer sees 512 either way.
    count = models.build(name, 4, vocabulary=1000).count_params() - 1000 * 50
    assert count == 614_148 - 2 * (256 * 256 + 256)


def test_recurrent_dropout_keeps_its_mask_and_acts_in_training_alone():
    cell = layers.RecurrentDropoutLSTMCell(3, recurrent_dropout=0.5)
    layer = layers.ProjectedRNN(cell, return_sequences=True)
    plain = layers.ProjectedRNN(layers.LSTMCell(3), return_sequences=True)
    inputs = noise(400, 5, 4)
    layer.build(inputs.shape)
    plain.build(inputs.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(inputs), plain(inputs))
    kernel, recurrent, bias = layer.get_weights()
    trained = np.array(layer(inputs, training=True), float)
    # The second step tells the mask, each of the eight there may be; the others must follow it.
    masks = np.array([[a, b, c] for a in (0, 2) for b in (0, 2) for c in (0, 2)], float)
    chosen = []
    for clip in range(len(inputs)):
        runs = np.array([masked(inputs[clip], mask, kernel, recurrent, bias) for mask in masks])
        errors = np.abs(runs - trained[clip]).max(axis=(1, 2))
        assert errors.min() < 1e-5
        chosen.append(masks[errors.argmin()])
    assert 0.8 < np.mean(chosen) < 1.2


def masked(steps, mask, kernel, recurrent, bias) -> np.ndarray:
    """States of an LSTM whose state is multiplied by a mask before each step."""
    h, c, states = np.zeros(3), np.zeros(3), []
    for x in steps:
        gates = np.split(x @ kernel + (h * mask) @ recurrent + bias, 4)
        take, forget, output = (1 / (1 + np.exp(-gates[index])) for index in (0, 1, 3))
        c = forget * c + take * np.tanh(gates[2])
        h = output * np.tanh(c)
        states.append(h)
    return np.array(states)


def test_models_say_which_vectors_they_are_meant_for():
    for name in ("speech", "word", "combined-speech", "combined-word"):
        spec = models.get(f"krishna2019-{name}")
        assert spec.needs == ("transcript",)
        assert any("--embeddings" in each for each in spec.deviations)
        assert any("2209.10791" in each for each in spec.deviations) == name.endswith("speech")
    assert models.get("krishna2019-acoustic").needs == ()
