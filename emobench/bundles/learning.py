"""Training the model that a bundle is made of, be it a network or an estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..experiments import searches
from ..experiments.context import Context
from ..experiments.inputs import Prepared
from ..sources import Source
from ..spec import Fold, Job, Places
from ..store import Store
from ..training import estimator_fold, tuning
from ..training.jobs import Report, Settings, tune
from ..training.seeds import job_seed
from .folder import MACHINE, NETWORK
from .predictors import Network


@dataclass(frozen=True)
class TrainedModel:
    """A model that was trained.

    Attributes:
        config: hyper-parameters, those that were searched or fitted included
        classes: in the order of the probabilities
        inputs: prepared with what the training clips tell, by name
        probabilities: of the test clips, of shape `(clips, classes)`
        alone: the same where no clip has neighbours, as a bundle predicts; another array only under
            a protocol that lets neighbours change a prediction
        facts: what is to be recorded
        save: writes the weights into a folder
    """

    config: Any
    classes: tuple[str, ...]
    inputs: Mapping[str, Prepared]
    probabilities: np.ndarray
    alone: np.ndarray
    facts: Mapping[str, Any]
    save: Callable[[Path], None]


def on_all_speakers(context: Context, job: Job) -> tuple[Context, Job]:
    """Return a context with one fold more, which trains on all clips, and the job of that fold.

    The same clips are tested: not to say how good the model is, but what the bundle must predict.
    """
    clips = tuple(context.data.table.index)
    fold = Fold(len(context.folds), (), clips, clips)
    return replace(context, folds=[*context.folds, fold]), Job(fold.index, job.repetition)


def as_asked(inputs: Mapping[str, Prepared], positions: np.ndarray) -> dict[str, Source]:
    """Return some clips as a bundle is asked about them, one after another.

    Args:
        inputs: of the model, by name
        positions: of the clips in the data set
    """
    return {
        name: item.fitted_input.source(
            lambda at, source=item.source: source.clip(int(positions[at])),
            item.source.lengths[positions],
        )
        for name, item in inputs.items()
    }


def learn(
    context: Context, job: Job, places: Places, settings: Settings, report: Report
) -> TrainedModel:
    """Train the model of a fold as a run does.

    Args:
        context: what the folds share
        job: which fold of which repetition
        places: where a tuning step may be on file
        settings: threads
        report: called after every epoch
    """
    if context.model.kind == "network":
        return _network(context, job, places, settings, report)
    return _estimator(context, job, places, settings)


def _network(
    context: Context, job: Job, places: Places, settings: Settings, report: Report
) -> TrainedModel:
    from ..training import network_fold  # loads Keras

    tuned = _tuned(context, places, settings)
    trained = network_fold.run(context, job, job_seed(job), report, tuned=tuned)
    alone = trained.probabilities
    if context.protocol.batching == "sorted":
        test = context.data.positions(context.folds[job.fold].test)
        predict = Network(trained.network.model, context.model.prediction)
        alone = predict(as_asked(trained.inputs, test), np.zeros(len(test)))
    return TrainedModel(
        config=trained.network.config,
        classes=context.data.labels,
        inputs=trained.inputs,
        probabilities=trained.probabilities,
        alone=alone,
        facts=trained.facts,
        save=lambda folder: trained.network.model.save(folder / NETWORK),
    )


def _estimator(context: Context, job: Job, places: Places, settings: Settings) -> TrainedModel:
    trained = estimator_fold.run(
        context, job, job_seed(job), settings.tuning_jobs, _tuned(context, places, settings)
    )
    arrays = trained.estimator.support_vectors.arrays
    return TrainedModel(
        config=context.model.config,
        classes=trained.classes,
        inputs=trained.inputs,
        probabilities=trained.probabilities,
        alone=trained.probabilities,
        facts=trained.facts,
        save=lambda folder: np.savez(folder / MACHINE, **arrays),
    )


def _tuned(context: Context, places: Places, settings: Settings) -> Mapping[str, Any] | None:
    """Return what the evaluation folds give where the protocol looks there, from file if it is."""
    store = Store(places.results)
    if Job(None) in store.done(context.experiment, [Job(None)]):
        return tuning.found_before(context, store)
    if context.protocol.tuning != "evaluation" or not searches(context.model, context.protocol):
        return None
    folds = [fold for fold in context.folds if fold.held_out]
    search = tune(replace(context, folds=folds), settings)
    return search["parameters"]
