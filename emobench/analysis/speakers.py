"""Results speaker by speaker, and how far they would move with other speakers.

Clips of a speaker are alike, so that speakers and not clips are what is drawn again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 4
"""Speakers without which nothing is drawn again."""

_SEED = 0
_BATCH = 500


@dataclass(frozen=True)
class Interval:
    """Where 95 % of what was drawn again lies.

    Attributes:
        low: lower end
        high: upper end
        speakers: how many there were to draw from
    """

    low: float
    high: float
    speakers: int


def names(predictions: pd.DataFrame) -> pd.Series:
    """Return who speaks each clip; where that is unknown, the group that is held out together."""
    known = predictions["speaker"].fillna(predictions["group"])
    return known.fillna(predictions["fold"].astype(str)).astype(str)


def uar_interval(
    predictions: pd.DataFrame, labels: Sequence[str], *, draws: int = 2000
) -> Interval | None:
    """Return the percentile bootstrap interval of UAR over speakers.

    What is drawn is the UAR of the leaderboard: a fold's recalls are those of the speakers drawn
    in it, and it counts as much as it has of them, so that every speaker once gives the very
    figure of the table. With so few speakers as corpora have, such an interval is rather too short.

    Args:
        predictions: columns `fold`, `repetition` and `results.gathering.COLUMNS`
        labels: classes
        draws: how often speakers are drawn

    Returns:
        the interval, between 0 and 1, or None for fewer than `FEWEST` speakers
    """
    speaker, found = names(predictions).factorize(sort=True)
    if len(found) < FEWEST:
        return None
    generator = np.random.default_rng(_SEED)
    evenly = np.full(len(found), 1 / len(found))
    parts = _parts(predictions, speaker, labels)
    values = [
        _uars(generator.multinomial(len(found), evenly, min(_BATCH, draws - start)), parts)
        for start in range(0, draws, _BATCH)
    ]
    low, high = np.nanpercentile(np.concatenate(values), [2.5, 97.5])
    return Interval(float(low), float(high), len(found))


def by_speaker(predictions: pd.DataFrame) -> dict[str, float]:
    """Return the UAR of each speaker, mean over repetitions.

    Args:
        predictions: columns `repetition` and `results.gathering.COLUMNS`
    """
    right = predictions["label"].astype(str) == predictions["predicted"].astype(str)
    keys = [names(predictions).rename("speaker"), predictions["repetition"]]
    recalls = right.groupby([*keys, predictions["label"].astype(str)]).mean()
    uars = recalls.groupby(["speaker", "repetition"]).mean().groupby("speaker").mean()
    return {str(speaker): float(value) for speaker, value in uars.sort_index().items()}


@dataclass(frozen=True)
class _Part:
    """One fold of one repetition.

    Attributes:
        repetition: position
        speakers: positions of its speakers
        right: of each of them, clips of each class that were predicted right
        clips: of each of them, clips of each class; both of shape `(speakers, classes)`
    """

    repetition: int
    speakers: np.ndarray
    right: np.ndarray
    clips: np.ndarray


def _parts(predictions: pd.DataFrame, speaker: np.ndarray, labels: Sequence[str]) -> list[_Part]:
    position = {label: index for index, label in enumerate(labels)}
    truth = predictions["label"].astype(str).map(position).to_numpy()
    right = (predictions["label"].astype(str) == predictions["predicted"].astype(str)).to_numpy()
    repetition, _ = predictions["repetition"].factorize(sort=True)
    fold, folds = predictions["fold"].factorize(sort=True)
    parts = []
    for key in np.unique(repetition * len(folds) + fold):
        rows = np.flatnonzero(repetition * len(folds) + fold == key)
        present, within = np.unique(speaker[rows], return_inverse=True)
        clips = np.zeros((len(present), len(labels)))
        hits = np.zeros_like(clips)
        np.add.at(clips, (within, truth[rows]), 1)
        np.add.at(hits, (within, truth[rows]), right[rows])
        parts.append(_Part(int(key) // len(folds), present, hits, clips))
    return parts


def _uars(drawn: np.ndarray, parts: Sequence[_Part]) -> np.ndarray:
    """Return the UAR of each draw, NaN where a repetition has none of the speakers.

    Args:
        drawn: how often each speaker was drawn, of shape `(draws, speakers)`
        parts: folds of all repetitions
    """
    n_repetitions = 1 + max(part.repetition for part in parts)
    sums, weights = np.zeros((2, n_repetitions, len(drawn)))
    for part in parts:
        times = drawn[:, part.speakers]
        right, clips = times @ part.right, times @ part.clips
        present = np.maximum((clips > 0).sum(axis=1), 1)
        uar = (right / np.maximum(clips, 1)).sum(axis=1) / present
        weight = times.sum(axis=1) / len(part.speakers)
        sums[part.repetition] += weight * uar
        weights[part.repetition] += weight
    with np.errstate(invalid="ignore"):
        return (sums / weights).mean(axis=0)
