"""From what a plan names to experiments that are ready, and the jobs that they lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import __version__
from ..audio import SAMPLE_RATE
from ..conditions import Condition
from ..corpora import Corpus
from ..errors import CorpusError, FeatureError, SpecError
from ..experiments import configuration, dataset, durations, extras, searches, takes_audio
from ..experiments.context import applied_condition
from ..experiments.dataset import Dataset
from ..spec import Experiment, Fold, Job, ModelSpec, Places
from ..store import Store
from . import sharding
from .between import insist_on_other_sounds
from .handing_out import Step
from .planning import Plan
from .reading import Reading

AS_IT_IS = Condition()


def prepare(
    corpus: Corpus,
    model: ModelSpec,
    planned: Plan,
    places: Places,
    *,
    condition: Condition = AS_IT_IS,
    jobs: int = 1,
    cards: Sequence[str] = (),
    extract: bool = True,
    progress: dataset.Progress = lambda what, done, total: None,
    only: frozenset[int] | None = None,
    foreseen: Step | None = None,
    clips: dataset.Clips | None = None,
) -> tuple[Step, Dataset]:
    """Extract what is not cached, and find out which jobs are missing.

    Args:
        corpus: what to train and test on
        model: what to train
        planned: protocol and options
        places: where to read and write
        condition: what the sound goes through
        jobs: processes that extract
        cards: that a frozen encoder is computed on, as CUDA_VISIBLE_DEVICES names them
        extract: without it no feature is extracted, and all clips are taken to be usable
        progress: told how far the extraction is
        only: folds that are this machine's; None for all
        foreseen: what was found without features: damage that was told then is not told again
        clips: of the corpus, if they were read just now

    Raises:
        EmobenchError: if the corpus, the features or the results folder cannot be used
    """
    how = {"jobs": jobs, "cards": cards, "extract": extract, "progress": progress, "clips": clips}
    data, folds, beside = _split(corpus, model, planned, places, condition, **how)
    experiment = _experiment(corpus, model, planned, data, beside, len(folds))
    wanted = [job for job in _jobs(experiment, model, planned, folds) if _is_among(job, only)]
    store = Store(places.results)
    if foreseen is not None and foreseen.experiment.fingerprint == experiment.fingerprint:
        done = store.done(experiment)
        missing = tuple(job for job in wanted if job not in done)
    else:
        missing = tuple(store.missing(experiment, wanted))
    return Step(experiment, model, missing, len(wanted) - len(missing)), data


def _split(
    corpus: Corpus,
    model: ModelSpec,
    planned: Plan,
    places: Places,
    condition: Condition,
    **how: Any,
) -> tuple[Dataset, list[Fold], dict[str, Any]]:
    """Return the clips of an experiment, their folds, and what is told of it beside the names."""
    selection = planned.selection
    beside = extras(model, places, condition, selection.sides, selection.control)
    data = dataset.load(
        corpus,
        model,
        places,
        applied=applied_condition(beside),
        control=selection.control,
        normalisation=planned.protocol.normalisation,
        skip_bad=selection.skip_bad,
        **how,
    )
    folds = data.folds(planned.protocol)
    insist_on_other_sounds(corpus, data, folds)
    return data, folds, beside


def _is_among(job: Job, only: frozenset[int] | None) -> bool:
    """Tell whether a job is this machine's; a search goes with the folds that need it."""
    return only is None or (bool(only) if job.fold is None else job.fold in only)


def mine(
    planned: Plan,
    places: Places,
    reading: Reading,
    tell: Callable[[sharding.Share], None] = lambda share: None,
) -> Iterator[tuple[Corpus, ModelSpec, Condition, frozenset[int] | None]]:
    """Yield what each experiment of a plan is about, with the folds that are this machine's.

    Experiments of which it has no fold are left out; None stands for all folds.

    Args:
        planned: what is to be run
        places: where to read
        reading: reads the corpora, if there are shares
        tell: told what is this machine's, if there are shares

    Raises:
        SpecError: if a fold is asked for that a corpus does not have
    """
    shard = sharding.parse(planned.selection.shard)
    share = None
    if shard.of > 1:
        share = sharding.dealt(_parts(planned, places, reading), shard, planned.protocol.name)
        tell(share)
    for corpus, model, condition in everything(planned):
        if share is None:
            yield corpus, model, condition, None
        elif only := share.folds.get(sharding.key(corpus, model, condition)):
            yield corpus, model, condition, only


