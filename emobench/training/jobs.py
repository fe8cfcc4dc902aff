"""One job from its description to its record, in whatever process it is given to.

A worker lives through many jobs: the data set and the traced network of the last experiment are
kept, and given up when a job of another experiment arrives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..experiments.context import open_context
from ..spec import Experiment, Job, Places
from ..store import Store
from . import estimator_fold
from .provenance import peak_resident_mib, provenance
from .scoring import score
from .seeds import job_seed

Report = Callable[[int, int, float], None]
"""Called with finished epochs, epochs in all, and the training loss."""


@dataclass(frozen=True)
class Settings:
    """How a worker computes; recorded beside every result.

    Attributes:
        threads: threads of one network's arithmetic
        tuning_jobs: grid cells computed at once; changes no number
    """

    threads: int = 1
    tuning_jobs: int = 1


def run(
    experiment: Experiment,
    job: Job,
    places: Places,
    settings: Settings,
    report: Report = lambda done, total, loss: None,
    fellows: Sequence[Job] = (),
) -> dict[str, Any]:
    """Run one job and file its record.

    Args:
        experiment: what is run
        job: which part of it
        places: where to read and write
        settings: threads
        report: called after every epoch
        fellows: jobs of the experiment that may be trained along, and are asked for later

    Returns:
        the record

    Raises:
        EmobenchError: if the corpus, a feature, training or the disk fails
    """
    context = open_context(experiment, places)
    store = Store(places.results)
    done = store.done(experiment, [job, *fellows])
    if job in done:  # another run of the same command was faster
        return store.record(experiment, job)
    known = provenance(experiment, settings.threads)
    started = time.perf_counter()
    if job.fold is None:
        facts = estimator_fold.tune_on_evaluation_folds(context, settings.tuning_jobs)
        predictions, attention = None, {}
    else:
        seed, attention = job_seed(job), {}
        if context.model.kind == "estimator":
            trained = estimator_fold.run(context, job, seed, store, settings.tuning_jobs)
            classes = trained.classes
        else:
            from . import network_fold  # loads Keras

            # Those that are done must not be trained again after a worker died or memory was short.
            left = [other for other in fellows if other not in done] if fellows else None
            trained = network_fold.run(context, job, seed, report, left)
            classes = context.data.labels
            if trained.attention:
                test = context.folds[job.fold].test
                attention = dict(zip(test, trained.attention, strict=True))
        scores, predictions = score(
            context.data, context.folds[job.fold], job, classes, trained.probabilities
        )
        facts = {**trained.facts, "seed": seed, **scores}
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
