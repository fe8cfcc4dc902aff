"""The models of Wang et al. (2020) against their published counts, plain Keras layers and NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emobench import models
from emobench.errors import SpecError
from emobench.models.wang2020 import network

TRAINABLE = {
    "base1": ((513_604, 514_207), (513_604, 514_207)),
    "base2": ((666_452, 667_055), (871_252, 871_855)),
    "base3": ((871_252, 871_855), (1_280_852, 1_281_455)),
    "base4": ((1_537_704, 1_538_910), (2_152_104, 2_153_310)),
    "base5": ((2_051_308, 2_053_117), (2_665_708, 2_667_517)),
    "base6": ((1_180_056, 1_181_262), (1_384_856, 1_386_062)),
    "dslstm": ((1_858_500, 1_859_103), (3_138_500, 3_139_103)),
    "dual": ((2_372_104, 2_373_310), (3_652_104, 3_653_310)),
}
"""For 4 and 7 classes, of the presets "paper" and "authors"."""

LOGGED = {
    "base1": (515_204, 2, ""),
    "base2": (889_748, 2, ""),
    "base3": (1_299_348, 2, ""),
    "base4": (2_189_092, 4, ",base4_fusion=concatenate"),
    "base5": (2_704_296, 6, ",base4_fusion=concatenate"),
    "dslstm": (3_217_092, 0, ""),
    "dual": (3_732_296, 2, ""),
}
"""Trainable parameters in the authors' logs, and how many LSTMs of PyTorch are among them."""

SMALL = {"mfcc": (9, 39), "fine": (20, 40, 1), "coarse": (24, 25, 1)}
"""Shapes of which the convolutions leave some bands, eight steps and four."""


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def small(name: str, **config) -> tuple[keras.Model, dict[str, np.ndarray]]:
    """A model for four classes on small clips, and sixteen of these."""
    shapes = {key: SMALL[key] for key in models.get(name).inputs}
    keras.utils.set_random_seed(0)
    model = models.build(name, 4, shapes, **{"units": 8, **config})
    return model, {key: noise(16, *shape) for key, shape in shapes.items()}


@pytest.mark.parametrize("name", TRAINABLE)
def test_trainable_parameters_are_those_of_the_table(name):
    for preset, counts in zip(("paper", "authors"), TRAINABLE[name], strict=True):
        for n_classes, count in zip((4, 7), counts, strict=True):
            model = models.build(f"wang2020-{name}", n_classes, preset=preset)
            assert trainable(model) == count, (preset, n_classes)
            if name == "dslstm":
                steps = {"paper": 55, "authors": 27}[preset]
                assert model.count_params() - count == 1120 + 3200 * steps


@pytest.mark.parametrize("name", LOGGED)
def test_with_the_authors_kernels_the_counts_are_those_of_their_logs(name):
    count, lstms, options = LOGGED[name]
    kernels = ",kernels=authors" if name != "base1" else ""
    model = models.build(f"wang2020-{name}:preset=authors{kernels}{options}", 4)
    # An LSTM of PyTorch has a second vector of biases.
    assert trainable(model) + lstms * 4 * 200 == count


@pytest.mark.parametrize(
    ("options", "rate", "halve_after"),
    [
        ("", 1e-4, ()),
        (":preset=authors", 1e-3, (10, 20, 30)),
        (":schedule=authors", 1e-3, (10, 20, 30)),
        (":preset=authors,schedule=paper", 1e-4, ()),
        (":preset=authors,learning_rate=0.002", 2e-3, (10, 20, 30)),
        (":learning_rate=0.001", 1e-3, ()),
        (":learning_rate=0.0001,preset=authors", 1e-4, (10, 20, 30)),
        (":preset=authors,learning_rate=0.0001", 1e-4, (10, 20, 30)),
        (":learning_rate=0.0001,schedule=authors", 1e-4, (10, 20, 30)),
    ],
)
def test_presets_bring_their_learning_rate(options, rate, halve_after):
    config = models.get(f"wang2020-dslstm{options}").config
    assert (config.learning_rate, config.halve_after) == (rate, halve_after)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("learning_rate=0.0001,preset=authors", "learning_rate=0.0001,preset=authors"),
        ("preset=authors,learning_rate=1e-4", "learning_rate=0.0001,preset=authors"),
        ("preset=authors,learning_rate=0.001", "preset=authors"),
        ("learning_rate=0.0001", ""),
        ("preset=paper,learning_rate=0.001", "learning_rate=0.001"),
        ("schedule=paper,preset=authors", "preset=authors,schedule=paper"),
    ],
)
def test_a_name_tells_what_is_trained_and_nothing_else(given, name):
    """So that two names never stand for one configuration, nor one name for two."""
    spec = models.get(f"wang2020-dual:{given}")
    assert spec.name == "wang2020-dual" + (f":{name}" if name else "")
    assert models.get(spec.name) == spec


def test_front_ends_follow_the_config():
    found = models.get("wang2020-dual").inputs
    assert [(key, item.feature) for key, item in found.items()] == [
        ("mfcc", "mfcc39"),
        ("fine", "dualmel"),
        ("coarse", "dualmel"),
    ]
    assert dict(found["coarse"].params) == {
        "preset": "paper",
        "resolution": "coarse",
        "time_fit": "interpolate",
    }
    name = "wang2020-base4:preset=authors,time_fit=truncate,frames=fixed"
    assert dict(models.get(name).inputs["fine"].params) == {
        "preset": "authors",
        "resolution": "fine",
        "time_fit": "truncate",
        "frames": 230,
    }
    assert models.shapes(name) == {"fine": (128, 230, 1), "coarse": (256, 120, 1)}
    with pytest.raises(SpecError, match="expected time_fit as one of"):
        models.get("wang2020-base2:time_fit=stretch")
    with pytest.raises(SpecError, match="found 'bn_position'"):
        models.get("wang2020-base2:bn_position=pre")