def _parts(planned: Plan, places: Places, reading: Reading) -> Iterator[sharding.Part]:
    """Yield what may be dealt to different machines."""
    for corpus, model, condition in everything(planned):
        name = sharding.key(corpus, model, condition)
        try:
            how = {"extract": False, "clips": reading.clips(corpus)}
            data, folds, _ = _split(corpus, model, planned, places, condition, **how)
        except (CorpusError, FeatureError):  # one of the machines will say so
            yield sharding.Part(name, frozenset([0]), 0.0)
            continue
        yield from sharding.parts(
            name,
            model,
            planned.protocol,
            data,
            [folds[index] for index in _chosen(corpus.name, planned, folds)],
            _repetitions(model, planned),
            planned.selection.epochs,
        )


def _experiment(
    corpus: Corpus,
    model: ModelSpec,
    planned: Plan,
    data: Dataset,
    beside: Mapping[str, Any],
    n_folds: int,
) -> Experiment:
    """Return the experiment of a plan on these very clips."""
    configured = configuration(
        corpus,
        model,
        planned.protocol,
        epochs=planned.selection.epochs,
        backend=planned.selection.backend,
        extras=beside,
    )
    return Experiment(
        corpus=corpus.name,
        model=model.name,
        protocol=planned.protocol.name,
        backend=configured["backend"],
        configuration=configured,
        clips=data.digest,
        n_folds=n_folds,
        repetitions=planned.protocol.repetitions_of(model),
        skip_bad=planned.selection.skip_bad,
    )


def preview(planned: Plan, places: Places) -> Iterator[Step]:
    """Yield what would be run, one experiment after another; nothing is extracted or written.

    Raises:
        SpecError: if a fold is asked for that a corpus does not have
        CorpusError: if a corpus is not there or cannot be split
    """
    reading = Reading(places)
    for corpus, model, condition, only in mine(planned, places, reading):
        how = {"extract": False, "only": only, "clips": reading.clips(corpus)}
        yield prepare(corpus, model, planned, places, condition=condition, **how)[0]


def everything(planned: Plan) -> Iterator[tuple[Corpus, ModelSpec, Condition]]:
    """Yield what each experiment of a plan is about; models that only read hear no condition."""
    for corpus, specs in planned.pairs:
        for model in specs:
            for condition in planned.conditions if takes_audio(model) else (AS_IT_IS,):
                yield corpus, model, condition


def _jobs(
    experiment: Experiment, model: ModelSpec, planned: Plan, folds: Sequence[Fold]
) -> list[Job]:
    """Return the jobs that were asked for, in the order they are run."""
    chosen = _chosen(experiment.corpus, planned, folds)
    repetitions = _repetitions(model, planned)
    jobs = [Job(fold, number + 1) for number in range(repetitions) for fold in chosen]
    return [Job(None), *jobs] if tunes_first(model, planned) else jobs


def tunes_first(model: ModelSpec, planned: Plan) -> bool:
    """Tell whether the folds of an experiment read what a step of its own has tuned."""
    return searches(model, planned.protocol) and planned.protocol.tuning == "evaluation"


def _chosen(corpus: str, planned: Plan, folds: Sequence[Fold]) -> Sequence[int]:
    """Return the indexes of the folds that were asked for."""
    wanted = planned.selection.folds
    unknown = [index for index in wanted if not 0 <= index < len(folds)]
    if unknown:
        raise SpecError(
            f"--folds: expected numbers from 0 to {len(folds) - 1} for {corpus}, "
            f"found {', '.join(map(str, unknown))}."
        )
    return sorted(set(wanted)) or range(len(folds))


def _repetitions(model: ModelSpec, planned: Plan) -> int:
    """Return how many repetitions of a model were asked for."""
    asked = planned.selection.repetitions
    usual = planned.protocol.repetitions_of(model)
    return usual if asked is None or model.deterministic else asked


def facts(data: Dataset, condition: Condition) -> dict[str, object]:
    """Return what `experiment.json` holds beside the experiment itself."""
    heard = {}
    if condition != AS_IT_IS:
        silence = np.zeros(SAMPLE_RATE, np.float32)
        heard = {"stream": {**condition.apply(silence)[1], **condition.tools}}
    lasting = durations.histogram(data.table["duration"].to_numpy(float, na_value=np.nan))
    return {
        **heard,
        **({durations.KEY: lasting.plain} if lasting else {}),
        "labels": list(data.labels),
        "n_clips": len(data.table),
        "n_speakers": int(data.table["speaker"].nunique()),
        "left_out": dict(sorted(data.left_out.items())),
        "emobench_version": __version__,
    }
