"""What losses, and both trainers, make of logits of ±60, for an oracle to judge.

`python -m tests.saturated NETWORK …` prints it for the backend that Keras was started with, given
logits, truth and weights for the losses. Everything that an oracle needs of the networks is told
with it: what the last dense layers saw, their kernels before and after a step, truth and weights.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from emobench import models
from emobench.batches import Batches
from emobench.sources import Source
from emobench.training import losses
from emobench.training.network import Network

CLASSES, CLIPS, SEED, LARGEST = 3, 8, 4, 60.0

FLAT = 1e6
"""An epsilon of Adam's far above every gradient: its first step is then the gradient itself, times
the learning rate, `sqrt(1 - beta_2)` and `1 / FLAT`."""

RATE = FLAT / np.sqrt(1 - 0.999)
"""The learning rate at which these factors are one."""

LOSSES = {"categorical_crossentropy": None, "mean_log_likelihood": "log_softmax"}
"""What an output is made of logits with before a loss sees it."""

HEADS = {
    "librosa-mlp": {"units": 8, "l2": 0.0},
    "mirsamadi2017-frame-lld": {"lstm_units": 4, "dropout": 0.0},
    "wang2020-base6": {"units": 5, "filters": (3, 3), "layers": 1},
    "wang2020-dual": {"units": 5, "filters": (3, 3), "layers": 1},
}
"""A network for each kind of head, made small: probabilities of the clip, log-probabilities of its
frames, several parts whose logits are averaged."""

QUICK = tuple(HEADS)[:3]
"""Those that JAX compiles soon; the last ends like the one before it."""

SHARES = {"hand": 0.25, "fine": 0.75, "raw": 0.75}
"""What the losses of the parts weigh: not the same, so that an exchange is noticed."""

ROWS = {"descriptors": (5, 20), "mfcc": (5, 20)}
SHAPES = {"fine": (16, 30, 1), "coarse": (32, 15, 1)}


def of_loss(name: str, logits: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> dict:
    """Return a loss and its gradient with respect to the logits, clip by clip."""
    columns = logits.shape[1]
    start = keras.Input((columns,))
    layer = keras.layers.Dense(columns, use_bias=False, kernel_initializer="zeros")
    output = keras.layers.Activation(LOSSES[name] or "linear")(layer(start))
    model = keras.Model(start, output)
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=losses.get(name), jit_compile=False)
    found: dict[str, list] = {"loss": [], "gradient": []}
    x = np.eye(1, columns, dtype="float32")
    for row, target, weight in zip(logits, truth, weights, strict=True):
        # The input picks the kernel's first row, which is the logits, and SGD at a rate of 1
        # subtracts the gradient from it.
        layer.kernel.assign(np.vstack([row, np.zeros((columns - 1, columns))]))
        loss = model.train_on_batch(x, target[None], sample_weight=weight[None])
        moved = keras.ops.convert_to_numpy(layer.kernel)[0]
        found["loss"].append(float(loss))
        found["gradient"].append((row - moved).tolist())
    return found


def of_head(name: str) -> dict:
    """Return what a step from a saturated start makes of a network, alone and, on JAX, together."""
    spec = models.get(name)
    small = {**HEADS[name], "learning_rate": RATE, "batch_size": CLIPS}
    outputs = {
        output: replace(one, weight=SHARES.get(output, 1.0)) if one.loss else one
        for output, one in spec.outputs.items()
    }
    spec = replace(spec, config=replace(spec.config, **small), outputs=outputs)
    shapes = {key: SHAPES.get(key, shape) for key, shape in models.shapes(name).items()}
    network = Network(spec, shapes, CLASSES)
    for each in (network.model, network.learner):
        each.run_eagerly = keras.backend.backend() == "tensorflow"  # tracing takes longer
    network.learner.optimizer.epsilon = FLAT
    batches = _batches(network, shapes)
    inputs = {key: one.stack(batches.positions, _longest(one)) for key, one in _sources(shapes)}
    network.restart(SEED)
    heads = _heads(network)
    tables, found = {}, {}
    for output, head in heads.items():
        # What a head sees is the same in training as in the step, as nothing is dropped.
        states = _seen(keras.Model(network.model.inputs, head.input), inputs)
        kernel = np.random.default_rng(1).normal(size=head.kernel.shape)
        tables[head.name] = kernel * LARGEST / np.abs(states @ kernel).max()
        found[output] = {"states": states.tolist(), "kernel": tables[head.name].tolist()}
    return {
        "heads": found,
        "shares": {output: spec.outputs[output].weight for output in heads},
        "truth": batches.targets.tolist(),
        "weights": batches.weights.tolist(),
        "lengths": [int(n) for n in dict(_sources(shapes))[next(iter(shapes))].lengths],
        "alone": _alone(network, tables, batches),
        "together": _together(network, spec, tables, batches),
    }


def _seen(below: keras.Model, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the outputs of layers in training, which here drop nothing."""
    run = below.stateless_call
    if keras.backend.backend() == "jax":
        run = sys.modules["jax"].jit(run, static_argnames="training")
    weights = (
        [variable.value for variable in variables]
        for variables in (below.trainable_variables, below.non_trainable_variables)
    )
    return keras.ops.convert_to_numpy(run(*weights, inputs, training=True)[0])