@pytest.mark.parametrize(
    ("kernels", "name", "size", "padding"),
    [
        ("4x4", "fine", (4, 4), (0, 0)),
        ("authors", "fine", (4, 2), (1, 0)),
        ("authors", "coarse", (2, 4), (0, 1)),
    ],
)
def test_convolutions_are_keras_own_layers_filter_by_filter(kernels, name, size, padding):
    config = models.get(f"wang2020-base4:kernels={kernels}").config
    inputs = keras.Input((21, 26, 1))
    ours = keras.Model(inputs, network._sequence(config, name, inputs))
    x = inputs
    for filters in (64, 16):
        x = keras.layers.ZeroPadding2D(padding)(x)
        x = keras.layers.Conv2D(filters, size)(x)
        x = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        x = keras.layers.MaxPooling2D(2)(keras.layers.ReLU()(x))
    plain = keras.Model(inputs, x)
    weights = [noise(*weight.shape, seed=seed) * 0.3 for seed, weight in enumerate(plain.weights)]
    for place in (5, 11):
        weights[place] = np.abs(weights[place]) + 0.5  # moving variances
    values = noise(6, 21, 26, 1, seed=1)
    for step in range(2):  # before and after a step in which the moving values change
        for model in (ours, plain):
            if step == 0:
                model.set_weights(weights)
            else:
                model(values, training=True)
        maps = plain.predict(values, verbose=0)
        expected = np.stack(
            [
                np.concatenate([maps[:, :, time, part] for part in range(16)], axis=1)
                for time in range(maps.shape[2])
            ],
            axis=1,
        )
        np.testing.assert_allclose(ours.predict(values, verbose=0), expected, atol=1e-4)
    for found, expected in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("wang2020-base4", {"fine": 0.5, "coarse": 0.5}),
        ("wang2020-base5", {"hand": 0.5, "fine": 0.25, "coarse": 0.25}),
        ("wang2020-base6", {"hand": 0.5, "fine": 0.5}),
        ("wang2020-dual", {"hand": 0.5, "raw": 0.5}),
    ],
)
def test_logits_are_averaged_and_losses_weighted_alike(name, shares):
    spec = models.get(name)
    weights = {key: output.weight for key, output in spec.outputs.items() if output.loss}
    assert (weights, spec.prediction) == (shares, "average")
    assert spec.outputs["average"].loss is None
    model, inputs = small(name)
    found = model.predict(inputs, verbose=0)
    assert set(found) == set(spec.outputs)
    mean = sum(share * np.log(found[part]) for part, share in shares.items())
    expected = np.exp(mean) / np.exp(mean).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found["average"], expected, atol=1e-6)


@pytest.mark.parametrize("name", ["wang2020-base4", "wang2020-base5"])
def test_joined_halves_of_base_4_have_one_output_layer(name):
    model, inputs = small(name, base4_fusion="concatenate")
    found = model.predict(inputs, verbose=0)
    np.testing.assert_array_equal(found["fine"], found["coarse"])
    separate, _ = small(name)
    assert separate.count_params() - model.count_params() == 4  # one vector of biases


def test_base_1_averages_over_valid_steps_only():
    model, inputs = small("wang2020-base1")
    inputs["mfcc"][:, 6:] = 0
    inputs["mfcc"][0, 2] = 0  # a silence inside a clip is heard
    plain = keras.Sequential([keras.Input((None, 39))])
    for _ in range(2):
        plain.add(keras.layers.LSTM(8, return_sequences=True))
    plain.add(keras.layers.GlobalAveragePooling1D())
    plain.add(keras.layers.Dense(4, activation="softmax"))
    plain.set_weights(model.get_weights())
    expected = plain.predict(inputs["mfcc"][:, :6], verbose=0)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize(
    "config", [{}, {"bn_position": "pre"}, {"alignment": "window3", "kernels": "authors"}]
)
def test_dual_sequence_network_overfits_sixteen_clips_outside_training(config):
    model, inputs = small("wang2020-dslstm", units=16, **config)
    truth = np.arange(16) % 4
    model.compile(keras.optimizers.Adam(3e-3), "categorical_crossentropy", jit_compile=False)
    for _ in range(30):
        for _ in range(10):
            model.train_on_batch(inputs, np.eye(4, dtype=np.float32)[truth])
        if (model.predict(inputs, verbose=0).argmax(axis=1) == truth).all():
            return
    pytest.fail("some of 16 clips are not learnt after 300 steps")


def test_smallest_clips_are_accepted_and_smaller_ones_refused():
    for name in (f"wang2020-{each}" for each in TRAINABLE):
        least = models.smallest(name)
        models.build(name, 2, least, units=2)
        for key, shape in least.items():
            if key != "mfcc":
                smaller = {**least, key: (shape[0], shape[1] - 1, 1)}
                with pytest.raises(SpecError, match=f"input '{key}' of shape"):
                    models.build(name, 2, smaller)
    assert models.smallest("wang2020-dslstm:alignment=window3")["fine"] == (13, 25, 1)
    with pytest.raises(SpecError, match=r"\(13, 25, 1\) or more, found \(13, 24, 1\)"):
        models.build(
            "wang2020-dslstm:alignment=window3", 2, {"fine": (13, 24, 1), "coarse": (13, 13, 1)}
        )
