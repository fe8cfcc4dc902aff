"""The inputs of a model, made ready for a fold: standardised and fitted on its training clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd

from .. import scaling
from ..features import FeatureSet, Fitted, FrontEnd
from ..scaling import Moments, Standard
from ..sources import Source
from ..spec import FeatureSpec, Scaling
from .fitted_input import FittedInput


@dataclass(frozen=True)
class Prepared:
    """An input as a fold's network is fed from it.

    Attributes:
        source: clip by clip, ready to be batched
        own: what was learnt from the training clips, as their speakers' clips need it
        together: returns the standard of all training clips, where speakers have their own
    """

    source: Source
    own: FittedInput
    together: Callable[[], Standard] | None = None

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of a clip, without the batch axis."""
        return self.own.shape

    @property
    def fitted(self) -> Fitted:
        """What the front-end learnt from the training clips."""
        return self.own.fitted

    @cached_property
    def fitted_input(self) -> FittedInput:
        """All that was learnt from the training clips, for any clip."""
        return self.own if self.together is None else replace(self.own, standard=self.together())

    @property
    def matrix(self) -> np.ndarray:
        """All clips of an input that has as many rows in every clip.

        Of shape `(clips, columns)` where a clip is one row, else `(clips, rows, columns)`.
        """
        clips = range(len(self.source.lengths))
        values = np.stack([self.source.clip(index) for index in clips])
        return values[:, 0] if values.shape[1] == 1 else values


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
            test: positions of the clips that go through the condition of the test side
            known: positions of the clips whose sound may be looked at; None for all
        """
        ...


@dataclass(frozen=True)
class Side:
    """Cached values of the clips, under the condition of one side of the folds.

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
        if not every.count.shape[1]:
            return Moments.of_rows(self.values.first_rows(self.rows))
        return every[self.rows]


@dataclass(frozen=True)
class AudioInput:
    """An input from audio.

    Attributes:
        front_end: how values are scaled, transformed and padded
        spec: the front-end's parameters
        scaling: how the columns are standardised
        learnt: the clips under the condition of the training side
        tested: the clips under that of the test side; the same object where there is none
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
        for side in (self.learnt, self.tested):  # an experiment that takes days opens them once
            side.values.renew()
        is_test = np.zeros(len(table), bool)
        is_test[test] = True
        moments = self._moments(is_test)
        scaler = scaling.fit(
            self.scaling,
            moments,
            speakers=list(table["speaker"]),
            training=training,
            neutral=(table["emotion"] == "neutral").to_numpy(),
            known=known,
        )
        fitted = Fitted(self.front_end.shape(dict(self.spec.params)))
        if self.front_end.fit is not None:
            fitted = self.front_end.fit(_Clips(self.learnt, training), dict(self.spec.params))
        by_speaker = self.scaling == "speaker"
        standard = None if by_speaker else scaler.standard(0)
        ready = FittedInput(self.spec, self.scaling, standard, fitted)

        def clip(position: int) -> np.ndarray:
            side = self.tested if is_test[position] else self.learnt
            return ready.apply(side.clip(position), scaler.standard(scaler.group[position]))

        rows = np.where(is_test, self.tested.lengths, self.learnt.lengths)
        together = (lambda: Standard.of(moments[training])) if by_speaker else None
        return Prepared(ready.source(clip, rows), ready, together)

    def _moments(self, is_test: np.ndarray) -> Moments:
        """Return the moments of each clip, under the condition of its side."""
        learnt = self.learnt.moments
        if self.tested is self.learnt:
            return learnt
        tested, column = self.tested.moments, is_test[:, None]
        return Moments(
            np.where(column, tested.count, learnt.count),
            np.where(column, tested.mean, learnt.mean),
            np.where(column, tested.m2, learnt.m2),
        )


@dataclass(frozen=True)
class TextInput:
    """An input from transcripts.

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
        texts = [self.texts[index] for index in training]
        fitted = self.front_end.fit(texts, dict(self.spec.params))
        ready = FittedInput(self.spec, "none", None, fitted)
        rows = np.zeros(len(table), dtype=np.int64)  # as many as the front-end fixes
        return Prepared(
            ready.source(lambda position: ready.apply(self.texts[position]), rows), ready
        )


class _Clips(Sequence):
    """Cached values of some clips, mapped when they are asked for."""

    def __init__(self, side: Side, positions: np.ndarray) -> None:
        self._side, self._positions = side, positions

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: Any) -> np.ndarray:
        return self._side.clip(int(self._positions[index]))
