"""Standardisation of feature columns, from moments that each clip carries with it.

A clip's count, mean and sum of squared deviations are kept beside its cached values, so the
statistics of any set of clips follow without reading the values again, and also cover what the
cache no longer holds (a waveform is cut after its statistics were taken).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .spec import Scaling

EPSILON = np.finfo(np.float64).eps


@dataclass(frozen=True)
class Moments:
    """First and second moments of the columns of clips, over finite values only.

    Attributes:
        count: number of finite values, of shape `(clips, columns)`
        mean: mean of the finite values, 0 where there are none, of shape `(clips, columns)`
        m2: sum of their squared deviations from that mean, of shape `(clips, columns)`
    """

    count: np.ndarray
    mean: np.ndarray
    m2: np.ndarray

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.count)

    def __getitem__(self, clips: np.ndarray) -> Moments:
        """Return the moments of some clips, given by positions or a mask."""
        return Moments(self.count[clips], self.mean[clips], self.m2[clips])

    @classmethod
    def of(cls, values: np.ndarray) -> Moments:
        """Return the moments of one clip.

        Args:
            values: of shape `(rows, columns)`; NaN and infinity are left out, column by column

        Returns:
            moments whose first axis has length 1

        Raises:
            ValueError: if `values` does not have two axes

        Examples:
            >>> Moments.of(np.array([[1.0], [3.0], [np.nan]])).mean
            array([[2.]])
        """
        values = np.asarray(values)
        if values.ndim != 2:
            raise ValueError(f"values: expected shape (rows, columns), found {values.shape}.")
        finite = np.isfinite(values)
        count = finite.sum(axis=0)
        origin = np.zeros(values.shape[1])
        if len(values):
            first = values[finite.argmax(axis=0), np.arange(values.shape[1])]
            origin = np.where(count > 0, first, 0).astype(np.float64)
        # Deviations from a value of the column itself: a constant column is then exactly constant.
        shifted = np.where(finite, values, origin) - origin
        shift = shifted.sum(axis=0) / np.maximum(count, 1)
        shifted -= shift
        shifted[~finite] = 0.0
        m2 = np.einsum("ij,ij->j", shifted, shifted)
        return cls(count[None].astype(np.float64), (origin + shift)[None], m2[None])

    @classmethod
    def of_rows(cls, rows: np.ndarray) -> Moments:
        """Return the moments of clips of one finite row each, of shape `(clips, columns)`."""
        return cls(np.broadcast_to(1.0, rows.shape), rows, np.broadcast_to(0.0, rows.shape))

    @classmethod
    def stack(cls, parts: Sequence[Moments]) -> Moments:
        """Return the moments of several clips, in the order given.

        Args:
            parts: moments with the same columns; at least one

        Raises:
            ValueError: if there is nothing to stack
        """
        return cls(
            np.concatenate([part.count for part in parts]),
            np.concatenate([part.mean for part in parts]),
            np.concatenate([part.m2 for part in parts]),
        )

    def merge(self, clips: np.ndarray) -> Moments:
        """Return the moments of all the values of some clips taken together.

        The pairwise update of Chan, Golub and LeVeque (1979), written for any number of parts.

        Args:
            clips: positions or mask of the clips

        Returns:
            moments whose first axis has length 1
        """
        count, mean, m2 = self.count[clips], self.mean[clips], self.m2[clips]
        total = count.sum(axis=0)
        origin = np.zeros(self.count.shape[1])
        if len(count):
            first = mean[(count > 0).argmax(axis=0), np.arange(mean.shape[1])]
            origin = np.where(total > 0, first, 0.0)
        shift = (count * (mean - origin)).sum(axis=0) / np.maximum(total, 1)
        merged = origin + shift
        between = (count * (mean - merged) ** 2).sum(axis=0)
        return Moments(total[None], merged[None], (m2.sum(axis=0) + between)[None])


@dataclass(frozen=True)
class Standard:
    """What the columns of clips that belong together are standardised with: values, no clips.

    Attributes:
        mean: of shape `(columns,)`
        scale: population standard deviation, 1 for a constant column, of shape `(columns,)`
        constant: columns without variance, which map to exactly 0, of shape `(columns,)`
    """

    mean: np.ndarray
    scale: np.ndarray
    constant: np.ndarray

    @classmethod
    def of(cls, moments: Moments) -> Standard:
        """Return the standard of clips taken together.

        Args:
            moments: of the clips; at least one

        Examples:
            >>> Standard.of(Moments.of(np.array([[1.0], [3.0]]))).apply(np.array([[4.0]]))
            array([[2.]], dtype=float32)
        """
        together = moments.merge(np.arange(len(moments)))
        return _scaler([together], np.zeros(1, dtype=np.int64)).standard(0)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return standardised values; what is not finite becomes 0.

        Args:
            values: of shape `(rows, columns)`

        Returns:
            float32 of shape `(rows, columns)`
        """
        scaled = values - self.mean
        scaled /= self.scale
        scaled[:, self.constant] = 0.0
        scaled[~np.isfinite(scaled)] = 0.0
        return scaled.astype(np.float32)


