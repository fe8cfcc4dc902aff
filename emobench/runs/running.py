"""Computing what the store does not hold yet: run again means go on."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .. import __version__, audit, executors
from ..audio import SAMPLE_RATE
from ..conditions import Condition
from ..corpora import Corpus
from ..errors import CorpusError, FeatureError, SpecError, StoreError
from ..executors import Event, Executor, Local, Work
from ..experiments import configuration, dataset, extras, takes_audio
from ..experiments.context import applied_condition
from ..experiments.dataset import Dataset
from ..spec import Experiment, Fold, Job, ModelSpec, Places
from ..store import Store
from .handing_out import Step, phases, sizes_of_groups
from .planning import Plan

_log = logging.getLogger(__name__)

AS_IT_IS = Condition()


@dataclass(frozen=True)
class Observer:
    """Who watches a run.

    Attributes:
        listener: told of everything that happens to a job
        feature_progress: told how far the extraction of a corpus' features is: the corpus, what
            is extracted, how much of it is done, and how much there is
        begin: told the experiments before training begins
        notice: told what networks are trained on
        stopping: once true, running jobs are finished, with those that are trained along with
            them, and no other is begun
    """

    listener: Callable[[Event], None] = lambda event: None
    feature_progress: Callable[[str, str, int, int], None] = lambda corpus, what, done, total: None
    begin: Callable[[Sequence[Step]], None] = lambda steps: None
    notice: Callable[[str], None] = lambda text: None
    stopping: Callable[[], bool] = lambda: False

    def extracting(self, corpus: str) -> dataset.Progress:
        """Return a progress report that ends an extraction once the run is to stop."""

        def report(what: str, done: int, total: int) -> None:
            self.feature_progress(corpus, what, done, total)
            if self.stopping():
                raise KeyboardInterrupt  # a half-made cache is discarded, nothing else under way

        return report


UNOBSERVED = Observer()


@dataclass
class Summary:
    """What a run came to.

    Attributes:
        done: jobs computed now
        kept: jobs that were there already
        failures: messages by "corpus model job"
        warnings: doubts about what was computed, by "corpus model job"
        left_out: what was selected by "all" and not run, with the reason
        skipped_clips: clips left out by `skip_bad`, with the reason, by corpus
        stopped: whether the run was interrupted
    """

    done: int = 0
    kept: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    skipped_clips: dict[str, dict[str, str]] = field(default_factory=dict)
    stopped: bool = False


def prepare(
    corpus: Corpus,
    model: ModelSpec,
    planned: Plan,
    places: Places,
    *,
    condition: Condition = AS_IT_IS,
    jobs: int = 1,
    extract: bool = True,
    progress: dataset.Progress = lambda what, done, total: None,
) -> tuple[Step, Dataset]:
    """Extract what is not cached, and find out which jobs are missing.

    Args:
        corpus: what to train and test on
        model: what to train
        planned: protocol and options
        places: where to read and write
        condition: what the sound goes through
        jobs: processes that extract
        extract: without it no feature is extracted, and all clips are taken to be usable
        progress: told how far the extraction is

    Raises:
        EmobenchError: if the corpus, the features or the results folder cannot be used
    """
    selection = planned.selection
    beside = extras(model, places, condition, selection.sides)
    data = dataset.load(
        corpus,
        model,
        places,
        applied=applied_condition(beside),
        jobs=jobs,
        skip_bad=selection.skip_bad,
        extract=extract,
        progress=progress,
    )
    folds = data.folds(planned.protocol)
    configured = configuration(
        corpus,
        model,
        planned.protocol,
        epochs=selection.epochs,
        backend=selection.backend,
        extras=beside,
    )
    experiment = Experiment(
        corpus=corpus.name,
        model=model.name,
        protocol=planned.protocol.name,
        backend=configured["backend"],
        configuration=configured,
        clips=data.digest,
        n_folds=len(folds),
        repetitions=planned.protocol.repetitions_of(model),
        skip_bad=selection.skip_bad,
    )
    wanted = _jobs(experiment, model, planned, folds)
    missing = tuple(Store(places.results).missing(experiment, wanted))
    return Step(experiment, model, missing, len(wanted) - len(missing)), data


def preview(planned: Plan, places: Places) -> Iterator[Step]:
    """Yield what would be run, one experiment after another; nothing is extracted or written.

    Raises:
        SpecError: if a fold is asked for that a corpus does not have
        CorpusError: if a corpus is not there or cannot be split
    """
    for corpus, model, condition in _everything(planned):
        yield prepare(corpus, model, planned, places, condition=condition, extract=False)[0]


def _everything(planned: Plan) -> Iterator[tuple[Corpus, ModelSpec, Condition]]:
    """Yield what each experiment of a plan is about; models that only read hear no condition."""
    for corpus, specs in planned.pairs:
        for model in specs:
            for condition in planned.conditions if takes_audio(model) else (AS_IT_IS,):
                yield corpus, model, condition


def _jobs(
    experiment: Experiment, model: ModelSpec, planned: Plan, folds: Sequence[Fold]
) -> list[Job]:
    """Return the jobs that were asked for, in the order they are run."""
    selection = planned.selection
    unknown = [index for index in selection.folds if not 0 <= index < len(folds)]
    if unknown:
        raise SpecError(
            f"--folds: expected numbers from 0 to {len(folds) - 1} for {experiment.corpus}, "
            f"found {', '.join(map(str, unknown))}."
        )
    chosen = sorted(set(selection.folds)) or range(len(folds))
    repetitions = experiment.repetitions
    if selection.repetitions is not None and not model.deterministic:
        repetitions = selection.repetitions
    jobs = [Job(fold, number + 1) for number in range(repetitions) for fold in chosen]
    if model.kind == "estimator" and planned.protocol.tuning == "evaluation":
        jobs.insert(0, Job(None))
    return jobs


def execute(planned: Plan, places: Places, observer: Observer = UNOBSERVED) -> Summary:
    """Run everything of a plan that has no record yet.

    Args:
        planned: what to run
        places: where to read and write
        observer: who is told of what happens, and may stop it

    Returns:
        what was done

    Raises:
        SpecError: if a device is asked for that is not there
        StoreError: if results cannot be written; everything finished is kept
    """
    summary = Summary(left_out=dict(planned.left_out))
    executor = _executor(planned, observer.notice)
    _try_folds(planned, places, observer)
    steps = list(_prepared(planned, places, observer, summary))
    observer.begin(steps)
    _perform(steps, planned, places, executor, observer, summary)
    summary.stopped = observer.stopping()
    return summary


def _try_folds(planned: Plan, places: Places, observer: Observer) -> None:
    """Say that a fold does not exist before any experiment is prepared for long."""
    for corpus, specs in planned.pairs if planned.selection.folds else ():
        progress = observer.extracting(corpus.name)
        prepare(corpus, specs[0], planned, places, extract=False, progress=progress)


def _prepared(
    planned: Plan, places: Places, observer: Observer, summary: Summary
) -> Iterator[Step]:
    """Yield the experiments that can be run, and enter the others in the summary."""
    foreseen: set[str] = set()
    for corpus, model, condition in _everything(planned):
        if observer.stopping():
            return
        try:
            _foresee(corpus, planned, places, foreseen)
            step, data = prepare(
                corpus,
                model,
                planned,
                places,
                condition=condition,
                jobs=planned.selection.jobs,
                progress=observer.extracting(corpus.name),
            )
            Store(places.results).open(step.experiment, _facts(data, condition))
        except (CorpusError, FeatureError) as error:
            under = f" with {condition.name}" if condition != AS_IT_IS else ""
            summary.failures[f"{corpus.name} {model.name}{under}"] = str(error)
            continue
        if data.left_out:
            summary.skipped_clips[corpus.name] = dict(data.left_out)
        summary.kept += step.kept
        yield step


def _perform(
    steps: Sequence[Step],
    planned: Plan,
    places: Places,
    executor: Executor,
    observer: Observer,
    summary: Summary,
) -> None:
    """Hand out the jobs of experiments, and enter what becomes of them in the summary."""
    together = sizes_of_groups(planned, executor.networks_at_once)
    threads, processes = planned.selection.threads, executor.tuning_processes
    for phase in phases(steps, places, threads, processes, together):
        ready = (work for work in phase if _tuned(work, summary))
        with contextlib.closing(executor.run(ready, observer.stopping)) as events:
            for event in events:
                _note(event, summary, places)
                observer.listener(event)


def _executor(planned: Plan, notice: Callable[[str], None]) -> Executor:
    """Return where the plan's jobs run; what it lacks is said before anything is extracted."""
    selection = planned.selection
    if not any(spec.kind == "network" for _, specs in planned.pairs for spec in specs):
        return Local(selection.jobs)
    found = executors.find(
        executors.parse(selection.device),
        selection.backend,
        workers_per_card=selection.workers_per_device,
    )
    if found.note:
        notice(found.note)
    return Local(selection.jobs, found)


