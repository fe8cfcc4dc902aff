"""Whether a model is right as often as it says: reliability by confidence, and ECE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
"""Bins of equal width in which confidences are gathered."""


@dataclass(frozen=True)
class Bin:
    """Predictions whose confidence lies in one range.

    Attributes:
        low: lower end of the range, which is not part of it (but 0 is)
        high: upper end, which is
        predictions: how many there are, over all repetitions
        confidence: their mean probability of the class that was predicted; None without any
        accuracy: the share of them that are right; None without any
    """

    low: float
    high: float
    predictions: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Calibration:
    """How confidence and accuracy agree.

    Attributes:
        bins: `BINS` of them, from the lowest confidence up
        ece: expected calibration error: the mean difference of confidence and accuracy in a bin,
            weighted by its predictions; between 0 and 1
    """

    bins: tuple[Bin, ...]
    ece: float


def calibration(predictions: pd.DataFrame, labels: Sequence[str]) -> Calibration | None:
    """Return how well calibrated stored probabilities are.

    Args:
        predictions: columns `label`, `predicted`, and `p_<label>` for each class
        labels: classes

    Returns:
        the calibration, or None where a probability is not on file
    """
    columns = [f"p_{label}" for label in labels]
    if predictions.empty or not {*columns} <= {*predictions.columns}:
        return None
    predicted = predictions["predicted"].astype(str).map({*labels}.__contains__)
    chances = predictions[columns].to_numpy(dtype=float)
    if not predicted.all() or not np.isfinite(chances).all():
        return None
    place = {label: index for index, label in enumerate(labels)}
    chosen = predictions["predicted"].astype(str).map(place).to_numpy()
    confidence = np.clip(chances[np.arange(len(chances)), chosen], 0, 1)
    right = (predictions["label"].astype(str) == predictions["predicted"].astype(str)).to_numpy()
    number = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    bins = tuple(
        _bin(place, confidence[number == place], right[number == place]) for place in range(BINS)
    )
    apart = sum(
        one.predictions * abs(one.accuracy - one.confidence)
        for one in bins
        if one.accuracy is not None and one.confidence is not None
    )
    return Calibration(bins, float(apart / len(right)))


def _bin(place: int, confidence: np.ndarray, right: np.ndarray) -> Bin:
    mean, share = (float(confidence.mean()), float(right.mean())) if len(right) else (None, None)
    return Bin(place / BINS, (place + 1) / BINS, len(right), mean, share)