@dataclass(frozen=True)
class Scaler:
    """Fitted standardisation: which statistics each clip is scaled with.

    Attributes:
        mean: of shape `(groups, columns)`
        scale: population standard deviation, 1 for a constant column, of shape
            `(groups, columns)`
        constant: columns without variance, which map to exactly 0 (also on clips that were
            not part of the statistics: nothing was learnt about them), `(groups, columns)`
        group: row of the statistics that a clip uses, of shape `(clips,)`
    """

    mean: np.ndarray
    scale: np.ndarray
    constant: np.ndarray
    group: np.ndarray

    def apply(self, clip: int, values: np.ndarray) -> np.ndarray:
        """Return the standardised values of one clip; what is not finite becomes 0.

        Args:
            clip: position of the clip in the table
            values: of shape `(rows, columns)`

        Returns:
            float32 of shape `(rows, columns)`
        """
        return self.standard(int(self.group[clip])).apply(values)

    def standard(self, group: int) -> Standard:
        """Return what the clips of a group are standardised with."""
        return Standard(self.mean[group], self.scale[group], self.constant[group])


def fit(
    scaling: Scaling,
    moments: Moments,
    *,
    speakers: Sequence[str],
    training: np.ndarray,
    neutral: np.ndarray | None = None,
    known: np.ndarray | None = None,
) -> Scaler:
    """Fit the standardisation that a front-end names.

    Args:
        scaling: "speaker": each speaker by that speaker's training clips, and those who have
            none (test speakers) by all their own, for no label is used; "training": all clips
            by the training clips;
            "training-neutral": all clips by the neutral training clips, or by all training clips
            where none is neutral; "corpus": all clips by all clips, those that are tested among
            them; "none": only what is not finite is replaced
        moments: of every clip of the table
        speakers: speaker of every clip, of shape `(clips,)`
        training: positions of the training clips
        neutral: mask of the neutral clips, of shape `(clips,)`
        known: positions of all clips that may be looked at, such as a fold's training clips while
            its hyper-parameters are searched; None for every clip

    Raises:
        ValueError: if the scaling is unknown or the lengths differ
    """
    if len(speakers) != len(moments):
        raise ValueError(f"speakers: expected {len(moments)}, found {len(speakers)}.")
    one = np.zeros(len(moments), dtype=np.int64)
    if scaling == "speaker":
        names, group = np.unique(np.asarray(speakers, dtype=str), return_inverse=True)
        learnt = np.zeros(len(moments), dtype=bool)
        learnt[training] = True
        seen = np.ones(len(moments), dtype=bool)
        if known is not None:
            seen[:] = False
            seen[known] = True
        spoken = [(group == index) & seen for index in range(len(names))]
        # Where clips of one speaker are on both sides, those that are tested tell nothing.
        parts = [own & learnt if (own & learnt).any() else own for own in spoken]
        return _scaler([moments.merge(part) for part in parts], group)
    if scaling == "training":
        return _scaler([moments.merge(training)], one)
    if scaling == "training-neutral":
        chosen = training if neutral is None else training[neutral[training]]
        return _scaler([moments.merge(chosen if len(chosen) else training)], one)
    if scaling == "corpus":
        return _scaler([moments.merge(np.arange(len(moments)))], one)
    if scaling == "none":
        shape = (1, moments.count.shape[1])
        return Scaler(np.zeros(shape), np.ones(shape), np.zeros(shape, dtype=bool), one)
    raise ValueError(f"scaling: expected one of {Scaling}, found {scaling!r}.")


def _scaler(parts: Sequence[Moments], group: np.ndarray) -> Scaler:
    merged = Moments.stack(parts)
    count = np.maximum(merged.count, 1)
    variance = merged.m2 / count
    # A variance within rounding error of zero: the bound that scikit-learn's StandardScaler uses.
    bound = count * EPSILON * variance + (count * merged.mean * EPSILON) ** 2
    constant = variance <= bound
    scale = np.where(constant, 1.0, np.sqrt(variance))
    return Scaler(merged.mean, scale, constant, group)