def _foresee(corpus: Corpus, planned: Plan, places: Places, foreseen: set[str]) -> None:
    """Say once what a corpus cannot teach; fail before extraction if it cannot be split."""
    if corpus.name not in foreseen:
        for finding in audit.foresee(corpus, planned.protocol, places.data, places.cache):
            _log.warning("%s: %s", corpus.name, finding.line)
        foreseen.add(corpus.name)


def _facts(data: Dataset, condition: Condition) -> dict[str, object]:
    """Return what `experiment.json` holds beside the experiment itself."""
    heard = {}
    if condition != AS_IT_IS:
        silence = np.zeros(SAMPLE_RATE, np.float32)
        heard = {"stream": {**condition.apply(silence)[1], **condition.tools}}
    return {
        **heard,
        "labels": list(data.labels),
        "n_clips": len(data.table),
        "n_speakers": int(data.table["speaker"].nunique()),
        "left_out": dict(sorted(data.left_out.items())),
        "emobench_version": __version__,
    }


def _tuned(work: Work, summary: Summary) -> bool:
    """Tell whether a job can be run: the tuning of its experiment did not fail."""
    return _name(work.experiment, Job(None)) not in summary.failures


def _name(experiment: Experiment, job: Job) -> str:
    """Return a job's name in a summary."""
    return f"{experiment.title} {job.name}"


def _note(event: Event, summary: Summary, places: Places) -> None:
    """Enter an event in the summary; a failure is filed as a record of its own."""
    experiment = event.work.experiment
    name = _name(experiment, event.work.job)
    if event.kind == "done":
        summary.done += 1
        summary.failures.pop(name, None)
        if event.record.get("warnings"):
            summary.warnings[name] = event.record["warnings"]
    elif event.kind == "failed":
        summary.failures[name] = event.message
        Store(places.results).fail(experiment, event.work.job, event.message)
    elif event.kind == "fatal":
        raise StoreError(event.message)
