"""The inputs of a model, made ready for a fold: standardised and fitted on its training clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from .. import scaling
from ..features import FeatureSet, Fitted, FrontEnd
from ..scaling import Moments
from ..sources import Source
from ..spec import FeatureSpec, Scaling


@dataclass(frozen=True)
class Prepared:
    """An input as a fold's network is fed from it.

    Attributes:
        source: clip by clip, ready to be batched
        shape: of a clip, without the batch axis
        fitted: what the front-end learnt from the training clips
    """

    source: Source
    shape: tuple[int | None, ...]
    fitted: Fitted = field(default_factory=lambda: Fitted(()))


class Input(Protocol):
    """One input of a model on all clips of a data set."""

    def prepare(
        self,
        table: pd.DataFrame,
        training: np.ndarray,
        test: np.ndarray,
        known: np.ndarray | None = None,
    ) -> Prepared:
        """Return the input for a fold.

        Args:
            table: one row a clip
            training: positions of the clips to learn from
            test: positions of the clips that are heard under the condition of the test side
            known: positions of the clips whose sound may be looked at; None for all
        """
        ...


@dataclass(frozen=True)
class Side:
    """Cached values of the clips as one side of the folds hears them.

    Attributes:
        values: the cached values
        rows: position in `values` of each clip of the data set, of shape `(clips,)`
    """

    values: FeatureSet
    rows: np.ndarray

    def clip(self, position: int) -> np.ndarray:
        """Return the values of a clip of the data set."""
        return self.values.clip(int(self.rows[position]))

    @property
    def lengths(self) -> np.ndarray:
        """Rows of each clip, of shape `(clips,)`."""
        return self.values.lengths[self.rows]

    @property
    def moments(self) -> Moments:
        """Moments of each clip."""
        every = self.values.moments
        if not every.count.shape[1]:  # each clip is one finite row
            mean = self.values.values[self.rows]
            return Moments(np.broadcast_to(1.0, mean.shape), mean, np.broadcast_to(0.0, mean.shape))
        return Moments(every.count[self.rows], every.mean[self.rows], every.m2[self.rows])


@dataclass(frozen=True)
class AudioInput:
    """An input that is heard.

    Attributes:
        front_end: how values are scaled, transformed and padded
        spec: the front-end's parameters
        scaling: how the columns are standardised
        learnt: the clips as they sound on the training side
        tested: the clips as they sound on the test side; the same but under a condition
    """

    front_end: FrontEnd
    spec: FeatureSpec
    scaling: Scaling
    learnt: Side
    tested: Side

    def prepare(
        self,
        table: pd.DataFrame,
        training: np.ndarray,
        test: np.ndarray,
        known: np.ndarray | None = None,
    ) -> Prepared:
        """Return the input for a fold; see `Input`."""
        front_end, params = self.front_end, dict(self.spec.params)
        is_test = np.zeros(len(table), bool)
        is_test[test] = True
        scaler = self._scaler(table, training, is_test, known)
        longest = front_end.longest
        fitted = Fitted(front_end.shape(params))
        if front_end.fit is not None:
            fitted = front_end.fit(_Clips(self.learnt, training), params)

        def clip(position: int) -> np.ndarray:
            side = self.tested if is_test[position] else self.learnt
            values = scaler.apply(position, side.clip(position)[:longest])
            return front_end.transform(values, params, fitted.state)

        lengths = np.where(is_test, self.tested.lengths, self.learnt.lengths)
        if longest is not None:
            lengths = np.minimum(lengths, longest)
        if fitted.shape[0] is not None:
            lengths = np.full_like(lengths, fitted.shape[0])
        rows = None
        if fitted.shape[0] == 1:
            rows = np.stack([clip(position) for position in range(len(table))])
        source = Source(clip, lengths, front_end.pad_multiple, front_end.bucket_multiple, rows)
        return Prepared(source, fitted.shape, fitted)

    def _scaler(
        self,
        table: pd.DataFrame,
        training: np.ndarray,
        is_test: np.ndarray,
        known: np.ndarray | None,
    ) -> scaling.Scaler:
        """Fit the standardisation; only training clips are seen, or no labels."""
        learnt = self.learnt.moments
        if self.tested is not self.learnt:
            tested, heard = self.tested.moments, is_test[:, None]
            learnt = Moments(
                np.where(heard, tested.count, learnt.count),
                np.where(heard, tested.mean, learnt.mean),
                np.where(heard, tested.m2, learnt.m2),
            )
        return scaling.fit(
            self.scaling,
            learnt,
            speakers=list(table["speaker"]),
            training=training,
            neutral=(table["emotion"] == "neutral").to_numpy(),
            known=known,
        )


@dataclass(frozen=True)
class TextInput:
    """An input that is read: the transcripts.

    Attributes:
        front_end: how texts become numbers
        spec: its parameters
        texts: of each clip
    """

    front_end: FrontEnd
    spec: FeatureSpec
    texts: Sequence[str]

    def prepare(
        self,
        table: pd.DataFrame,
        training: np.ndarray,
        test: np.ndarray,
        known: np.ndarray | None = None,
    ) -> Prepared:
        """Return the input for a fold; see `Input`."""
        front_end, params = self.front_end, dict(self.spec.params)
        fitted = front_end.fit([self.texts[index] for index in training], params)

        def clip(position: int) -> np.ndarray:
            return front_end.transform(self.texts[position], params, fitted.state)

        lengths = np.full(len(table), fitted.shape[0])
        return Prepared(Source(clip, lengths), fitted.shape, fitted)


class _Clips(Sequence):
    """Cached values of some clips, mapped when they are asked for."""

    def __init__(self, side: Side, positions: np.ndarray) -> None:
        self._side, self._positions = side, positions

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: Any) -> np.ndarray:
        return self._side.clip(int(self._positions[index]))
