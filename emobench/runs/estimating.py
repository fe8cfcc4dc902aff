"""What a plan will take on this machine: from records, from trials, from the corpora."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from .. import features
from ..conditions import Condition
from ..corpora import Corpus
from ..costs import Cost, Estimate, FeatureCost, Figure, effort, front_ends, precedents
from ..costs.figures import Rate
from ..costs.precedents import Precedents
from ..costs.trials import Trials
from ..environment import Seat
from ..errors import CorpusError, FeatureError, SpecError
from ..executors import Devices
from ..experiments import dataset
from ..experiments.context import applied_condition
from ..experiments.dataset import Dataset
from ..features import recipes
from ..run_options import Selection
from ..spec import FeatureSpec, Fold, Job, ModelSpec, Places
from .handing_out import Step
from .placing import devices, encoding, processors
from .planning import Plan
from .preparing import mine, prepare
from .reading import Reading
from .sharding import Share
from .turns import Workers

_ROUGH_RECORD, _ROUGH_CLIP = 9_000, 40
"""Bytes of a job's files, and of each clip that it predicts."""


def estimate(
    planned: Plan,
    places: Places,
    *,
    try_seconds: float | None = None,
    passing_over: bool = False,
    watched: Callable[[str], dataset.Progress] | None = None,
    notice: Callable[[str], None] = lambda text: None,
) -> Estimate:
    """Estimate what is still to be done of a plan; nothing is extracted or filed.

    How long jobs take is told by the records of the same model: those of the folder of results, and
    where emobench runs from its source tree those that are committed there. Experiments of which
    none tells are tried if that is asked for, and else of unknown length.

    Args:
        planned: what is to be run
        places: where corpora, features and results are
        try_seconds: how long each model that has no records may be tried; None to try none
        passing_over: leave out what cannot be prepared; else that is an error
        watched: from the name of a corpus to what is told how far its reading is
        notice: told which share of which plan this is

    Raises:
        SpecError: if a fold is asked for that a corpus does not have
        CorpusError: if a corpus is not there or cannot be split
    """
    estimating = _Estimating(planned, places, try_seconds)
    costs: list[Cost] = []
    extracted: list[FeatureCost] = []
    reading = Reading(places)

    def tell(share: Share) -> None:
        notice(str(share.mark))

    for corpus, model, condition, only in mine(planned, places, reading, tell):
        progress = watched(corpus.name) if watched else lambda what, done, total: None
        try:
            step, data = prepare(
                *(corpus, model, planned, places),
                condition=condition,
                extract=False,
                only=only,
                clips=reading.clips(corpus, progress),
            )
        except (CorpusError, FeatureError):
            if passing_over:
                continue
            raise
        is_first = not any(cost.jobs for cost in costs)
        costs.append(estimating.cost(corpus, step, data))
        if step.missing:
            lacking = estimating.lacking(corpus, step, data)
            extracted += (replace(one, ahead=is_first) for one in lacking)
    networks = any(cost.network for cost in costs)
    found = estimating.devices if networks else Devices()
    cards = len(found.cards) * found.workers_per_card
    spare = _spare(planned.selection, cards, all(cost.network for cost in costs))
    return Estimate(tuple(costs), tuple(extracted), planned.selection.jobs, cards, spare)


def _spare(selection: Selection, cards: int, only_networks: bool) -> int:
    """Return how many processors extract features beside jobs."""
    others = 0 if cards and only_networks else selection.jobs
    here = 0 if selection.executor == "slurm" else cards + others
    return Workers(cards, others, here, selection.threads).spare(processors(), selection.jobs)


