"""Tuning, fitting and testing an estimator that is no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import folds, weights
from ..experiments.context import Context
from ..experiments.inputs import Prepared
from ..models.support_vectors import Classifier
from ..spec import Job
from . import tuning


@dataclass(frozen=True)
class TrainedEstimator:
    """An estimator after a fold.

    Attributes:
        estimator: fitted on the training clips
        probabilities: of the fold's test clips, of shape `(test clips, classes)`
        facts: what is to be recorded
        inputs: its single input, prepared with what the training clips tell, by name
    """

    estimator: Classifier
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
    found = context.model.build(context.model.config).tune(
        _refitted(context, splits),
        list(data.table["label"]),
        splits,
        weights=context.protocol.weights,
        n_jobs=n_jobs,
    )
    return tuning.on_evaluation_folds(found.parameters, found.scores)


def run(
    context: Context, job: Job, seed: int, n_jobs: int, tuned: Mapping[str, Any] | None = None
) -> TrainedEstimator:
    """Tune where the protocol nests it, fit on a fold, and predict its test clips.

    Args:
        context: what the folds share
        job: which fold of which repetition
        seed: handed to the estimator
        n_jobs: grid cells computed at once
        tuned: hyper-parameters that were found on the evaluation folds, where the protocol looks
            there
    """
    data, protocol = context.data, context.protocol
    fold = context.folds[job.fold]
    training, test = data.positions(fold.training), data.positions(fold.test)
    taught = np.concatenate([training, data.positions(fold.copies)])
    labels = np.asarray(data.table["label"], dtype=object)
    (name,) = data.inputs
    prepared = data.prepare(name, training, test)
    features = prepared.matrix
    estimator = context.model.build(context.model.config)
    facts: dict[str, Any] = {}
    if tuned is not None:
        parameters = dict(tuned)
    elif protocol.tuning == "none":
        parameters = dict(protocol.fixed_parameters)
    else:
        splits, kind = folds.inner_splits(fold, data.table)
        found = estimator.tune(
            _refitted(context, splits), labels, splits, weights=protocol.weights, n_jobs=n_jobs
        )
        parameters = found.parameters
        facts |= {"grid": found.scores, "tuned_on": f"training folds, {kind}"}
    fitted = estimator.fit(
        features[taught],
        list(labels[taught]),
        weights.for_fold(list(labels), taught, protocol.weights),
        parameters,
        seed=seed,
    )
    facts["parameters"] = parameters
    return TrainedEstimator(fitted, fitted.predict(features[test]), facts, {name: prepared})


def _refitted(context: Context, splits: Sequence[folds.Split]) -> Iterator[np.ndarray]:
    """Yield the input as each inner fold knows it: scaled with what its own training part tells."""
    (name,) = context.data.inputs
    for training, validation in splits:
        known = np.concatenate([training, validation])
        yield context.data.matrix(name, training, known=known)
