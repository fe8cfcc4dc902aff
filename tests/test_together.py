"""Folds that are trained at once learn what each learns alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from emobench import corpora, models, protocols
from emobench.batches import Batches
from emobench.experiments import parts
from emobench.sources import Source
from emobench.training.network import Network
from emobench.training.stacked_batches import Member
from emobench.training.together import obstacle, train

STEPS = 20

SMALL = {
    "aldeneh2017-logmel40": {"filters": 6, "units": 8, "learning_rate": 1e-3},
    "latif2019": {"filters": 4, "maps": 4, "lstm_units": 5, "units": 6, "learning_rate": 1e-3},
    "zhao2019": {"lstm_units": 4, "maps": (3, 4, 4), "units": 5, "learning_rate": 1e-3},
    "mirsamadi2017-attention-lld": {"lstm_units": 5},
    "mirsamadi2017-frame-lld": {"lstm_units": 5},
    "wang2020-dual": {"units": 5, "filters": (3, 3), "halve_after": (1, 2)},
    "krishna2019-combined-word": {"lstm_units": 4, "units": 5, "vocabulary": 30},
}
ROWS = {"logmel": (64, 400), "waveform": (16000, 24000), "spectrogram": (64, 64)}
SHAPES = {"fine": (64, 48, 1), "coarse": (128, 24, 1), "tokens": (12,)}


def sources(spec, shapes, clips):
    """Noise of varied length, or of one where the network has one."""
    made = {}
    for name, shape in shapes.items():
        draw = np.random.default_rng(1)
        if name in SHAPES:
            kind = draw.integers(1, 30, (clips, *shape)) if name == "tokens" else None
            values = draw.normal(size=(clips, *shape)) if kind is None else kind
            made[name] = Source(values.astype(np.float32).__getitem__, np.full(clips, shape[0]))
            continue
        lengths = draw.integers(*ROWS.get(name, (20, 300)), clips, endpoint=True)
        values = [draw.normal(size=(n, shape[1])).astype(np.float32) for n in lengths]
        multiple = 4000 if name == "waveform" else 64
        made[name] = Source(values.__getitem__, lengths, multiple, multiple)
    return made


def setting(name, batching):
    """A small network, and three members that differ in seed, clips and number of steps."""
    spec = models.get(name)
    spec = replace(spec, config=replace(spec.config, batch_size=8, **SMALL[name]))
    known = dict(models.shapes(name))
    shapes = {
        key: SHAPES.get(key, (ROWS[key][0] if ROWS.get(key, (0, 1))[0] == ROWS.get(key, (0, 1))[1]
                              else None, *shape[1:]))
        for key, shape in known.items()
    }  # fmt: skip
    network = Network(spec, shapes, 3)
    feed = sources(spec, shapes, 40)
    truth = np.eye(3, dtype=np.float32)[np.arange(40) % 3]
    weights = np.linspace(0.5, 2, 40, dtype=np.float32)

    def member(seed, clips):
        batches = Batches(
            feed,
            clips,
            targets=truth[clips],
            weights=weights[clips],
            batch_size=8,
            batching=batching,
            outputs=network.trained_outputs,
            seed=seed,
        )
        return Member(seed, (), batches)

    parts = [np.arange(40)[3:], np.arange(40)[::2], np.arange(39)]
    return spec, network, [lambda s=s, c=c: member(s, c) for s, c in enumerate(parts)]


def compare(name, batching):
    """Return the losses and the predictions of members alone and together."""
    spec, network, members = setting(name, batching)
    assert obstacle(spec, protocols.get("losgo")) == ""
    epochs = STEPS // 3
    together = train(network, spec, [make() for make in members], epochs, lambda *_: None)
    found = []
    for make, joint in zip(members, together, strict=True):
        alone = make()
        network.restart(alone.seed)
        losses = network.fit(alone.batches, epochs, lambda *_: None)
        plain = Batches(
            alone.batches.sources, alone.batches.positions, batch_size=8, batching=batching
        )
        mine = network.predict(plain)
        for variable, value in zip(network.model.variables, joint.variables, strict=True):
            variable.assign(value)
        apart = float(np.abs(network.predict(plain) - mine).max())
        found.append((list(losses), list(joint.loss), apart))
    return found


ON_JAX = """
import json, sys
from tests.test_together import compare
print(json.dumps(compare(*sys.argv[1:])))
"""


def run_on_jax(program, *arguments):
    """Return what a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


