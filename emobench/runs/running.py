"""Computing what the store does not hold yet: run again means go on."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .. import controls
from ..corpora import Corpus
from ..errors import CorpusError, FeatureError, StoreError, count
from ..executors import Event, Executor, Work
from ..experiments import dataset
from ..experiments.dataset import Dataset
from ..spec import Experiment, Job, Places
from ..store import Store
from . import between
from .handing_out import Step, phases, sizes_of_groups
from .placing import choose
from .planning import Plan
from .preparing import AS_IT_IS, facts, mine, prepare

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Observer:
    """Who watches a run.

    Attributes:
        listener: told of everything that happens to a job
        feature_progress: told how far the extraction of a corpus' features is: the corpus, what
            is extracted, how much of it is done, and how much there is
        begin: told the experiments before training begins
        notice: told what networks are trained on, and what two corpora have in common
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


def execute(planned: Plan, places: Places, observer: Observer = UNOBSERVED) -> Summary:
    """Run everything of a plan that has no record yet.

    Args:
        planned: what to run
        places: where to read and write
        observer: who is told of what happens, and may stop it

    Returns:
        what was done

    Raises:
        SpecError: if a device or a cluster is asked for that is not there
        StoreError: if results cannot be written; everything finished is kept
    """
    summary = Summary(left_out=dict(planned.left_out))
    with contextlib.closing(choose(planned, places, observer.notice)) as executor:
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
    for corpus, model, condition, only in mine(planned, places):
        if observer.stopping():
            return
        try:
            _foresee(corpus, planned, places, observer, foreseen)
            step, data = prepare(
                corpus,
                model,
                planned,
                places,
                condition=condition,
                jobs=planned.selection.jobs,
                progress=observer.extracting(corpus.name),
                only=only,
            )
            known = {**facts(data, condition), **between.facts(corpus, places)}
            Store(places.results).open(step.experiment, known)
        except (CorpusError, FeatureError) as error:
            under = f" with {condition.name}" if condition != AS_IT_IS else ""
            summary.failures[f"{corpus.name} {model.name}{under}"] = str(error)
            continue
        _warn_of_control(corpus, planned, data, foreseen)
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


def _foresee(
    corpus: Corpus, planned: Plan, places: Places, observer: Observer, foreseen: set[str]
) -> None:
    """Say once what a corpus cannot teach; fail before extraction if it cannot be split."""
    if corpus.name not in foreseen:
        for finding in between.foresee(corpus, planned.protocol, places):
            _log.warning("%s: %s", corpus.name, finding.line)
        for line in between.explained(corpus, places):
            observer.notice(line)
        foreseen.add(corpus.name)


def _warn_of_control(corpus: Corpus, planned: Plan, data: Dataset, foreseen: set[str]) -> None:
    """Say once of which speakers a control changes nothing."""
    unmoved = controls.unmoved(data.table) if planned.selection.control != "none" else []
    if unmoved and f"{corpus.name} control" not in foreseen:
        _log.warning(
            "%s: %s of %d have clips of one label only, which permuting leaves as they are: the "
            "control says less of them, such as %s.",
            corpus.name,
            count(len(unmoved), "speaker"),
            data.table["speaker"].nunique(),
            unmoved[0],
        )
        foreseen.add(f"{corpus.name} control")


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
