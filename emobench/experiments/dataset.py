"""The clips of one experiment on this machine: table, classes, folds and features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from .. import corpora, features, folds
from ..conditions import Condition
from ..errors import CorpusError
from ..features import FeatureSet
from ..spec import FeatureSpec, Fold, ModelSpec, Places, Protocol, Scaling, Sides, fingerprint
from . import given_texts
from .configuration import takes_audio
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
        reads: whether the model is fed from transcripts
        sounds: name of what is decoded of each clip, by id; empty for a model that only reads
    """

    table: pd.DataFrame
    labels: tuple[str, ...]
    rule: str
    inputs: Mapping[str, Input]
    left_out: Mapping[str, str]
    reads: bool = False
    sounds: Mapping[str, str | None] = field(default_factory=dict)

    @cached_property
    def targets(self) -> np.ndarray:
        """Class index of each clip, of shape `(clips,)`."""
        return self.table["label"].map(self.labels.index).to_numpy()

    @cached_property
    def digest(self) -> str:
        """Name of the clips: ids, labels, speakers, groups, segments, and sounds or texts."""
        columns = ["label", "speaker", "group", "start", "end"]
        columns += ["transcript"] if self.reads else []
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
        self, name: str, training: np.ndarray, test: np.ndarray | Sequence[int] = ()
    ) -> Prepared:
        """Return an input standardised and fitted with what the training clips tell.

        Args:
            name: of the input
            training: positions of the clips to learn from
            test: positions of the clips that go through the condition of the test side
        """
        return self.inputs[name].prepare(self.table, training, np.asarray(test, dtype=int))


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


def load(
    corpus: corpora.Corpus,
    model: ModelSpec,
    places: Places,
    *,
    applied: AppliedCondition | None = None,
    jobs: int = 1,
    skip_bad: bool = False,
    extract: bool = True,
    progress: Progress = lambda what, done, total: None,
) -> Dataset:
    """Read a corpus and the features that a model needs, extracting those that are not cached.

    Args:
        corpus: entry of the registry
        model: whose inputs are wanted
        places: where audio, texts and cache are
        applied: what the sound goes through
        jobs: processes that extract
        skip_bad: leave out clips that a front-end refuses instead of stopping
        extract: without it the data set has clips, their sounds and classes, but no inputs
        progress: called while features are extracted

    Returns:
        the data set

    Raises:
        CorpusError: if the corpus is not there or holds fewer than two classes
        FeatureError: if a clip is refused and `skip_bad` is false
    """
    # By id, so that batches do not depend on how deep an archive was unpacked.
    table = corpora.load(corpus, places.data, places.cache).sort_index()
    if "transcript" in model.needs and places.transcripts is not None:
        table["transcript"] = given_texts.read(places.transcripts, table.index)
    sounds = _sounds(table, model, places, progress)
    cached: dict[str, tuple[FeatureSet, FeatureSet]] = {}
    left_out: dict[str, str] = {}

    def features_of(spec: FeatureSpec, condition: Condition | None) -> FeatureSet:
        values = features.load(
            table,
            spec,
            cache=places.cache,
            jobs=jobs,
            skip_bad=skip_bad,
            condition=condition,
            sounds=sounds,
            progress=lambda done, total: progress(str(spec), done, total),
        )
        left_out.update(values.bad)
        return values

    applied = applied or AppliedCondition()
    for name, spec in _specs(model, places).items() if extract else ():
        if not features.get(spec.name).text:
            learnt = features_of(spec, applied.of("training"))
            same = applied.of("test") is applied.of("training")
            cached[name] = (learnt, learnt if same else features_of(spec, applied.of("test")))
    table = table[~table.index.isin(list(left_out))]
    inputs = {
        name: _input(table, spec, model.inputs[name].scaling, cached.get(name))
        for name, spec in (_specs(model, places).items() if extract else ())
    }
    labels = tuple(label for label in corpus.labels if (table["label"] == label).any())
    if len(labels) < 2:
        raise CorpusError(
            f"{corpus.name}: expected clips of at least two classes, found "
            f"{', '.join(labels) or 'none'}. Run `emobench check {corpus.name}`."
        )
    reads = "transcript" in model.needs
    return Dataset(table, labels, corpus.folds, inputs, left_out, reads, sounds)


def _sounds(
    table: pd.DataFrame, model: ModelSpec, places: Places, progress: Progress
) -> dict[str, str | None]:
    """Return the names of the clips' sounds, where a model takes audio."""
    if not takes_audio(model):
        return {}
    return features.identify(
        table, places.cache, lambda done, total: progress("sound", done, total)
    )


def _specs(model: ModelSpec, places: Places) -> dict[str, FeatureSpec]:
    """Return the front-end of each input, with the vectors that texts are looked up in."""
    specs = {}
    for name, wanted in model.inputs.items():
        params = dict(wanted.params)
        if features.get(wanted.feature).text and places.vectors is not None:
            params["vectors"] = str(places.vectors)
        specs[name] = features.spec(wanted.feature, **params)
    return specs


def _input(
    table: pd.DataFrame,
    spec: FeatureSpec,
    wanted: Scaling | None,
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
    return AudioInput(front_end, spec, wanted or front_end.scaling, learnt, tested)


def _plain(value: object) -> object:
    """Return a table cell as a JSON value."""
    return None if value is None else (value if isinstance(value, float) else str(value))
