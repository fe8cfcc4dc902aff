"""Computing what the store does not hold yet: run again means go on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..conditions import Condition
from ..corpora import Corpus
from ..errors import CorpusError, EmobenchError, FeatureError, StoreError
from ..executors import Event, Executor, Work
from ..experiments import dataset, takes_encoder
from ..experiments.dataset import Dataset
from ..spec import Experiment, Job, ModelSpec, Places
from ..store import Store, shards
from . import between
from .foreseeing import Foreseeing
from .handing_out import Handout, Step, sizes_of_groups
from .placing import choose, encoding, processors
from .planning import Plan
from .preparing import AS_IT_IS, facts, mine, prepare, tunes_first
from .reading import Reading
from .sharding import Share
from .turns import Feed, Made, Readying, StoppedError, Turn, Workers


@dataclass(frozen=True)
class Observer:
    """Who watches a run.

    Attributes:
        listener: told of everything that happens to a job
        feature_progress: told how far the extraction of a corpus' features is: the corpus, what
            is extracted, how much of it is done, and how much there is
        begin: told the experiments before anything is extracted: what is to do, as far as that is
            known without features
        revise: told where an experiment has other jobs to do than `begin` was told, and what they
            are; None if it cannot be done
        notice: told what networks are trained on, what two corpora have in common, and which share
            of which plan is run
        stopping: once true, running jobs are finished, with those that are trained along with
            them, and no other is begun
    """

    listener: Callable[[Event], None] = lambda event: None
    feature_progress: Callable[[str, str, int, int], None] = lambda corpus, what, done, total: None
    begin: Callable[[Sequence[Step]], None] = lambda steps: None
    revise: Callable[[Step, Step | None], None] = lambda foreseen, step: None
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

    What can be known without features is looked at first, for all experiments. Then one after
    another is made ready and handed out, so that its results need not wait for those behind it;
    but what a frozen encoder computes on a card comes first, as training takes its memory.

    Args:
        planned: what to run
        places: where to read and write
        observer: who is told of what happens, and may stop it

    Returns:
        what was done

    Raises:
        SpecError: if a device or a cluster is asked for that is not there, or a fold
        StoreError: if results cannot be written; everything finished is kept
    """
    summary = Summary(left_out=dict(planned.left_out))
    with contextlib.closing(choose(planned, places, observer.notice)) as executor:
        cards = tuple(card.address for card in encoding(planned, places, observer.notice))
        run = _Run(planned, places, observer, summary, cards)
        turns = list(run.foresee())
        observer.begin([turn.foreseen for turn in turns])
        with contextlib.closing(run.readying(executor)) as readying:
            if cards:
                run.encode(turns, readying)
            run.perform(turns, executor, readying)
    summary.stopped = observer.stopping()
    return summary


