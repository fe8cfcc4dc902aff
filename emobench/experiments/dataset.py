"""The clips of one experiment on this machine: table, classes, folds and features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from .. import controls, corpora, features, folds
from ..conditions import Condition
from ..controls import Control
from ..errors import CorpusError
from ..features import FeatureSet
from ..features.workers import ALONE, Crew
from ..spec import (
    FeatureSpec,
    Fold,
    ModelSpec,
    Normalisation,
    Places,
    Protocol,
    Scaling,
    Sides,
    fingerprint,
)
from . import given_texts
from .configuration import scaling_of, takes_audio
from .inputs import AudioInput, Input, Prepared, Side, TextInput

AS_IT_IS = Condition()

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Dataset:
    """What an experiment trains and tests on.

    Attributes:
        table: one row a clip, indexed by id
        labels: the classes, in the corpus' order
        rule: how the corpus is split
        inputs: the model's inputs by name
        left_out: clips that a front-end refused, with the reason
        uses_transcripts: whether the model is given transcripts
        sounds: name of what is decoded of each clip, by id; empty for a model on transcripts
    """

    table: pd.DataFrame
    labels: tuple[str, ...]
    rule: str
    inputs: Mapping[str, Input]
    left_out: Mapping[str, str]
    uses_transcripts: bool = False
    sounds: Mapping[str, str | None] = field(default_factory=dict)

    @cached_property
    def targets(self) -> np.ndarray:
        """Class index of each clip, of shape `(clips,)`."""
        return self.table["label"].map(self.labels.index).to_numpy()

    @cached_property
    def digest(self) -> str:
        """Name of the clips: ids, labels, speakers, groups, segments, and sounds or texts."""
        columns = ["label", "speaker", "group", "start", "end"]
        columns += ["transcript"] if self.uses_transcripts else []
        rows = self.table.sort_index()[columns].astype(object)
        if self.sounds:
            rows["sound"] = [self.sounds[clip] for clip in rows.index]
        rows = rows.where(rows.notna(), None)
        return fingerprint([[str(clip), *map(_plain, row)] for clip, *row in rows.itertuples()])

    def folds(self, protocol: Protocol) -> list[Fold]:
        """Return the folds of a protocol."""
        return folds.make(self.table, self.rule, protocol)

    def positions(self, ids: tuple[str, ...]) -> np.ndarray:
        """Return the positions of clips in the table, of shape `(clips,)`."""
        return self.table.index.get_indexer(list(ids))

    def prepare(
        self,
        name: str,
        training: np.ndarray,
        test: np.ndarray | Sequence[int] = (),
        known: np.ndarray | None = None,
    ) -> Prepared:
        """Return an input standardised and fitted with what the training clips tell.

        Args:
            name: of the input
            training: positions of the clips to learn from
            test: positions of the clips that go through the condition of the test side
            known: positions of the clips whose sound may be looked at; None for all
        """
        return self.inputs[name].prepare(self.table, training, np.asarray(test, dtype=int), known)

    def matrix(
        self,
        name: str,
        training: np.ndarray,
        test: np.ndarray | Sequence[int] = (),
        known: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return an input that has as many rows in every clip as one array.

        Returns:
            of shape `(clips, columns)` where a clip is one row, else `(clips, rows, columns)`
        """
        return self.prepare(name, training, test, known).matrix


@dataclass(frozen=True)
class AppliedCondition:
    """A condition, and which clips go through it before features are extracted.

    Attributes:
        condition: which
        sides: the clips that go through it
    """

    condition: Condition = AS_IT_IS
    sides: Sides = "test"

    def of(self, side: Literal["test", "training"]) -> Condition | None:
        """Return what the clips of a side go through; None for the sound as it is."""
        changed = self.condition != AS_IT_IS and self.sides in (side, "both")
        return self.condition if changed else None


@dataclass(frozen=True)
class _Extraction:
    """How features of the clips of a table are read, or extracted where they are not cached.

    Attributes:
        corpus: whose clips they are
        table: one row a clip
        cache: folder of features
        crew: who extracts; None where nothing may be extracted
        skip_bad: leave out clips that a front-end refuses
        sounds: name of what is decoded of each clip
        progress: called while features are extracted
    """

    corpus: str
    table: pd.DataFrame
    cache: Path
    crew: Crew | None
    skip_bad: bool
    sounds: Mapping[str, str | None]
    progress: Progress

    def sides(self, spec: FeatureSpec, applied: AppliedCondition) -> tuple[FeatureSet, FeatureSet]:
        """Return a front-end's features of the clips of the training side, and the test side."""
        learnt, tested = applied.of("training"), applied.of("test")
        first = self._features(spec, learnt)
        return first, first if tested is learnt else self._features(spec, tested)

    def _features(self, spec: FeatureSpec, condition: Condition | None) -> FeatureSet:
        return features.load(
            self.table,
            spec,
            cache=self.cache,
            crew=self.crew,
            skip_bad=self.skip_bad,
            condition=condition,
            sounds=self.sounds,
            corpus=self.corpus,
            progress=lambda done, total: self.progress(str(spec), done, total),
        )


