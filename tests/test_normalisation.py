"""Statistics of batch normalisation that are measured after training, against NumPy."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from emobench import models, protocols
from emobench.batches import Batches
from emobench.models.layers import ConvolutionBlock, StepNormalization, by_batch
from emobench.sources import Source
from emobench.training import network_fold
from emobench.training.network import Network
from emobench.training.normalisation import choose_statistics

CLIPS = np.random.default_rng(0).normal(3, 2, (24, 12, 6)).astype(np.float32)
LABELS = np.arange(24) % 3
EVERY = np.arange(24)


def one_block(config, shapes, n_classes):
    """A normalised convolution, with dropout that measuring must not feel."""
    picture = keras.Input(shapes["spectrogram"], name="spectrogram")
    x = keras.layers.Dropout(0.5)(keras.layers.Reshape((12, 6, 1))(picture))
    x = ConvolutionBlock(4, (3, 3))(x)
    logits = keras.layers.Dense(n_classes)(keras.layers.Flatten()(x))
    return keras.Model({"spectrogram": picture}, keras.layers.Softmax()(logits))


def made(**more):
    source = Source(lambda position: CLIPS[position], np.full(len(CLIPS), 12))
    return Batches({"spectrogram": source}, EVERY, batch_size=10, batching="padded-length", **more)


@pytest.fixture
def network():
    spec = replace(models.get("zhao2019"), build=one_block)
    built = Network(spec, {"spectrogram": (12, 6)}, 3)
    built.restart(5)
    truth = np.eye(3, dtype=np.float32)[LABELS]
    built.fit(
        made(seed=1, targets=truth, weights=np.ones(24, np.float32)), 2, lambda done, loss: None
    )
    return built


def moments(network, batches):
    """Mean and variance of each map, averaged over batches by their own clips."""
    kernel, bias = network.model.get_weights()[:2]
    convolution = keras.layers.Conv2D(4, 3)
    convolution.build((None, 12, 6, 1))
    convolution.set_weights([kernel, bias])
    mean, variance, count = np.zeros(4), np.zeros(4), 0
    for batch in batches.current:
        maps = np.asarray(convolution(CLIPS[batch.members][..., None])).reshape(-1, 4)
        own = batch.counted.sum()
        mean, variance = mean + own * maps.mean(axis=0), variance + own * maps.var(axis=0)
        count += own
    return mean / count, variance / count


def tables(network):
    return [np.asarray(v) for v in network.model.variables if v.name.startswith("moving")]


def test_recomputed_statistics_are_those_of_the_training_clips(network):
    choose_statistics(network, "recomputed", made(seed=1), made(), LABELS)
    for found, expected in zip(tables(network), moments(network, made(seed=1)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_running_statistics_stay_as_they_were_collected(network):
    before = network.model.get_weights()
    facts = choose_statistics(network, "running", made(seed=1), made(), LABELS)
    for one, other in zip(before, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert facts["statistics"] == "running"
    assert set(facts["training_uar"]) == {"running", "batch"}


def test_a_network_that_its_statistics_lag_behind_is_warned_of(network):
    head = network.model.layers[-2]
    head.kernel.assign(np.random.default_rng(1).normal(size=head.kernel.shape))
    composed, plain = made(seed=1), made()
    rows = [network.predict_by_batch(composed.inputs(batch)) for batch in composed.current]
    labels = composed.scatter(np.concatenate(rows)).argmax(axis=1)  # by batch it is never wrong
    for table in network.model.variables:
        if table.name == "moving_mean":
            table.assign(np.full(4, -40.0))  # nothing like a clip's
    facts = choose_statistics(network, "running", composed, plain, labels)
    assert facts["training_uar"]["batch"] == 1
    (warning,) = facts["warnings"]
    assert "by running statistics of batch normalisation the UAR on the training clips" in warning
    facts = choose_statistics(network, "recomputed", composed, plain, labels)
    assert facts["training_uar"]["recomputed"] > 0.8
    assert "warnings" not in facts


def test_predicting_by_the_batch_is_training_without_dropout(network):
    clips = {"spectrogram": CLIPS[:9]}
    with by_batch():
        measured = np.asarray(network.model(clips, training=False))
    for layer in network.model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    np.testing.assert_allclose(measured, np.asarray(network.model(clips, training=True)), atol=1e-6)
    np.testing.assert_allclose(measured, network.predict_by_batch(clips), atol=1e-6)


def test_every_step_counts_alike_where_steps_share_statistics():
    layer = StepNormalization()
    values = np.random.default_rng(2).normal(size=(8, 5, 3)).astype(np.float32)
    with by_batch():
        layer(values)
    mean, variance = (np.asarray(table) for table in (layer.moving_mean, layer.moving_variance))
    np.testing.assert_allclose(mean, values.mean(axis=(0, 1)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(variance, values.var(axis=0).mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("protocol", "option", "expected"),
    [
        ("losgo", "protocol", "recomputed"),
        ("losgo", "running", "running"),
        ("keesing2020", "protocol", "running"),
        ("keesing2020", "recomputed", "recomputed"),
        ("wang2020-random5", "protocol", "running"),
    ],
)
def test_the_option_has_the_last_word_over_the_protocol(protocol, option, expected):
    model = models.get(f"zhao2019:statistics={option}")
    context = SimpleNamespace(protocol=protocols.get(protocol), model=model)
    assert network_fold._statistics(context) == expected


def test_every_model_with_batch_normalisation_has_the_option():
    for name in models.names():
        spec = models.get(name)
        if spec.kind != "network":
            continue
        model = models.build(name, 3)
        normalised = any(
            value.name in ("moving_mean", "moving_variance") for value in model.variables
        )
        assert hasattr(spec.config, "statistics") == normalised, name


ON_JAX = """
import numpy as np
from tests.test_normalisation import LABELS, made, moments, network, choose_statistics, tables
built = network.__wrapped__()
choose_statistics(built, "recomputed", made(seed=1), made(), LABELS)
for found, expected in zip(tables(built), moments(built, made(seed=1)), strict=True):
    np.testing.assert_allclose(found, expected, rtol=1e-4)
"""


def test_statistics_are_measured_on_jax_too():
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
