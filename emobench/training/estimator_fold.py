"""Tuning, fitting and testing an estimator that is no network."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import folds, weights
from ..errors import EmobenchError
from ..experiments.context import Context
from ..spec import Job
from ..store import Store

Predicted = tuple[dict[str, Any], tuple[str, ...], np.ndarray]
"""What is to be recorded, the classes, and probabilities of shape `(test clips, classes)`."""


def tune_on_evaluation_folds(context: Context, n_jobs: int) -> dict[str, Any]:
    """Search parameters on the folds that are later reported, as published; return the record."""
    data = context.data
    splits = [(data.positions(fold.training), data.positions(fold.test)) for fold in context.folds]
    found = context.model.build(context.model.config).tune(
        _matrix(context, np.arange(len(data.table)), ()),
        list(data.table["label"]),
        splits,
        weights=context.protocol.weights,
        n_jobs=n_jobs,
    )
    return {"parameters": found.parameters, "grid": found.scores, "tuned_on": "evaluation folds"}


def run(context: Context, job: Job, seed: int, store: Store, n_jobs: int) -> Predicted:
    """Tune where the protocol nests it, fit on a fold, and predict its test clips."""
    data, protocol = context.data, context.protocol
    fold = context.folds[job.fold]
    training, test = data.positions(fold.training), data.positions(fold.test)
    labels = np.asarray(data.table["label"], dtype=object)
    features = _matrix(context, training, test)
    estimator = context.model.build(context.model.config)
    facts: dict[str, Any] = {}
    if protocol.tuning == "none":
        parameters = dict(protocol.fixed_parameters)
    elif protocol.tuning == "evaluation":
        if not store.done(context.experiment, [Job(None)]):
            raise EmobenchError("its tuning has no record. Run the same command again.")
        parameters = store.record(context.experiment, Job(None))["parameters"]
    else:
        splits, kind = folds.inner_splits(fold, data.table)
        found = estimator.tune(
            features, list(labels), splits, weights=protocol.weights, n_jobs=n_jobs
        )
        parameters = found.parameters
        facts |= {"grid": found.scores, "tuned_on": f"training folds, {kind}"}
    fitted = estimator.fit(
        features[training],
        list(labels[training]),
        weights.for_fold(list(labels), training, protocol.weights),
        parameters,
        seed=seed,
    )
    return {**facts, "parameters": parameters}, fitted.classes, fitted.predict(features[test])


def _matrix(context: Context, training: np.ndarray, test: np.ndarray | tuple) -> np.ndarray:
    """Return the single input of an estimator, of shape `(clips, columns)`."""
    (name,) = context.data.inputs
    return context.data.matrix(name, training, test)