@dataclass
class _Estimating:
    """What is the same for every experiment of a plan."""

    planned: Plan
    places: Places
    try_seconds: float | None
    _precedents: dict[str, Precedents] = field(default_factory=dict)
    _durations: dict[str, float] = field(default_factory=dict)
    _counted: dict[tuple[FeatureSpec, Condition | None], set[str | None]] = field(
        default_factory=dict
    )

    @cached_property
    def devices(self) -> Devices:
        """Return what networks are trained on, as far as this machine has it."""
        return Devices() if self._elsewhere else devices(self.planned.selection)

    @cached_property
    def _elsewhere(self) -> bool:
        """Whether networks are trained on what this machine does not have."""
        selection = self.planned.selection
        if selection.executor != "local":
            return True
        try:
            devices(selection)
        except SpecError:  # a run would say so; an estimate may be for another machine
            return True
        return False

    @cached_property
    def encodes_on_cards(self) -> bool:
        """Whether a frozen encoder is computed on a card, which is not tried."""
        try:
            return bool(encoding(self.planned, self.places, lambda text: None))
        except SpecError:  # a run would say so; an estimate may be for another machine
            return True

    @cached_property
    def trials(self) -> Trials:
        """Return who tries models."""
        cards, selection = self.devices.cards, self.planned.selection
        return Trials(
            *(self.try_seconds, selection.backend, selection.threads, self.places),
            Seat(cards[0].address) if cards else None,
        )

    def cost(self, corpus: Corpus, step: Step, data: Dataset) -> Cost:
        """Return what an experiment takes."""
        model, protocol = step.model, self.planned.protocol
        every = data.folds(protocol)
        efforts = {job: self._effort(job, model, data, every) for job in step.missing}
        known = self._known(corpus, model, data)
        rate, memory = self._rate(known, corpus, model, data) if efforts else (None, None)
        jobs = {
            job: rate.seconds(amount) if rate else effort.usual_seconds(amount)
            for job, amount in efforts.items()
        }
        tested = [len(every[job.fold].test) for job in step.missing if job.fold is not None]
        return Cost(
            experiment=step.experiment,
            kept=step.kept,
            jobs=jobs,
            seconds=Figure(sum(jobs.values()), rate.source) if rate else None,
            memory=known.memory(corpus.name, protocol.name) or memory,
            disk=self._disk(known, corpus, tested),
        )

    def lacking(self, corpus: Corpus, step: Step, data: Dataset) -> Iterator[FeatureCost]:
        """Yield the features of an experiment that are not cached, each sound once in a plan."""
        applied = applied_condition(step.experiment.configuration)
        heard = dict.fromkeys((applied.of("training"), applied.of("test")))
        for spec in dataset.specs_of(step.model, self.places).values():
            for condition in () if features.get(spec.name).text else heard:
                durations = self._uncached(data, spec, condition)
                if len(durations):
                    through = condition.name if condition else ""
                    on_card = features.get(spec.name).network and self.encodes_on_cards
                    yield _extraction(corpus.name, spec, through, durations, on_card)

    def _uncached(
        self, data: Dataset, spec: FeatureSpec, condition: Condition | None
    ) -> np.ndarray:
        """Return how long the clips last that would be extracted, in seconds."""
        ids = features.missing(
            data.table, spec, cache=self.places.cache, sounds=data.sounds, condition=condition
        )
        counted = self._counted.setdefault((recipes.source(spec), condition), set())
        fresh = {data.sounds[clip]: clip for clip in ids if data.sounds[clip] not in counted}
        counted.update(fresh)
        return _lasting(data)[data.positions(tuple(fresh.values()))]

    def _effort(self, job: Job, model: ModelSpec, data: Dataset, every: list[Fold]) -> float:
        protocol, epochs = self.planned.protocol, self.planned.selection.epochs
        if job.fold is None:
            return effort.of_search(model, protocol, data.table, every, epochs)
        return effort.of_fold(model, protocol, data.table, every[job.fold], epochs)

    def _known(self, corpus: Corpus, model: ModelSpec, data: Dataset) -> Precedents:
        """Return what is on file of a model."""
        own = effort.mean_duration(data.table, data.table)
        self._durations[corpus.name] = own
        if model.name not in self._precedents:
            network = model.kind == "network"
            self._precedents[model.name] = precedents.read(
                precedents.folders(self.places),
                model,
                backend=self.planned.selection.backend if network else "scikit-learn",
                device=self._device(network),
                threads=self.planned.selection.threads,
                duration=lambda name: self._durations.get(name, own),
            )
        return self._precedents[model.name]

    def _device(self, network: bool) -> str | None:
        """Return what records call the device; None for one that is not known."""
        if self.planned.selection.executor != "local" or (network and self._elsewhere):
            return None
        if network and self.devices.cards:
            return f"gpu {self.devices.cards[0].name}".strip()
        return f"cpu {platform.machine()}"

    def _rate(
        self, known: Precedents, corpus: Corpus, model: ModelSpec, data: Dataset
    ) -> tuple[Rate | None, Figure | None]:
        """Return how long effort takes, and what a trial says of memory."""
        rate = known.rate(corpus.name, self.planned.protocol.name)
        elsewhere = model.kind == "network" and self._elsewhere
        if rate is not None or self.try_seconds is None or elsewhere:
            return rate, None
        found = self.trials.of(model, _lasting(data), len(data.labels))
        return (found.rate, found.memory) if found else (None, None)

    def _disk(self, known: Precedents, corpus: Corpus, tested: list[int]) -> Figure:
        """Return the bytes of the files of jobs that predict so many clips each."""
        sizes = [known.size(corpus.name, self.planned.protocol.name, clips) for clips in tested]
        if sizes and sizes[0] is not None:
            return Figure(sum(size.value for size in sizes if size), sizes[0].source)
        return Figure(float(sum(_ROUGH_RECORD + _ROUGH_CLIP * clips for clips in tested)), "rough")


def _extraction(
    corpus: str, spec: FeatureSpec, through: str, durations: np.ndarray, on_card: bool
) -> FeatureCost:
    """Return what a front-end takes for clips of these durations, in seconds.

    How long it takes on a card is not known: it is tried on the CPU.
    """
    found = front_ends.of(spec)
    timed = found is not None and not on_card
    seconds = Figure(found.seconds * float(durations.sum()), "measured") if timed else None
    disk = Figure(found.size(durations), "measured") if found else None
    return FeatureCost(corpus, str(spec), through, seconds, disk)


def _lasting(data: Dataset) -> np.ndarray:
    """Return how long clips last in seconds, of shape `(clips,)`; unknown ones as the others do."""
    known = data.table["duration"]
    return known.fillna(0.0 if known.isna().all() else known.mean()).to_numpy(float)
