"""The loss of logits, on every backend, where that of probabilities would have no gradient."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from emobench.errors import SpecError
from emobench.models import aldeneh2017
from emobench.training import losses

BACKENDS = ["tensorflow", "jax"]

GRADIENT = """
import sys, json, numpy as np, keras
from emobench.training.losses import cross_entropy
logits, truth, weights = (np.array(each, "float32") for each in json.load(sys.stdin))
# A network that only adds its one weight to nothing: its gradient is that of the logits.
start = keras.Input((logits.shape[1],))
layer = keras.layers.Dense(logits.shape[1], use_bias=False, kernel_initializer="zeros")
model = keras.Model(start, layer(start))
model.compile(optimizer=keras.optimizers.SGD(1.0), loss=cross_entropy, jit_compile=False)
found = {"loss": [], "gradient": []}
for row, target, weight in zip(logits, truth, weights):
    # Inputs of one: the kernel's first row is the logits, and SGD at rate 1 subtracts the gradient.
    kernel = np.zeros((len(row), len(row)), "float32"); kernel[0] = row
    layer.kernel.assign(kernel)
    x = np.eye(1, len(row), dtype="float32")
    found["loss"].append(float(model.train_on_batch(x, target[None], sample_weight=weight[None])))
    moved = keras.ops.convert_to_numpy(layer.kernel)[0]
    found["gradient"].append([float(v) for v in row - moved])
print(json.dumps(found))
"""

STEPS = """
import sys, json, numpy as np, keras
from dataclasses import replace
from emobench import models
from emobench.batches import Batches
from emobench.sources import Source
from emobench.training.network import Network
spec = models.get("aldeneh2017-logmel40")
spec = replace(spec, config=replace(spec.config, filters=8, units=12, learning_rate=1e-3))
network = Network(spec, {"logmel": (64, 40)}, 3)
draw = np.random.default_rng(0)
network.model.set_weights([
    draw.normal(0, np.sqrt(2 / np.prod(w.shape[:-1])), w.shape).astype("float32") if w.ndim > 1
    else np.zeros(w.shape, "float32") for w in network.model.get_weights()])
clips = 25 * draw.normal(size=(32, 64, 40)).astype("float32")  # far beyond what scaling gives
truth = np.eye(3, dtype="float32")[np.arange(32) % 3]
source = Source(lambda position: clips[position], np.full(32, 64))
batches = Batches({"logmel": source}, np.arange(32), targets=truth, weights=np.ones(32, "float32"),
                  batch_size=32, batching="padded-length", seed=0)
start = network.model.predict({"logmel": clips}, verbose=0)
went = network.fit(batches, 30, lambda done, loss: None)
print(json.dumps({"loss": went, "least": float((start * truth).sum(axis=1).min())}))
"""


def run(code, backend, text=""):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_loss_and_gradient_are_the_formula_where_probabilities_vanish(backend):
    draw = np.random.default_rng(3)
    logits = np.array([[60, -60, 0], [-60, 60, 0], [0, 0, 0], [-60, -60, 60], [59, 60, -60]], float)
    logits = np.concatenate([logits, draw.uniform(-60, 60, (6, 3))])
    truth = np.eye(3)[[1, 1, 0, 0, 0, *draw.integers(0, 3, 6)]]
    weights = draw.uniform(0.2, 3, len(logits))
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -weights * (truth * log_probabilities).sum(axis=1)
    gradient = weights[:, None] * (np.exp(log_probabilities) - truth)
    found = run(GRADIENT, backend, json.dumps([each.tolist() for each in (logits, truth, weights)]))
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["gradient"], gradient, rtol=1e-4, atol=1e-5)
    assert loss.max() > 100
    assert np.abs(np.array(found["gradient"])).max() > 1


@pytest.mark.slow
def test_thirty_steps_from_a_saturated_start_agree_between_backends():
    found = {backend: run(STEPS, backend) for backend in BACKENDS}
    assert found["tensorflow"]["least"] < 1e-7  # where the loss of probabilities would be stuck
    one, other = (np.array(found[backend]["loss"]) for backend in BACKENDS)
    assert one[0] > 16.2
    assert one[-1] < 0.5 * one[0]
    np.testing.assert_allclose(one, other, rtol=2e-3)


def test_a_network_that_ends_without_a_softmax_layer_is_refused():
    start = keras.Input((4,))
    model = keras.Model(start, keras.layers.Dense(3, activation="softmax")(start))
    with pytest.raises(SpecError, match="Softmax layer: the loss is computed from the logits"):
        losses.trained_output(model, "mine", model.output, "categorical_crossentropy")


def test_the_logits_are_what_the_softmax_is_given():
    model = aldeneh2017.build(aldeneh2017.Config(filters=4, units=5), {"logmel": (64, 40)}, 3)
    learner = keras.Model(
        model.input,
        losses.trained_output(model, "aldeneh2017", model.output, "categorical_crossentropy"),
    )
    clips = np.random.default_rng(0).normal(size=(3, 64, 40)).astype(np.float32)
    logits = learner.predict({"logmel": clips}, verbose=0)
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = exponential / exponential.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict({"logmel": clips}, verbose=0), expected, rtol=1e-5)