class Clips:
    """The clips of a corpus, which are the same for every model; read once they are needed.

    Args:
        corpus: entry of the registry
        places: where audio and cache are
        progress: called while sound is decoded
    """

    def __init__(self, corpus: corpora.Corpus, places: Places, progress: Progress) -> None:
        self._corpus, self._places, self._progress = corpus, places, progress

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a clip, by id, so that batches do not depend on how an archive was unpacked."""
        return corpora.load(self._corpus, self._places.data, self._places.cache).sort_index()

    @cached_property
    def sounds(self) -> Mapping[str, str | None]:
        """Name of what is decoded of each clip, by id."""
        return features.identify(
            self.table,
            self._places.cache,
            lambda done, total: self._progress("sound", done, total),
        )


def load(
    corpus: corpora.Corpus,
    model: ModelSpec,
    places: Places,
    *,
    applied: AppliedCondition | None = None,
    control: Control = "none",
    normalisation: Normalisation = "",
    crew: Crew | None = ALONE,
    skip_bad: bool = False,
    extract: bool = True,
    progress: Progress = lambda what, done, total: None,
    clips: Clips | None = None,
) -> Dataset:
    """Read a corpus and the features that a model needs, extracting those that are not cached.

    Args:
        corpus: entry of the registry
        model: whose inputs are wanted
        places: where audio, texts and cache are
        applied: what the sound goes through
        control: what is done to the labels
        normalisation: what inputs are standardised with instead of what they name, or ""
        crew: who extracts; None where features are only read
        skip_bad: leave out clips that a front-end refuses instead of stopping
        extract: without it the data set has clips, their sounds and classes, but no inputs
        progress: called while features are extracted
        clips: of the corpus, if they were read just now

    Returns:
        the data set

    Raises:
        CorpusError: if the corpus is not there or holds fewer than two classes
        FeatureError: if a clip is refused and `skip_bad` is false, or features that are only to be
            read are not there
    """
    clips = clips or Clips(corpus, places, progress)
    table, sounds = clips.table, clips.sounds if takes_audio(model) else {}
    if "transcript" in model.needs and places.transcripts is not None:
        texts = given_texts.read(places.transcripts, table.index)
        table = table.assign(transcript=texts)
    specs = specs_of(model, places) if extract else {}
    extraction = _Extraction(*(corpus.name, table, places.cache, crew, skip_bad, sounds, progress))
    cached = {
        name: extraction.sides(spec, applied or AppliedCondition())
        for name, spec in specs.items()
        if not features.get(spec.name).text
    }
    left_out = {
        clip: why for pair in cached.values() for side in pair for clip, why in side.bad.items()
    }
    table = table[~table.index.isin(list(left_out))]
    if control == "labels":
        table = controls.permuted(table)
    inputs = {
        name: _input(table, spec, scaling_of(model.inputs[name], normalisation), cached.get(name))
        for name, spec in specs.items()
    }
    labels = tuple(label for label in corpus.labels if (table["label"] == label).any())
    if len(labels) < 2:
        raise CorpusError(
            f"{corpus.name}: expected clips of at least two classes, found "
            f"{', '.join(labels) or 'none'}. Run `emobench check {corpus.name}`."
        )
    uses_transcripts = "transcript" in model.needs
    return Dataset(table, labels, corpus.folds, inputs, left_out, uses_transcripts, sounds)


def specs_of(model: ModelSpec, places: Places) -> dict[str, FeatureSpec]:
    """Return the front-end of each input, with the vectors and the encoder that are given."""
    specs = {}
    for name, wanted in model.inputs.items():
        params = dict(wanted.params)
        if features.get(wanted.feature).text and places.vectors is not None:
            params["vectors"] = str(places.vectors)
        if (key := features.get(wanted.feature).folder) and places.encoder is not None:
            params[key] = str(places.encoder)
        specs[name] = features.spec(wanted.feature, **params)
    return specs


def _input(
    table: pd.DataFrame,
    spec: FeatureSpec,
    scaling: Scaling,
    cached: tuple[FeatureSet, FeatureSet] | None,
) -> Input:
    front_end = features.get(spec.name)
    if cached is None:
        return TextInput(front_end, spec, table["transcript"].fillna("").astype(str).tolist())
    learnt, tested = (
        Side(values, pd.Index(values.ids).get_indexer(table.index)) for values in cached
    )
    if cached[0] is cached[1]:
        tested = learnt
    return AudioInput(front_end, spec, scaling, learnt, tested)


def _plain(value: object) -> object:
    """Return a table cell as a JSON value."""
    return None if value is None else (value if isinstance(value, float) else str(value))
