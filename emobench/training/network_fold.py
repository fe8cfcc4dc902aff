"""Training a network on a fold and testing it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import folds, weights
from ..batches import Batches
from ..spec import Development, Fold, Job, fingerprint
from . import grid
from .attending import attention
from .context import Context
from .inputs import Prepared
from .network import Network

Report = Callable[[int, int, float], None]
"""Called with finished epochs, epochs in all, and the training loss."""

_networks: dict[str, Network] = {}
_searches: dict[str, grid.Found] = {}


@dataclass(frozen=True)
class Trained:
    """A network after a fold.

    Attributes:
        network: with the weights that are used
        probabilities: of the fold's test clips, of shape `(test clips, classes)`
        facts: what is to be recorded
        attention: weights of the rows of each test clip, for networks whose pooling attends
    """

    network: Network
    probabilities: np.ndarray
    facts: dict[str, Any]
    attention: Sequence[np.ndarray] = ()


def run(context: Context, job: Job, seed: int, report: Report) -> Trained:
    """Search what is to be searched, train on a fold and predict its test clips."""
    fold = context.folds[job.fold]
    facts: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    if context.model.grid and context.protocol.tuning != "none":
        found = _searched(context, fold, seed)
        chosen = found.parameters
        facts |= {
            "parameters": chosen,
            "grid": found.scores,
            "tuned_on": f"training folds, {found.kind}",
        }
    trained = train(context, fold, seed, config=chosen, report=report)
    return replace(trained, facts={**facts, **trained.facts})


def _searched(context: Context, fold: Fold, seed: int) -> grid.Found:
    """Return the best hyper-parameters of a fold; a process searches a fold once.

    What the test side sounds like has no part in the search, so experiments that differ in that
    alone share it.
    """
    learnt = dict(context.experiment.configuration)
    if learnt.get("condition", {}).get("sides") == "test":
        del learnt["condition"]
    key = fingerprint([learnt, context.experiment.clips, fold.index, seed])
    if key not in _searches:
        inner, kind = grid.inner_folds(fold, context.data)
        _searches[key] = grid.search(
            context.model.grid,
            inner,
            kind,
            context.data,
            lambda part, config: (
                train(context, part, seed, config=config, tuning=True).probabilities
            ),
        )
    return _searches[key]


def train(
    context: Context,
    fold: Fold,
    seed: int,
    *,
    config: Mapping[str, Any] | None = None,
    tuning: bool = False,
    report: Report = lambda done, total, loss: None,
) -> Trained:
    """Train on a fold and predict its test clips.

    Args:
        context: what the folds share
        fold: what is trained on and what is tested
        seed: of weights, order and dropout
        config: hyper-parameters that differ from the model's
        tuning: whether the test clips of this fold are training clips of another: they then sound
            as training clips do
        report: called after every epoch
    """
    data, model, protocol = context.data, context.model, context.protocol
    facts: dict[str, Any] = {}
    fitted_on, kept = fold.training, ()
    if model.development and fold.development:
        kept, facts["developed_on"] = fold.development, "clips of the protocol"
    elif model.development:
        fitted_on, kept, facts["developed_on"] = folds.development(
            fold, data.table, model.development.share, seed
        )
    training, test = data.positions(fitted_on), data.positions(fold.test)
    heard = () if tuning else test
    inputs = {name: data.prepare(name, training, heard) for name in data.inputs}
    learnt = {name: dict(item.fitted.facts) for name, item in inputs.items() if item.fitted.facts}
    if learnt:
        facts["fitted"] = learnt
    network = _open_network(context, inputs, config or {})
    network.restart(seed, [item.fitted.weights for item in inputs.values()])
    common = {
        "batch_size": model.config.batch_size,
        "batching": protocol.batching,
        "outputs": network.trained_outputs,
    }
    sources = {name: item.source for name, item in inputs.items()}

    def labelled(positions: np.ndarray, seed: int | None, portion: float = 1.0) -> Batches:
        truth = np.eye(len(data.labels), dtype=np.float32)[data.targets[positions]]
        balance = weights.for_fold(list(data.table["label"]), positions, protocol.weights)
        return Batches(
            sources,
            positions,
            targets=truth,
            weights=balance.astype(np.float32),
            seed=seed,
            portion=portion,
            **common,
        )

    stopping = model.development or Development(0, 0)
    batches = labelled(training, seed, 1 / stopping.checks_per_epoch)
    rounds = _rounds(context, len(batches), stopping)
    tested = Batches(sources, test, **common)
    best = None
    if protocol.selection == "best-test-epoch":
        best = _BestEpoch(network, tested, data.targets[test])
    started = time.perf_counter()
    losses = network.fit(
        batches,
        rounds,
        lambda done, loss: report(done, rounds, loss),
        development=labelled(data.positions(kept), None) if kept else None,
        patience=stopping.patience,
        after_epoch=best,
    )
    finished = time.perf_counter()
    probabilities = best.probabilities if best else network.predict(tested)
    facts |= {
        **({"best_test_epoch": best.epoch} if best else {}),
        "keras_backend": network.backend,
        "epochs": round(len(losses) / stopping.checks_per_epoch, 2),
        "loss": [round(loss, 6) for loss in losses],
        "network_parameters": network.model.count_params(),
        "seconds_training": round(finished - started, 3),
        "seconds_prediction": round(time.perf_counter() - finished, 3),
    }
    weights_of_rows: Sequence[np.ndarray] = ()
    if model.attends:
        (source,) = sources.values()
        weights_of_rows = attention(network.model, model.attends, tested, source.lengths[test])
    return Trained(network, probabilities, facts, weights_of_rows)


def _rounds(context: Context, n_batches: int, stopping: Development) -> int:
    """Return the most rounds of training: epochs, or the portions of epochs between checks."""
    rounds = math.ceil(context.epochs * stopping.checks_per_epoch)
    most_steps = getattr(context.model.config, "max_steps", None)
    return min(rounds, math.ceil(most_steps / n_batches)) if most_steps else rounds


class _BestEpoch:
    """Keeps the predictions of the epoch with the highest accuracy on the test clips.

    A flaw that a protocol reproduces by name: the test clips choose the epoch.
    """

    def __init__(self, network: Network, tested: Batches, truth: np.ndarray) -> None:
        self._network, self._tested, self._truth = network, tested, truth
        self._accuracy = -1.0
        self.epoch = 0
        self.probabilities = np.empty(0)

    def __call__(self, epoch: int) -> None:
        probabilities = self._network.predict(self._tested)
        accuracy = float((probabilities.argmax(axis=1) == self._truth).mean())
        if accuracy > self._accuracy:
            self._accuracy, self.epoch, self.probabilities = accuracy, epoch, probabilities


def _open_network(
    context: Context, inputs: Mapping[str, Prepared], config: Mapping[str, Any]
) -> Network:
    """Return the traced network for these shapes, building it once per process."""
    shapes = {name: item.shape for name, item in inputs.items()}
    changed = dict(config)
    for item in inputs.values():
        changed |= item.fitted.config
    spec = context.model
    if changed:
        spec = replace(spec, config=replace(spec.config, **changed))
    key = repr((spec.name, spec.config, shapes, len(context.data.labels)))
    if key not in _networks:
        _networks.clear()
        _networks[key] = Network(spec, shapes, len(context.data.labels))
    return _networks[key]
