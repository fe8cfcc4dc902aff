"""What a bundle tells of how its model came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import __version__
from ..corpora import Corpus
from ..experiments.context import Context
from ..spec import Job
from ..training.scoring import score
from ..training.seeds import job_seed
from .learning import TrainedModel

_TOLD = (
    *("parameters", "tuned_on", "epochs", "best_epoch", "best_test_epoch", "developed_on"),
    *("n_development", "statistics", "training_uar", "fitted"),
)
"""Of what a record holds, what a user of the model may want to know."""

_OF_CORPUS = ("name", "title", "language", "citation", "doi", "licence", "access", "homepage")


def tell(
    context: Context,
    job: Job,
    trained: TrainedModel,
    known: Mapping[str, Any],
    corpora: Sequence[Corpus],
) -> dict[str, Any]:
    """Return what a model was trained on, and how.

    Args:
        context: what the folds share
        job: the fold and repetition that it was trained as
        trained: the model
        known: of the machine and the code
        corpora: that it was trained on
    """
    table = context.data.table.loc[list(context.folds[job.fold].training)]
    counts = table["label"].value_counts()
    speakers = table.drop_duplicates("speaker")
    return {
        "model": context.model.name,
        "corpora": [
            {**{key: getattr(corpus, key) for key in _OF_CORPUS}, "synthetic": corpus.synthetic}
            for corpus in corpora
        ],
        "protocol": context.protocol.name,
        "caution": context.protocol.caution,
        "batching": context.protocol.batching,
        "configuration": context.experiment.configuration_fingerprint,
        "clips_digest": context.data.digest,
        "clips": len(table),
        "speakers": len(speakers),
        "labels": {name: int(counts.get(name, 0)) for name in context.data.labels},
        "sexes": {str(sex): int(n) for sex, n in speakers["sex"].value_counts().items()},
        "repetition": job.repetition,
        "seed": job_seed(job),
        "fold": None,
        "emobench": __version__,
        **{key: known[key] for key in ("backend", "device", "threads", "versions")},
        "facts": {key: trained.facts[key] for key in _TOLD if key in trained.facts},
    }


def tell_of_fold(
    context: Context, job: Job, trained: TrainedModel, verified: Mapping[str, float] | None
) -> dict[str, Any]:
    """Return what is to be told of a model that was trained on a fold.

    Args:
        context: what the folds share
        job: which fold of which repetition
        trained: the model
        verified: how its predictions compare with those on file; None if there are none
    """
    fold = context.folds[job.fold]
    tested, _ = score(context.data, fold, job, trained.classes, trained.probabilities)
    return {
        "fold": job.fold,
        "held_out": list(fold.held_out),
        "test_clips": tested["n_test"],
        "test_uar": tested["scores"]["uar"],
        "verified": verified,
        "alone": _alone(context, job, trained),
    }


def _alone(context: Context, job: Job, trained: TrainedModel) -> dict[str, Any] | None:
    """Return what becomes of a fold's predictions where no clip has neighbours, if it matters."""
    if trained.alone is trained.probabilities:
        return None
    fold = context.folds[job.fold]
    scored, _ = score(context.data, fold, job, trained.classes, trained.alone)
    labels = (each.argmax(axis=1) for each in (trained.alone, trained.probabilities))
    return {
        "largest_difference": float(np.abs(trained.alone - trained.probabilities).max()),
        "other_labels": int(np.not_equal(*labels).sum()),
        "uar": scored["scores"]["uar"],
    }
