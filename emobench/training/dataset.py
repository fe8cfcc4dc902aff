"""The clips of one experiment on this machine: table, classes, folds and features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from .. import corpora, features, folds, scaling
from ..errors import CorpusError
from ..features import FeatureSet, FrontEnd
from ..sources import Source
from ..spec import FeatureSpec, Fold, ModelSpec, Places, Protocol, fingerprint

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Input:
    """One input of a model with its cached values.

    Attributes:
        front_end: how the values are scaled, transformed and padded
        spec: the front-end's parameters
        values: the cached values
        rows: position in `values` of each clip of the data set, of shape `(clips,)`
        scaling: how the columns are standardised
    """

    front_end: FrontEnd
    spec: FeatureSpec
    values: FeatureSet
    rows: np.ndarray
    scaling: str

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of a clip as the network sees it, rows and columns."""
        return self.front_end.shape(dict(self.spec.params))

    def moments(self) -> scaling.Moments:
        """Return the moments of each clip, in the data set's order."""
        every = self.values.moments
        return scaling.Moments(every.count[self.rows], every.mean[self.rows], every.m2[self.rows])


@dataclass(frozen=True)
class Dataset:
    """What an experiment trains and tests on.

    Attributes:
        table: one row a clip, indexed by id
        labels: the classes, in the corpus' order
        rule: how the corpus is split
        inputs: the model's inputs by name
        left_out: clips that a front-end refused, with the reason
    """

    table: pd.DataFrame
    labels: tuple[str, ...]
    rule: str
    inputs: Mapping[str, Input]
    left_out: Mapping[str, str]

    @cached_property
    def targets(self) -> np.ndarray:
        """Class index of each clip, of shape `(clips,)`."""
        return self.table["label"].map(self.labels.index).to_numpy()

    @cached_property
    def digest(self) -> str:
        """Name of the clips: their ids, labels, speakers, groups and segments."""
        columns = ["label", "speaker", "group", "start", "end"]
        rows = self.table.sort_index()[columns].astype(object)
        rows = rows.where(rows.notna(), None)
        return fingerprint([[str(clip), *map(_plain, row)] for clip, *row in rows.itertuples()])

    def folds(self, protocol: Protocol) -> list[Fold]:
        """Return the folds of a protocol."""
        return folds.make(self.table, self.rule, protocol)

    def positions(self, ids: tuple[str, ...]) -> np.ndarray:
        """Return the positions of clips in the table, of shape `(clips,)`."""
        return self.table.index.get_indexer(list(ids))

    def scaler(self, name: str, training: np.ndarray) -> scaling.Scaler:
        """Fit the standardisation of an input; only training clips are seen, or no labels."""
        return scaling.fit(
            self.inputs[name].scaling,
            self.inputs[name].moments(),
            speakers=list(self.table["speaker"]),
            training=training,
            neutral=(self.table["emotion"] == "neutral").to_numpy(),
        )

    def source(self, name: str, training: np.ndarray) -> Source:
        """Return an input ready to be batched, standardised with what the training clips tell."""
        data = self.inputs[name]
        scaler = self.scaler(name, training)

        def clip(position: int) -> np.ndarray:
            values = scaler.apply(position, data.values.clip(int(data.rows[position])))
            return data.front_end.transform(values)

        fixed = data.shape[0]
        lengths = data.values.lengths[data.rows]
        if fixed is not None:
            lengths = np.full_like(lengths, fixed)
        return Source(clip, lengths, data.front_end.pad_multiple, data.front_end.bucket_multiple)

    def matrix(self, name: str, training: np.ndarray) -> np.ndarray:
        """Return an input of one row a clip as a matrix, of shape `(clips, columns)`."""
        source = self.source(name, training)
        return np.concatenate([source.clip(index) for index in range(len(self.table))])


def load(
    corpus: corpora.Corpus,
    model: ModelSpec,
    places: Places,
    *,
    jobs: int = 1,
    skip_bad: bool = False,
    extract: bool = True,
    progress: Progress = lambda what, done, total: None,
) -> Dataset:
    """Read a corpus and the features that a model needs, extracting those that are not cached.

    Args:
        corpus: entry of the registry
        model: whose inputs are wanted
        places: where audio and cache are
        jobs: processes that extract
        skip_bad: leave out clips that a front-end refuses instead of stopping
        extract: without it the data set has clips and classes, but no inputs
        progress: called while features are extracted

    Returns:
        the data set

    Raises:
        CorpusError: if the corpus is not there or holds fewer than two classes
        FeatureError: if a clip is refused and `skip_bad` is false
    """
    # By id, so that batches do not depend on how deep an archive was unpacked.
    table = corpora.load(corpus, places.data, places.cache).sort_index()
    loaded: dict[str, tuple[FrontEnd, FeatureSpec, FeatureSet, str]] = {}
    left_out: dict[str, str] = {}
    for name, wanted in model.inputs.items() if extract else ():
        front_end = features.get(wanted.feature)
        spec = features.spec(wanted.feature, **wanted.params)
        values = features.load(
            table,
            spec,
            cache=places.cache,
            jobs=jobs,
            skip_bad=skip_bad,
            progress=lambda done, total, spec=spec: progress(str(spec), done, total),
        )
        left_out |= values.bad
        loaded[name] = (front_end, spec, values, wanted.scaling or front_end.scaling)
    table = table[~table.index.isin(list(left_out))]
    inputs = {
        name: Input(
            front_end, spec, values, pd.Index(values.ids).get_indexer(table.index), scaling_name
        )
        for name, (front_end, spec, values, scaling_name) in loaded.items()
    }
    labels = tuple(label for label in corpus.labels if (table["label"] == label).any())
    if len(labels) < 2:
        raise CorpusError(
            f"{corpus.name}: expected clips of at least two classes, found "
            f"{', '.join(labels) or 'none'}. Run `emobench check {corpus.name}`."
        )
    return Dataset(table, labels, corpus.folds, inputs, left_out)


def _plain(value: object) -> object:
    """Return a table cell as a JSON value."""
    return None if value is None else (value if isinstance(value, float) else str(value))