QUICK = [("aldeneh2017-logmel40", "padded-length")]
SORTED = [(name, "sorted") for name in ("aldeneh2017-logmel40", "latif2019")]
EVERY = [*((name, "padded-length") for name in SMALL), *SORTED]


@pytest.mark.parametrize(
    ("name", "batching"),
    [
        *QUICK,
        *(pytest.param(*each, marks=pytest.mark.slow) for each in EVERY if each not in QUICK),
    ],
)
def test_a_member_learns_what_it_learns_alone(name, batching):
    pytest.importorskip("jax")
    told = run_on_jax(ON_JAX, name, batching)
    for alone, together, apart in json.loads(told.splitlines()[-1]):
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)
        assert alone[-1] != alone[0]
        assert apart < 1e-3


GROUPS = """
import json
import re
import jax
import jax.numpy as jnp
import numpy as np
from keras import ops
from emobench.training.one_by_one import convolve

draw = np.random.default_rng(0)
for shape, size in (((8, 50, 6), (5, 6, 7)), ((3, 20, 9, 2), (3, 4, 2, 5))):
    inputs = jnp.asarray(draw.normal(size=(4, *shape)), jnp.float32)
    kernels = jnp.asarray(draw.normal(size=(4, *size)), jnp.float32)
    for padding in ("valid", "same"):
        found = []
        for made in (convolve, lambda x, k, padding: ops.conv(x, k, padding=padding)):
            loss = lambda x, k: jnp.sum(jnp.tanh(made(x, k, padding)))
            learn = jax.jit(jax.vmap(jax.value_and_grad(loss, argnums=(0, 1))))
            program = learn.lower(inputs, kernels).as_text()
            groups = set(re.findall(r"_group_count = (\\d+)", program))
            found.append((groups, jax.tree.leaves(learn(inputs, kernels))))
        (ours, one), (stacked, other) = found
        apart = [
            float(np.abs((mine - theirs) / (1 + np.abs(theirs))).max())
            for mine, theirs in zip(one, other, strict=True)
        ]
        print(json.dumps([sorted(ours), sorted(stacked), apart]))
"""


def test_convolutions_of_several_members_are_not_made_one_of_groups():
    """Of those cuDNN computes gradients by a detour; values and gradients are the same."""
    pytest.importorskip("jax")
    told = [json.loads(line) for line in run_on_jax(GROUPS).splitlines()]
    assert len(told) == 4
    for ours, stacked, apart in told:
        assert (ours, stacked) == (["1"], ["1", "4"])
        assert max(apart) < 1e-4


def test_what_cannot_be_trained_together_says_why(monkeypatch):
    def reason(name, protocol="losgo"):
        return obstacle(models.get(name), protocols.get(protocol))

    assert reason("latif2019") == "the backend is not JAX"
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert reason("aldeneh2017-logmel40") == reason("aldeneh2017-spec240") == ""
    assert reason("latif2019", "wang2020-random5") == "its epochs are chosen while it trains"
    assert reason("yoon2018-are") == "its epochs are chosen while it trains"
    assert reason("librosa-mlp:l2=0.001") == "its epochs are chosen while it trains"


def test_the_fingerprint_knows_the_trainer_of_several_where_it_takes_them(monkeypatch):
    corpus = corpora.load_registry().get("emo-db")

    def used(name, protocol, backend="jax"):
        return parts(models.get(name), protocols.get(protocol), corpus, backend)

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    found = {
        (name, protocol): "training together" in used(name, protocol)
        for name in (*models.names(), "librosa-mlp:l2=0.001")
        for protocol in protocols.names()
    }
    for (name, protocol), told in found.items():
        spec = models.get(name)
        taken = spec.kind == "network" and obstacle(spec, protocols.get(protocol)) == ""
        assert told == taken, (name, protocol)
    assert {True, False} == set(found.values())
    assert "training together" not in used("latif2019", "losgo", "tensorflow")
