"""The loss of logits, on every backend, where that of probabilities would have no gradient."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import saturated

from emobench import models
from emobench.errors import SpecError
from emobench.models import aldeneh2017
from emobench.training import losses

BACKENDS = ["tensorflow", "jax"]
ROOT = Path(__file__).parent.parent

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


def run(arguments, backend, text=""):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [sys.executable, *arguments],
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def saturated_clips():
    """Logits of ±60, the truth and what each clip weighs."""
    draw = np.random.default_rng(3)
    logits = np.array([[60, -60, 0], [-60, 60, 0], [0, 0, 0], [-60, -60, 60], [59, 60, -60]], float)
    logits = np.concatenate([logits, draw.uniform(-60, 60, (6, 3))])
    truth = np.eye(3)[[1, 1, 0, 0, 0, *draw.integers(0, 3, 6)]]
    return logits, truth, draw.uniform(0.2, 3, len(logits))


def log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


@pytest.fixture(scope="module", params=BACKENDS)
def answers(request):
    """What losses and networks give on a backend, all in one process of its own."""
    asked = json.dumps([each.tolist() for each in saturated_clips()])
    return run(["-m", "tests.saturated", *saturated.QUICK], request.param, asked)


def test_every_loss_and_every_kind_of_head_has_an_oracle():
    def kinds(names):
        outputs = [models.get(name).outputs.values() for name in names]
        return {frozenset(out.loss for out in one) for one in outputs}

    networks = [name for name in models.names() if models.get(name).kind == "network"]
    assert kinds(saturated.QUICK) == kinds(networks)
    assert set.union(*map(set, kinds(networks))) - {None} == set(saturated.LOSSES)


@pytest.mark.parametrize("name", saturated.LOSSES)
def test_loss_and_gradient_are_the_formula_where_probabilities_vanish(name, answers):
    logits, truth, weights = saturated_clips()
    loss = -weights * (truth * log_softmax(logits)).sum(axis=1)
    gradient = weights[:, None] * (np.exp(log_softmax(logits)) - truth)
    found = answers["losses"][name]
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["gradient"], gradient, rtol=1e-4, atol=1e-5)
    assert loss.max() > 100
    assert np.abs(np.array(found["gradient"])).max() > 1


def expected_of(found):
    """Loss and gradients of a network's heads, frame by frame where they see frames."""
    truth, weights = np.array(found["truth"]), np.array(found["weights"])
    total, gradients, largest = 0.0, {}, 0.0
    for output, head in found["heads"].items():
        states, kernel = np.array(head["states"]), np.array(head["kernel"])
        of_kernel, of_bias = np.zeros_like(kernel), np.zeros(kernel.shape[1])
        for clip, seen in enumerate(states):
            frames = seen[: found["lengths"][clip]] if seen.ndim == 2 else seen[None]
            share = found["shares"][output] * weights[clip] / len(states) / len(frames)
            for frame in frames:
                told = log_softmax(frame @ kernel)
                slope = share * (np.exp(told) - truth[clip])
                total -= share * told @ truth[clip]
                of_kernel += np.outer(frame, slope)
                of_bias += slope
                largest = max(largest, *np.abs(frame @ kernel))
        gradients[output] = {"kernel": of_kernel, "bias": of_bias}
    return total, gradients, largest


def check_head(found, trainers):
    loss, gradients, largest = expected_of(found)
    assert largest == pytest.approx(60, rel=0.05)
    assert loss > 5
    for trainer in trainers:
        assert found[trainer]["loss"] == pytest.approx(loss, rel=1e-5)
        for output, parts in gradients.items():
            for part, expected in parts.items():
                step = np.array(found[trainer]["changes"][output][part])
                np.testing.assert_allclose(step, expected, rtol=1e-3, atol=1e-4, err_msg=part)
                assert np.abs(step).max() > 0.01


def trainers_of(found):
    return [trainer for trainer in ("alone", "together") if found[trainer]]


@pytest.mark.parametrize("name", saturated.QUICK)
def test_every_kind_of_head_learns_by_the_formula_alone_and_together(name, answers):
    found = answers["heads"][name]
    check_head(found, trainers_of(found))


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_parts_over_a_dual_sequence_lstm_learn_by_the_formula(backend):
    asked = json.dumps([each.tolist() for each in saturated_clips()])
    told = run(["-m", "tests.saturated", "wang2020-dual"], backend, asked)
    found = told["heads"]["wang2020-dual"]
    check_head(found, trainers_of(found))


@pytest.mark.slow
def test_thirty_steps_from_a_saturated_start_agree_between_backends():
    found = {backend: run(["-c", STEPS], backend) for backend in BACKENDS}
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