def _alone(network: Network, tables: Mapping[str, np.ndarray], batches: Batches) -> dict:
    network.restart(SEED, (tables,))
    [loss] = network.fit(batches, 1, lambda done, loss: None)
    values = map(keras.ops.convert_to_numpy, network.model.variables)
    return {"loss": loss, "changes": _changes(network, tables, list(values))}


def _together(
    network: Network, spec: Any, tables: Mapping[str, np.ndarray], batches: Batches
) -> dict | None:
    """Return the same of the trainer that takes several; what it does with those is no matter."""
    if keras.backend.backend() != "jax":
        return None
    from emobench.training.stacked_batches import Member
    from emobench.training.together import train

    [found] = train(network, spec, [Member(SEED, (tables,), batches)], 1, lambda *_: None)
    return {"loss": found.loss[0], "changes": _changes(network, tables, found.variables)}


def _changes(network: Network, tables: Mapping[str, np.ndarray], values: Any) -> dict:
    """Return what was subtracted from the kernels and biases of the heads."""
    known = {id(v): value for v, value in zip(network.model.variables, values, strict=True)}
    return {
        output: {
            "kernel": (tables[head.name] - known[id(head.kernel)]).tolist(),
            "bias": (-known[id(head.bias)]).tolist(),  # it begins with zeros
        }
        for output, head in _heads(network).items()
    }


def _heads(network: Network) -> dict[str, Any]:
    """Return the last dense layer of each output that is trained."""
    dense = [layer for layer in network.model.layers if isinstance(layer, keras.layers.Dense)]
    last = [layer for layer in dense if layer.units == CLASSES]
    trained = network.learner.output
    if len(last) == 1:
        return {(network.trained_outputs or ("probabilities",))[0]: last[0]}
    return {output: next(head for head in last if head.output is trained[output])
            for output in network.trained_outputs}  # fmt: skip


def _sources(shapes: Mapping[str, tuple[int | None, ...]]) -> list[tuple[str, Source]]:
    """Return noise by the name of the input, of varied lengths where they are open."""
    made = []
    for name, shape in shapes.items():
        draw = np.random.default_rng(2)
        rows = shape[0]
        lengths = np.full(CLIPS, rows) if rows else draw.integers(*ROWS[name], CLIPS)
        values = [draw.normal(size=(n, *shape[1:])).astype(np.float32) for n in lengths]
        made.append((name, Source(values.__getitem__, lengths)))
    return made


def _longest(source: Source) -> int:
    return int(source.lengths.max())


def _batches(network: Network, shapes: Mapping[str, tuple[int | None, ...]]) -> Batches:
    return Batches(
        dict(_sources(shapes)),
        np.arange(CLIPS),
        targets=np.eye(CLASSES, dtype=np.float32)[np.arange(CLIPS) % CLASSES],
        weights=np.linspace(0.5, 2, CLIPS, dtype=np.float32),
        batch_size=CLIPS,
        batching="padded-length",
        outputs=network.trained_outputs,
        seed=0,
    )


if __name__ == "__main__":
    asked = [np.array(each, "float32") for each in json.load(sys.stdin)]
    told = {"losses": {name: of_loss(name, *asked) for name in LOSSES}}
    print(json.dumps(told | {"heads": {name: of_head(name) for name in sys.argv[1:]}}))