@dataclass(frozen=True)
class _Run:
    """A run under way; see `execute`.

    Attributes:
        planned: what is run
        places: where to read and write
        observer: who is told
        summary: what has been done
        cards: that a frozen encoder is computed on, as CUDA_VISIBLE_DEVICES names them
    """

    planned: Plan
    places: Places
    observer: Observer
    summary: Summary
    cards: tuple[str, ...] = ()

    @cached_property
    def _reading(self) -> Reading:
        """What reads corpora: for the thread that runs, and then for that which makes ready."""
        return Reading(self.places)

    def foresee(self) -> Iterator[Turn]:
        """Yield the experiments that can be run, and enter the others in the summary."""
        foreseeing = Foreseeing(self.planned, self.places, self.observer.notice)
        dealt = mine(self.planned, self.places, self._reading, self._note_share)
        for corpus, model, condition, only in dealt:
            if self.observer.stopping():
                return
            try:
                foreseeing.say(corpus)
                progress = self.observer.extracting(corpus.name)
                step, data = prepare(
                    corpus,
                    model,
                    self.planned,
                    self.places,
                    condition=condition,
                    extract=False,
                    only=only,
                    clips=self._reading.clips(corpus, progress),
                )
                foreseeing.warn_of_control(corpus, data)
                turn = Turn(corpus, model, condition, only, step)
                if not step.missing:
                    self._enter(turn, self._made(turn, step, data))
            except (CorpusError, FeatureError) as error:
                self._fail(corpus, model, condition, error)
            else:
                yield turn

    def _note_share(self, share: Share) -> None:
        """Say and file which share is run, so that a merge sees whether machines dealt alike."""
        self.observer.notice(str(share.mark))
        shards.note(self.places.results, share.mark, share.plain)

    def readying(self, executor: Executor) -> Readying:
        """Return what makes experiments ready."""
        selection = self.planned.selection
        return Readying(
            self._make,
            processes=selection.jobs,
            available=processors(),
            workers=workers_of(executor, self.planned),
            tell=self.observer.feature_progress,
            stopping=self.observer.stopping,
        )

    def encode(self, turns: Sequence[Turn], readying: Readying) -> None:
        """Make ready what is fed from a frozen encoder, while nothing trains on the cards."""
        for turn in turns:
            if takes_encoder(turn.model) and not turn.settled:
                try:
                    self._settle(turn, readying)
                except StoppedError:
                    return

    def perform(self, turns: Sequence[Turn], executor: Executor, readying: Readying) -> None:
        """Hand out the jobs of experiments, and enter what becomes of them in the summary."""
        together = sizes_of_groups(self.planned, executor.networks_at_once)
        threads, processes = self.planned.selection.threads, executor.tuning_processes
        handout = Handout(self.places, threads, processes, together)
        for feed in self._phases(turns, readying, handout):
            with contextlib.closing(executor.run(feed, self.observer.stopping)) as events:
                for event in events:
                    _note(event, self.summary, self.places)
                    self.observer.listener(event)
                    feed.heard(event)

    def _phases(
        self, turns: Sequence[Turn], readying: Readying, handout: Handout
    ) -> Iterator[Feed]:
        """Yield the tuning steps, one by one if each can use all processes, and then the folds."""

        def feed(some: Sequence[Turn], jobs: Callable[[Step], Iterator[Work]]) -> Feed:
            return Feed(some, readying, self._settle, jobs)

        tuned = [turn for turn in turns if tunes_first(turn.model, self.planned)]
        if handout.tuning_processes > 1:
            yield from (feed([turn], handout.tuning) for turn in tuned)
        elif tuned:
            yield feed(tuned, handout.tuning)
        yield feed(turns, lambda step: filter(self._is_tuned, handout.folds(step)))

    def _is_tuned(self, work: Work) -> bool:
        """Tell whether a job can be run: the tuning of its experiment did not fail."""
        return _name(work.experiment, Job(None)) not in self.summary.failures

    def _make(self, turn: Turn, processes: int, progress: dataset.Progress) -> Made:
        """Extract what an experiment lacks; in a thread of its own."""
        step, data = prepare(
            turn.corpus,
            turn.model,
            self.planned,
            self.places,
            condition=turn.condition,
            jobs=processes,
            cards=self.cards,
            progress=progress,
            only=turn.only,
            foreseen=turn.foreseen,
            clips=self._reading.clips(turn.corpus, progress),
        )
        return self._made(turn, step, data)

    def _made(self, turn: Turn, step: Step, data: Dataset) -> Made:
        known = {**facts(data, turn.condition), **between.facts(turn.corpus, self.places)}
        return Made(step, data.left_out, known)

    def _settle(self, turn: Turn, readying: Readying) -> None:
        """Wait until an experiment is ready, and enter it in the summary."""
        try:
            self._enter(turn, readying.wait(turn))
        except StoreError:
            raise
        except EmobenchError as error:  # jobs of other experiments go on
            turn.settle(None)
            self._fail(turn.corpus, turn.model, turn.condition, error)
            self.observer.revise(turn.foreseen, None)

    def _enter(self, turn: Turn, made: Made) -> None:
        """Make the folder of an experiment that is ready."""
        Store(self.places.results).open(made.step.experiment, made.known)
        if made.left_out:
            self.summary.skipped_clips[turn.corpus.name] = dict(made.left_out)
        self.summary.kept += made.step.kept
        if (made.step.missing, made.step.kept) != (turn.foreseen.missing, turn.foreseen.kept):
            self.observer.revise(turn.foreseen, made.step)
        turn.settle(made.step)

    def _fail(
        self, corpus: Corpus, model: ModelSpec, condition: Condition, error: EmobenchError
    ) -> None:
        under = f" with {condition.name}" if condition != AS_IT_IS else ""
        self.summary.failures[f"{corpus.name} {model.name}{under}"] = str(error)


def workers_of(executor: Executor, planned: Plan) -> Workers:
    """Return who runs the jobs of a plan; those who find none among them are not counted."""
    on_cards, others = executor.networks_at_once, executor.others_at_once
    here = executor.workers_here
    if on_cards and all(spec.kind == "network" for _, specs in planned.pairs for spec in specs):
        here, others = min(here, on_cards), 0
    return Workers(on_cards, others, here, planned.selection.threads)


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
