"""Answers of the networks: as drawn from a seed, and after a few steps of training.

The numbers are those of TensorFlow on a CPU: every backend draws its own random numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from emobench import models
from emobench.sources import Source
from emobench.spec import ModelSpec
from emobench.versions import VERSIONS

from .entries import Entry, few

CLASSES = 4
CLIPS = 6
STEPS = 3
SEED = 5
TRAINER = ("batching", "training")
SETTINGS = (
    *("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad", "weight_decay"),
    *("clipnorm", "global_clipnorm", "clipvalue", "use_ema"),
)


def measures() -> Iterator[tuple[str, Any]]:
    """Yield the name of each network, fresh and trained, and what measures it."""
    for name in models.names():
        if models.get(name).kind == "network":
            yield f"network {name}", lambda name=name: _of(name)[0]
            yield f"training {name}", lambda name=name: _of(name)[1]


@cache
def _of(name: str) -> tuple[Entry, Entry]:
    return answer(models.get(name))


def answer(spec: ModelSpec) -> tuple[Entry, Entry]:
    """Return what a network is and predicts at first; and how it learns, and what it predicts then.

    Args:
        spec: the network
    """
    from emobench.training.network import Network

    inputs = noise(spec)
    network = Network(spec, shapes_of(spec), CLASSES)
    for each in (network.model, network.learner):
        each.run_eagerly = True  # the same numbers; tracing takes thrice the time
    network.restart(SEED)
    weights = [_as_array(weight) for weight in network.model.weights]
    fresh = {
        "parameters": network.model.count_params(),
        "weights": few([np.sqrt(np.mean(weight**2)) for weight in weights], 100),
        "outputs": _outputs(spec, network, inputs),
    }
    before = variables_of(network)
    batches = batches_of(spec, network, inputs, learn=True)
    losses = network.fit(batches, STEPS, lambda done, loss: None)
    trained = {
        "optimizer": _settings(network.learner.optimizer),
        **learnt(spec, network, inputs, before, losses),
    }
    parts = {part: VERSIONS[part] for part in TRAINER}
    return (
        Entry({"model": spec.version}, fresh),
        Entry({"model": spec.version, **parts}, trained),
    )


def learnt(
    spec: ModelSpec,
    network: Any,
    inputs: dict[str, np.ndarray],
    before: dict[bool, list[np.ndarray]],
    losses: Sequence[float],
) -> dict[str, Any]:
    """Return what training did to a network.

    Args:
        spec: the network
        network: trained
        inputs: what it is asked to predict
        before: what `variables_of` gave before it was trained
        losses: of its training
    """
    after = variables_of(network)
    rate = spec.config.learning_rate
    return {
        "losses": few(losses),
        "changes in learning rates": few(_distance(before[True], after[True]) / rate),
        "changes of statistics": few(_distance(before[False], after[False])),
        "trained outputs": _outputs(spec, network, inputs),
    }


def _outputs(spec: ModelSpec, network: Any, inputs: dict[str, np.ndarray]) -> list[float]:
    """Return logits around their mean: probabilities of a fresh network hardly differ."""
    chances = network.predict(batches_of(spec, network, inputs, learn=False)).astype(np.float64)
    logits = np.log(np.maximum(chances, 1e-30))
    return few(logits - logits.mean(axis=1, keepdims=True))


def _settings(optimizer: Any) -> str:
    """Return everything that an optimizer was told."""
    known = optimizer.get_config()
    told = {key: known.get(key) for key in SETTINGS}
    plain = {key: f"{one:.5g}" if isinstance(one, float) else one for key, one in told.items()}
    return f"{type(optimizer).__name__} {plain}"


def shapes_of(spec: ModelSpec) -> dict[str, tuple[int | None, ...]]:
    """Return the shapes of inputs as in a run: of any length where the paper's are."""
    return {
        key: (None if paper[0] is None else _rows(spec, key), *_inner(spec, key))
        for key, paper in models.shapes(spec.name).items()
    }


def _rows(spec: ModelSpec, key: str) -> int:
    paper, least = models.shapes(spec.name)[key], models.smallest(spec.name)[key]
    rows = least[0] if len(paper) == 3 else max(2 * least[0], 6)
    return min(rows, paper[0] or rows)


def _inner(spec: ModelSpec, key: str) -> tuple[int, ...]:
    paper, least = models.shapes(spec.name)[key], models.smallest(spec.name)[key]
    return least[1:] if len(paper) == 3 else paper[1:]


def noise(spec: ModelSpec) -> dict[str, np.ndarray]:
    """Return noise, or words where a text is read; the last rows of two clips are padding."""
    random = np.random.default_rng(0)
    made = {}
    for key in models.shapes(spec.name):
        rows, inner = _rows(spec, key), _inner(spec, key)
        if spec.inputs[key].feature == "tokens":
            values = random.integers(1, 3747, (CLIPS, rows, *inner)).astype(np.float32)
        else:
            values = random.standard_normal((CLIPS, rows, *inner), np.float32)
        if rows > 2 and len(inner) < 2:
            values[:2, -(rows // 3) :] = 0
        made[key] = values
    return made


def batches_of(spec: ModelSpec, network: Any, inputs: dict[str, np.ndarray], *, learn: bool) -> Any:
    """Return the clips as one batch, whose members weigh differently."""
    from emobench.batches import Batches

    sources = {
        key: Source(values.__getitem__, np.full(CLIPS, values.shape[1]))
        for key, values in inputs.items()
    }
    labelled = {
        "targets": np.eye(CLASSES, dtype=np.float32)[np.arange(CLIPS) % CLASSES],
        "weights": np.linspace(0.5, 1.5, CLIPS, dtype=np.float32),
        "outputs": network.trained_outputs,
        "seed": SEED,
    }
    return Batches(
        sources,
        np.arange(CLIPS),
        batch_size=spec.config.batch_size,
        batching="padded-length",
        **(labelled if learn else {}),
    )


def variables_of(network: Any) -> dict[bool, list[np.ndarray]]:
    """Return trained variables and those that training only notes down, such as statistics."""
    parts: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for weight in network.model.weights:
        parts[weight.trainable].append(_as_array(weight))
    return parts


def _as_array(weight: Any) -> np.ndarray:
    import keras

    return keras.ops.convert_to_numpy(weight).astype(np.float64)


def _distance(before: list[np.ndarray], after: list[np.ndarray]) -> float:
    """Return the root mean square of what changed; 0 where there is nothing."""
    squares = [((two - one) ** 2).ravel() for one, two in zip(before, after, strict=True)]
    return float(np.sqrt(np.concatenate(squares).mean())) if squares else 0.0
