"""Training a network on a fold and testing it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import folds, weights
from ..batches import Batches
from ..spec import Job
from .context import Context
from .network import Network

Report = Callable[[int, int, float], None]
"""Called with finished epochs, epochs in all, and the training loss."""

_networks: dict[str, Network] = {}


def run(context: Context, job: Job, seed: int, report: Report) -> tuple[dict[str, Any], np.ndarray]:
    """Train on a fold and predict its test clips.

    Returns:
        what is to be recorded, and probabilities of shape `(test clips, classes)`
    """
    data, model, fold = context.data, context.model, context.folds[job.fold]
    network = open_network(context)
    network.restart(seed)
    facts: dict[str, Any] = {}
    kept: tuple[str, ...] = ()
    fitted_on = fold.training
    if model.development:
        fitted_on, kept, facts["developed_on"] = folds.development(
            fold, data.table, model.development.share, seed
        )
    training = data.positions(fitted_on)
    sources = {name: data.source(name, training) for name in data.inputs}
    common = {
        "batch_size": model.config.batch_size,
        "batching": context.protocol.batching,
        "outputs": network.trained_outputs,
    }

    def labelled(positions: np.ndarray, seed: int | None) -> Batches:
        truth = np.eye(len(data.labels), dtype=np.float32)[data.targets[positions]]
        balance = weights.for_fold(
            list(data.table["label"]), positions, context.protocol.weights
        ).astype(np.float32)
        return Batches(sources, positions, targets=truth, weights=balance, seed=seed, **common)

    started = time.perf_counter()
    losses = network.fit(
        labelled(training, seed),
        context.epochs,
        lambda done, loss: report(done, context.epochs, loss),
        development=labelled(data.positions(kept), None) if kept else None,
        patience=model.development.patience if model.development else 0,
    )
    trained = time.perf_counter()
    test = data.positions(fold.test)
    probabilities = network.predict(Batches(sources, test, **common))
    return {
        **facts,
        "keras_backend": network.backend,
        "epochs": len(losses),
        "loss": [round(loss, 6) for loss in losses],
        "network_parameters": network.model.count_params(),
        "seconds_training": round(trained - started, 3),
        "seconds_prediction": round(time.perf_counter() - trained, 3),
    }, probabilities


def open_network(context: Context) -> Network:
    """Return the traced network of an experiment, building it once per process."""
    shapes = {name: item.shape for name, item in context.data.inputs.items()}
    key = repr((context.model.name, context.model.config, shapes, len(context.data.labels)))
    if key not in _networks:
        _networks.clear()
        _networks[key] = Network(context.model, shapes, len(context.data.labels))
    return _networks[key]
