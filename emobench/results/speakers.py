"""Results speaker by speaker: clips of a speaker are alike, so that speakers are what counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import metrics

if TYPE_CHECKING:
    import pandas as pd


def names(predictions: pd.DataFrame) -> pd.Series:
    """Return who speaks each clip; where that is unknown, the group that is held out together."""
    known = predictions["speaker"].fillna(predictions["group"])
    return known.fillna(predictions["fold"].astype(str)).astype(str)


def confusions(
    predictions: pd.DataFrame, labels: Sequence[str] | None = None
) -> dict[str, list[np.ndarray]]:
    """Count how often each class was taken for each, speaker by speaker.

    Args:
        predictions: columns `fold`, `repetition` and `gathering.COLUMNS`
        labels: classes; those that occur when left out

    Returns:
        by speaker, counts of shape `(true classes, predicted classes)` of each repetition
    """
    if labels is None:
        labels = sorted({*predictions["label"].astype(str), *predictions["predicted"].astype(str)})
    who, found = names(predictions).factorize(sort=True)
    matrices: dict[str, list[np.ndarray]] = {str(name): [] for name in found}
    counted = metrics.confusions(predictions.assign(fold=who), labels)
    for (_, speaker), matrix in sorted(counted.items(), key=lambda item: item[0]):
        matrices[str(found[speaker])].append(matrix)
    return matrices


def scores(matrices: dict[str, list[np.ndarray]], score: str = "uar") -> dict[str, float]:
    """Return a score of each speaker, mean over repetitions.

    Args:
        matrices: what `confusions` returns
        score: which, as `metrics.scores` names it
    """
    return {
        speaker: float(np.mean([metrics.scores(matrix)[score] for matrix in own]))
        for speaker, own in matrices.items()
    }


def by_speaker(predictions: pd.DataFrame) -> dict[str, float]:
    """Return the UAR of each speaker, mean over repetitions.

    Args:
        predictions: columns `fold`, `repetition` and `gathering.COLUMNS`
    """
    return scores(confusions(predictions))
