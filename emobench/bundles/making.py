"""A bundle from an order: its model is trained, compared with what is on file, and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from .. import __version__, corpora
from ..conditions import Condition
from ..corpora import Corpus
from ..corpora.entries import across
from ..errors import BundleError, SpecError
from ..experiments import configuration, extras
from ..experiments.context import Context, open_context
from ..spec import Experiment, Job, Places
from ..store import Store
from ..store.reading import inspect
from ..training.jobs import Report, Settings
from ..training.provenance import provenance
from ..training.scoring import score
from . import card, evidence, folder, history
from .contents import Contents
from .learning import TrainedModel, as_asked, learn, on_all_speakers
from .model import load_model
from .order import Order

TOLERANCE = 1e-5
"""Largest difference of probabilities that counts as none."""

_CHECKED = 32
"""Clips that a bundle must predict as the model did that it was made of."""


def make(
    experiment: Experiment,
    job: Job,
    places: Places,
    settings: Settings,
    order: Order,
    report: Report = lambda done, total, loss: None,
) -> dict[str, Any]:
    """Train a model and write its bundle.

    Args:
        experiment: what it belongs to
        job: which fold it is of; one without a fold is trained on all speakers
        places: where to read
        settings: threads
        order: where to write
        report: called after every epoch

    Returns:
        what is to be said of it: `bundle`, its folder, and of the model of a fold `fold`, its
        number, `verified`, the comparison with what is on file, and `alone`, how far it is from
        that where clips have no neighbours; each None where there is no such thing

    Raises:
        BundleError: if it cannot be written, or predicts something else than is on file
        EmobenchError: if the corpus, a feature or training fails
    """
    folder.insist_on_room(order.folder)
    context = open_context(experiment, places, settings.crew)
    whole = job.fold is None
    if whole:
        context, job = on_all_speakers(context, job)
    known = provenance(experiment, settings.threads)
    trained = learn(context, job, places, settings, report)
    verified = None if whole else _verified(context, job, places, trained, order, known)
    corpus = corpora.load_registry(places.datasets).get(experiment.corpus)
    parts = across.parts_of(corpus.sides[0] if corpus.sides else corpus)
    training = history.tell(context, job, trained, known, parts)
    if not whole:
        training |= history.tell_of_fold(context, job, trained, verified)
    contents = _contents(context, trained, training, parts)
    written = card.text(contents, _on_file(parts, corpus, context, places))
    folder.write(order.folder, contents, written, __version__, trained.save)
    _insist_on_the_same(order, context, job, trained, places)
    of_fold = {key: training.get(key) for key in ("fold", "verified", "alone")}
    return {"bundle": str(order.folder), **of_fold}


def _contents(
    context: Context, trained: TrainedModel, training: Mapping[str, Any], parts: Sequence[Corpus]
) -> Contents:
    inputs = {name: item.fitted_input for name, item in trained.inputs.items()}
    contents = Contents.of(context.model, trained.config, trained.classes, inputs)
    return replace(contents, training=training, licences=card.licences(parts, inputs))


def _on_file(
    parts: Sequence[Corpus], corpus: Corpus, context: Context, places: Places
) -> dict[str, evidence.Evidence | None]:
    """Return what is on file of the model, by corpus.

    That is, of a model of one side of a pair, what it reaches on the other. Of others it is what
    models reach inside the corpora that it is trained on, on all together where that is on file,
    and on corpora that they were not trained on.
    """
    protocol, model = context.protocol.name, context.model.name
    registry = corpora.load_registry(places.datasets)

    def find(one: Corpus) -> evidence.Evidence | None:
        where = {"protocol": protocol, "model": model, "corpus": one.name}
        return evidence.find(places.results, _configured(one, context, places), where)

    if corpus.sides:
        return {corpus.name: find(corpus)}
    found = {one.name: find(one) for one in ([corpus] if len(parts) == 1 else [corpus, *parts])}
    if len(parts) > 1 and found[corpus.name] is None:
        del found[corpus.name]
    trained = across.together(parts).name if len(parts) > 1 else corpus.name
    for pair in evidence.tested_elsewhere(places.results, trained, protocol, model):
        with suppress(SpecError):  # a corpus of it is not registered any more
            if (of_pair := find(registry.get(pair))) is not None:
                found[pair] = of_pair
    return found


def _configured(corpus: Corpus, context: Context, places: Places) -> dict[str, Any]:
    """Return the configuration of the model on a corpus, trained as it was here."""
    experiment, model = context.experiment, context.model
    return configuration(
        corpus,
        model,
        context.protocol,
        epochs=experiment.configuration.get("epochs_override"),
        backend=experiment.backend,
        extras=extras(model, places, Condition(), "test"),
    )


def _verified(
    context: Context,
    job: Job,
    places: Places,
    trained: TrainedModel,
    order: Order,
    known: Mapping[str, Any],
) -> dict[str, float] | None:
    """Compare a fold's predictions with those on file; None if there are none.

    Raises:
        BundleError: if they differ, and that was not allowed for
    """
    experiment = context.experiment
    place = Store(places.results).folder(experiment)
    stored = inspect(place, fingerprint=experiment.fingerprint) if place.is_dir() else None
    if stored is None or job not in stored.jobs:
        return None
    _, found = score(
        context.data, context.folds[job.fold], job, trained.classes, trained.probabilities
    )
    table = stored.predictions
    own = table[(table["fold"] == job.fold) & (table["repetition"] == job.repetition)]
    largest = _difference(own, found)
    if largest > TOLERANCE and not order.unverified:
        record = Store(places.results).record(experiment, job)
        raise BundleError(
            f"{experiment.title} {job.name}: expected the predictions on file ({place}), found "
            f"probabilities that differ by up to {largest:.2g}. {_told_apart(record, known)} "
            "Export on a machine like that of the record, or allow it with --unverified."
        )
    return {"largest_difference": largest}


def _difference(stored: pd.DataFrame, found: pd.DataFrame) -> float:
    """Return the largest difference of the probabilities of the same clips."""
    columns = [name for name in found if name.startswith("p_")]
    one, other = (table.set_index("id")[columns].sort_index() for table in (stored, found))
    if not one.index.equals(other.index):
        return float("inf")
    return float(np.abs(one.to_numpy(np.float64) - other.to_numpy(np.float64)).max())


def _told_apart(record: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """Return how the making of a record differs from what computes here."""
    differing = [
        f"{key} {record.get(key)} (here {known.get(key)})"
        for key in ("backend", "device", "threads", "precision", "python")
        if record.get(key) != known.get(key)
    ]
    before, now = record.get("versions") or {}, known["versions"]
    differing += [
        f"{package} {before[package]} (here {now.get(package, 'absent')})"
        for package in before
        if before[package] != now.get(package)
    ]
    if record.get("trained_together"):
        differing.append(f"trained together with {record['trained_together']} others")
    return f"It was made with {', '.join(differing)}." if differing else "Nothing tells why."


def _insist_on_the_same(
    order: Order, context: Context, job: Job, trained: TrainedModel, places: Places
) -> None:
    """Make sure that the bundle, read back, predicts what the model did that it was made of."""
    model = load_model(order.folder, encoder=places.encoder)
    test = context.data.positions(context.folds[job.fold].test)[:_CHECKED]
    again = model.predictor(as_asked(trained.inputs, test), np.zeros(len(test)))
    largest = float(np.abs(again - trained.alone[: len(test)]).max())
    if not largest <= TOLERANCE:
        raise BundleError(
            f"{order.folder}: expected the bundle to predict what the trained model does, found "
            f"probabilities that differ by up to {largest:.2g}. Do not use it; this is a fault of "
            "emobench, please report it."
        )
