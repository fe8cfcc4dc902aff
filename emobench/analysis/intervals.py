"""How far a mean over speakers can be trusted, and which spread is whose.

Speakers are what a corpus draws from a population, so an interval of a result is one over
speakers. A corpus has few of them: of intervals that should hold the truth 95 times in 100, those
of the percentile bootstrap (and of BCa, which corrects it) hold it 79 to 90 times with four to
ten speakers, those of Student's t on the mean of each speaker 93 to 95 times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import metrics
from . import speakers

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
SHARES = (0.0, 1.0)
"""Bounds of a recall or an accuracy."""


@dataclass(frozen=True)
class Spread:
    """How much a UAR moves, told apart by what moves it; shares between 0 and 1.

    Attributes:
        repetitions: standard deviation (n - 1) over repetitions of the UAR that the table shows:
            what other seeds would change on the same speakers; None for a single repetition
        speakers: standard deviation (n - 1) over speakers of each one's UAR, mean over
            repetitions: how speakers differ; None for a single speaker
    """

    repetitions: float | None
    speakers: float | None


def mean_interval(
    values: Sequence[float] | np.ndarray,
    level: float = LEVEL,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[float, float]:
    """Return Student's t interval of the mean over speakers.

    Args:
        values: one of each speaker: a UAR, or a difference of two
        level: how often such intervals hold the mean of the population, between 0 and 1
        bounds: what the interval is cut off at, such as `SHARES`

    Returns:
        its lower and its upper end; both are the mean where all values are the same

    Raises:
        ValueError: if there are fewer than two values, one is not finite, or `level` is not
            between 0 and 1

    Examples:
        >>> low, high = mean_interval([0.5, 0.6, 0.7])
        >>> round(low, 3), round(high, 3)
        (0.352, 0.848)
    """
    from scipy import special

    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or len(sample) < 2:
        raise ValueError(
            f"values: expected those of two speakers or more, found {sample.size}. "
            "One speaker does not tell how far speakers differ."
        )
    if not np.isfinite(sample).all():
        raise ValueError(f"values: expected finite numbers, found {sample.tolist()}.")
    if not 0 < level < 1:
        raise ValueError(f"level: expected a share between 0 and 1 such as 0.95, found {level}.")
    quantile = special.stdtrit(len(sample) - 1, (1 + level) / 2)
    half = quantile * np.std(sample, ddof=1) / math.sqrt(len(sample))
    low, high = np.clip([sample.mean() - half, sample.mean() + half], *bounds)
    return float(low), float(high)


def spread(predictions: pd.DataFrame) -> Spread:
    """Return how much a result moves with the seed, and how much with the speaker.

    Args:
        predictions: columns `fold`, `repetition` and `speakers.COLUMNS`

    Raises:
        ValueError: if there are no predictions
    """
    over_repetitions = metrics.summarise(predictions)["uar_sd"]
    uars = list(speakers.by_speaker(predictions).values())
    return Spread(over_repetitions, float(np.std(uars, ddof=1)) if len(uars) > 1 else None)
