"""Tuning, fitting and testing an estimator that is no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import folds, weights
from ..errors import EmobenchError
from ..experiments.context import Context
from ..experiments.inputs import Prepared
from ..spec import Job
from ..store import Store

if TYPE_CHECKING:
    from ..models.support_vector_machine import Fitted


@dataclass(frozen=True)
class TrainedEstimator:
    """An estimator after a fold.

    Attributes:
        estimator: fitted on the training clips
        probabilities: of the fold's test clips, of shape `(test clips, classes)`
        facts: what is to be recorded
        inputs: its single input, prepared with what the training clips tell, by name
    """

    estimator: Fitted
    probabilities: np.ndarray
    facts: dict[str, Any]
    inputs: Mapping[str, Prepared]

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of the columns of the probabilities."""
        return self.estimator.classes


def tune_on_evaluation_folds(context: Context, n_jobs: int) -> dict[str, Any]:
    """Search parameters on the folds that are later reported, as published; return the record."""
    data = context.data
    splits = [(data.positions(fold.training), data.positions(fold.test)) for fold in context.folds]
    (prepared,) = _prepared(context, np.arange(len(data.table)), ()).values()
    found = context.model.build(context.model.config).tune(
        prepared.matrix,
        list(data.table["label"]),
        splits,
        weights=context.protocol.weights,
        n_jobs=n_jobs,
    )
    return {"parameters": found.parameters, "grid": found.scores, "tuned_on": "evaluation folds"}


def run(context: Context, job: Job, seed: int, store: Store, n_jobs: int) -> TrainedEstimator:
    """Tune where the protocol nests it, fit on a fold, and predict its test clips."""
    parameters = None
    if context.protocol.tuning == "evaluation":
        if not store.done(context.experiment, [Job(None)]):
            raise EmobenchError("its tuning has no record. Run the same command again.")
        parameters = store.record(context.experiment, Job(None))["parameters"]
    return train(context, job, seed, parameters, n_jobs)


def train(
    context: Context,
    job: Job,
    seed: int,
    parameters: Mapping[str, float] | None = None,
    n_jobs: int = 1,
) -> TrainedEstimator:
    """Fit on a fold and predict its test clips.

    Args:
        context: what the folds share
        job: which fold
        seed: handed to the estimator
        parameters: hyper-parameters; None for those of the protocol, or to search them inside the
            training clips
        n_jobs: grid cells computed at once; changes no number
    """
    data, protocol = context.data, context.protocol
    fold = context.folds[job.fold]
    training, test = data.positions(fold.training), data.positions(fold.test)
    labels = np.asarray(data.table["label"], dtype=object)
    inputs = _prepared(context, training, test)
    (prepared,) = inputs.values()
    features = prepared.matrix
    estimator = context.model.build(context.model.config)
    facts: dict[str, Any] = {}
    if parameters is None and protocol.tuning == "none":
        parameters = protocol.fixed_parameters
    elif parameters is None:
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
        dict(parameters),
        seed=seed,
    )
    facts["parameters"] = dict(parameters)
    return TrainedEstimator(fitted, fitted.predict(features[test]), facts, inputs)


def _prepared(
    context: Context, training: np.ndarray, test: np.ndarray | tuple
) -> dict[str, Prepared]:
    """Return the single input of an estimator, by name."""
    (name,) = context.data.inputs
    return {name: context.data.prepare(name, training, test)}
