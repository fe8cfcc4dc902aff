"""Yoon's networks against plain NumPy loops, and what they must not depend on."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emobench import models
from emobench.models import layers

SMALL = {"units": 3, "vocabulary": 9, "embedding_size": 5}
SHAPES = {"audio": (6, 4), "prosody": (1, 2), "tokens": (5,)}
NAMES = ("are", "tre", "mdre", "mdrea")
FRAMES, WORDS = (6, 2, 4), (3, 5, 1)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def gru(steps: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """States of a GRU whose reset gate acts before the product, gate by gate."""
    h = np.zeros(len(weights["candidate_bias"]))
    states = []
    for x in steps:
        gates = x @ weights["gates_kernel"] + h @ weights["gates_recurrent"] + weights["gates_bias"]
        update, reset = np.split(sigmoid(gates), 2)
        candidate = np.tanh(
            x @ weights["candidate_kernel"]
            + (reset * h) @ weights["candidate_recurrent"]
            + weights["candidate_bias"]
        )
        h = update * h + (1 - update) * candidate
        states.append(h)
    return np.array(states)


def small(name: str, **changes) -> keras.Model:
    """A small network with every weight drawn anew."""
    config = {key: value for key, value in SMALL.items() if name != "are" or key == "units"}
    shapes = {key: SHAPES[key] for key in models.get(f"yoon2018-{name}").inputs}
    model = models.build(f"yoon2018-{name}", 4, shapes, **config, **changes)
    for index, weight in enumerate(model.trainable_weights):
        weight.assign(noise(*weight.shape, seed=index + 1) * 0.7)
    return model


def clips(model: keras.Model, *, padding: int = 0) -> dict[str, np.ndarray]:
    """Three clips of different lengths, with `padding` more rows of zeros."""
    audio = noise(3, 6 + padding, 4)
    tokens = np.random.default_rng(0).integers(1, 9, (3, 5 + padding)).astype(np.float32)
    for clip in range(3):
        audio[clip, FRAMES[clip] :] = 0
        tokens[clip, WORDS[clip] :] = 0
    every = {"audio": audio, "prosody": noise(3, 1, 2, seed=3), "tokens": tokens}
    return {name: every[name] for name in model.input}


def weights_of(model: keras.Model) -> list[dict[str, np.ndarray]]:
    """Weights of each layer that has any, by name, layers in their order."""
    return [
        {weight.path.split("/")[-1]: np.array(weight, float) for weight in layer.weights}
        for layer in model.layers
        if layer.weights
    ]


def by_hand(name: str, model: keras.Model, inputs: dict[str, np.ndarray], clip: int) -> np.ndarray:
    """Probabilities of a clip by the formulas of the paper and its code."""
    found = weights_of(model)
    grus = [each for each in found if "gates_kernel" in each]
    dense = [each for each in found if "kernel" in each]
    apply = [lambda x, each=each: x @ each["kernel"] + each["bias"] for each in dense]
    if "audio" in inputs:
        [audio_gru] = [each for each in grus if len(each["gates_kernel"]) == 4]
        last = gru(inputs["audio"][clip, : FRAMES[clip]], audio_gru)[-1]
        e = np.concatenate([last, inputs["prosody"][clip, 0]])
    if "tokens" in inputs:
        [text_gru] = [each for each in grus if len(each["gates_kernel"]) == 5]
        [table] = [each["embeddings"] for each in found if "embeddings" in each]
        h = gru(table[inputs["tokens"][clip, : WORDS[clip]].astype(int)], text_gru)
    if name == "are":
        return softmax(apply[0](e))
    if name == "tre":
        return softmax(apply[0](h[-1]))
    if name == "mdre":
        halves = {len(each["kernel"]): index for index, each in enumerate(dense[:2])}
        sound, text = apply[halves[5]](e), apply[halves[3]](h[-1])
        return softmax(apply[2](np.concatenate([sound, text])))
    query = apply[0](e)
    attention = softmax(h @ query)
    return softmax(apply[1](np.concatenate([attention @ h, query])))


@pytest.mark.parametrize("name", NAMES)
def test_networks_are_what_loops_compute(name):
    model = small(name)
    inputs = clips(model)
    found = model.predict(inputs, verbose=0)
    for clip in range(3):
        np.testing.assert_allclose(found[clip], by_hand(name, model, inputs, clip), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(name):
    model = small(name)
    shapes = {"audio": (None, 4), "prosody": (1, 2), "tokens": (None,)}
    config = {key: value for key, value in SMALL.items() if name != "are" or key == "units"}
    longer = models.build(
        f"yoon2018-{name}", 4, {key: shapes[key] for key in model.input}, **config
    )
    longer.set_weights(model.get_weights())
    inputs = clips(model)
    padded = {
        key: value
        if key == "prosody"
        else np.pad(value, [(0, 0), (0, 7)] + [(0, 0)] * (value.ndim - 2))
        for key, value in inputs.items()
    }
    np.testing.assert_allclose(
        longer.predict(padded, verbose=0), model.predict(inputs, verbose=0), atol=1e-6
    )


@pytest.mark.parametrize("masked", [False, True])
def test_classic_gru_is_that_of_keras(masked):
    theirs = keras.layers.GRU(3, reset_after=False, return_sequences=True)
    ours = layers.ProjectedRNN(layers.ClassicGRUCell(3), return_sequences=True)
    inputs = noise(4, 7, 5)
    if masked:
        inputs[1, 4:] = inputs[2, 1:] = 0
    first = [keras.layers.Masking()] if masked else []
    nets = [keras.Sequential([keras.Input((7, 5)), *first, each]) for each in (theirs, ours)]
    kernel, recurrent, bias = noise(5, 9, seed=1), noise(3, 9, seed=2), noise(9, seed=3)
    gates, candidate = slice(0, 6), slice(6, 9)
    nets[0].set_weights([kernel, recurrent, bias])
    nets[1].set_weights(
        [part[..., which] for part in (kernel, recurrent, bias) for which in (gates, candidate)]
    )
    losses = []
    for net in nets:
        net.compile(keras.optimizers.SGD(0.1), "mean_squared_error", jit_compile=False)
        losses.append([net.train_on_batch(inputs, noise(4, 7, 3, seed=9)) for _ in range(3)])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    np.testing.assert_allclose(*(net.predict(inputs, verbose=0) for net in nets), atol=1e-5)


def test_weights_start_as_in_the_code():
    model = models.build("yoon2018-mdrea", 4)
    audio, text = [each for each in weights_of(model) if "gates_kernel" in each]
    for each in (audio, text):
        assert (each["gates_bias"] == 1).all()
        assert (each["candidate_bias"] == 0).all()
        recurrent = each["candidate_recurrent"]
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(200), atol=1e-5)
    for each in weights_of(model):
        for name in {"kernel", "embeddings"} & set(each):
            assert 0.24 < np.abs(each[name]).max() <= 0.25


def test_attention_leaves_padding_out_and_takes_a_single_step():
    states, query = noise(2, 3, 4), noise(2, 4, seed=1)
    attend = layers.DotAttention()
    mask = np.array([[True, False, False], [True] * 3])
    found = np.array(attend(states, query, steps_mask=mask))
    np.testing.assert_allclose(found[0], states[0, 0], atol=1e-6)
    weights = softmax(states[1] @ query[1])
    np.testing.assert_allclose(found[1], weights @ states[1], atol=1e-6)
    np.testing.assert_allclose(attend(states[:, :1], query), states[:, 0], atol=1e-6)


def test_without_prosody_the_statistics_are_no_input():
    spec = models.get("yoon2018-mdre:prosody=false")
    assert set(spec.inputs) == {"audio", "tokens"}
    model = models.build(spec.name, 4)
    assert set(model.input) == {"audio", "tokens"}
    # 35 columns fewer in the dense layer, which then has 100 units like that of the text.
    dense = 200 * 100 + 100
    assert model.count_params() == 144_000 + 300_600 + 3747 * 300 + 2 * dense + 200 * 4 + 4


@pytest.mark.parametrize("name", NAMES)
def test_dropout_acts_in_training_alone(name):
    model = small(name)
    inputs = clips(model)
    in_training = [np.array(model(inputs, training=True)) for _ in range(2)]
    assert not np.allclose(*in_training)
    np.testing.assert_array_equal(*(np.array(model(inputs)) for _ in range(2)))
    dropped = small(
        name, **{f"{kind}_dropout": 0.0 for kind in ("audio", "text") if kind in dropouts(name)}
    )
    np.testing.assert_allclose(dropped(inputs, training=True), model(inputs), atol=1e-6)


def dropouts(name: str) -> tuple[str, ...]:
    return {"are": ("audio",), "tre": ("text",)}.get(name, ("audio", "text"))


def test_saved_and_loaded_a_network_with_names_of_its_own_predicts_the_same(tmp_path):
    model = small("mdrea")
    inputs = clips(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
    )
    assert loaded.get_layer("embedding").embeddings.shape == (9, 5)
