"""One job from its description to its record, in whatever process it is given to.

A worker lives through many jobs: the data set and the traced network of the last experiment are
kept, and given up when a job of another experiment arrives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiments.context import Context, open_context
from ..features.workers import ALONE, Crew
from ..spec import Experiment, Job, Places
from ..store import Store
from . import estimator_fold, tuning
from .provenance import peak_resident_mib, provenance
from .scoring import score
from .seeds import job_seed

if TYPE_CHECKING:
    import pandas as pd

Report = Callable[[int, int, float], None]
"""Called with finished epochs, epochs in all, and the training loss."""

Filed = tuple[dict[str, Any], "pd.DataFrame | None", dict[str, np.ndarray]]
"""Facts, predictions, and attention by clip."""


@dataclass(frozen=True)
class Settings:
    """How a worker computes; recorded beside every result.

    Attributes:
        threads: threads of one network's arithmetic
        tuning_jobs: grid cells computed at once; changes no number
        crew: who extracts features that are not cached; None where that is not to be done
    """

    threads: int = 1
    tuning_jobs: int = 1
    crew: Crew | None = ALONE


def run(
    experiment: Experiment,
    job: Job,
    places: Places,
    settings: Settings,
    report: Report = lambda done, total, loss: None,
    siblings: Sequence[Job] = (),
) -> dict[str, Any]:
    """Run one job and file its record.

    Args:
        experiment: what is run
        job: which part of it
        places: where to read and write
        settings: threads
        report: called after every epoch
        siblings: jobs of the experiment that may be trained along, and are asked for later

    Returns:
        the record

    Raises:
        EmobenchError: if the corpus, a feature, training or the disk fails
    """
    context = open_context(experiment, places, settings.crew)
    store = Store(places.results)
    done = store.done(experiment, [job, *siblings])
    if job in done:  # another run of the same command was faster
        return store.record(experiment, job)
    known = provenance(experiment, settings.threads)
    started = time.perf_counter()
    if job.fold is None:
        filed: Filed = (tune(context, settings, report), None, {})
    else:
        left = [other for other in siblings if other not in done] if siblings else None
        filed = _test(context, job, settings, report, left, tuning.found_before(context, store))
    facts, predictions, attention = filed
    record = {
        **known,
        **facts,
        "fold": job.fold,
        "repetition": job.repetition,
        "seconds": round(time.perf_counter() - started, 3),
        "peak_resident_mib": peak_resident_mib(),
    }
    store.add(experiment, job, record, predictions, attention)
    return record


def tune(
    context: Context, settings: Settings, report: Report = lambda done, total, loss: None
) -> dict[str, Any]:
    """Search hyper-parameters on the folds that are later reported; return the record.

    Args:
        context: what the folds share
        settings: threads
        report: called after every epoch
    """
    if context.model.kind == "estimator":
        return estimator_fold.tune_on_evaluation_folds(context, settings.tuning_jobs)
    from . import network_fold  # loads Keras

    return network_fold.tune_on_evaluation_folds(context, report)


def _test(
    context: Context,
    job: Job,
    settings: Settings,
    report: Report,
    left: Sequence[Job] | None,
    tuned: Mapping[str, Any] | None,
) -> Filed:
    """Train on a fold and test on it.

    Args:
        context: what the folds share
        job: which fold of which repetition
        settings: threads
        report: called after every epoch
        left: jobs that may be trained along; those that are done must not be trained again after a
            worker died or memory was short
        tuned: what was found on the evaluation folds, where a protocol looks there
    """
    seed, fold = job_seed(job), context.folds[job.fold]
    attention: dict[str, np.ndarray] = {}
    if context.model.kind == "estimator":
        n_jobs = settings.tuning_jobs
        trained = estimator_fold.run(context, job, seed, n_jobs, tuned)
        classes = trained.classes
    else:
        from . import network_fold  # loads Keras

        trained = network_fold.run(context, job, seed, report, left, tuned)
        classes = context.data.labels
        if trained.attention:
            attention = dict(zip(fold.test, trained.attention, strict=True))
    scores, predictions = score(context.data, fold, job, classes, trained.probabilities)
    return {**trained.facts, "seed": seed, **scores}, predictions, attention
