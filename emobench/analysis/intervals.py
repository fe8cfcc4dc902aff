"""How far a mean over speakers can be trusted.

Speakers are what a corpus draws from a population, so an interval of a result is one over
speakers. A corpus has few of them: of intervals that should hold the truth 95 times in 100, those
of the percentile bootstrap (and of BCa, which corrects it) hold it 79 to 90 times with four to
ten speakers, those of Student's t on the mean of each speaker 93 to 95 times.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ..results.result import Result

LEVEL = 0.95
SHARES = (0.0, 1.0)
"""Bounds of a recall or an accuracy."""

FEWEST = 4
"""Speakers without whom nothing is said: two who happen to be alike would seem to be certain."""


@dataclass(frozen=True)
class Interval:
    """What speakers tell of a result.

    Attributes:
        low: lower end of the 95 % interval of the mean over speakers
        high: upper end
        centre: the mean over speakers. It is the figure that a table shows where a fold is a
            speaker; where a fold is a group, its recalls are those of all its clips together, so
            that a speaker counts for as many clips of a class as there are of them, and the two
            may differ
        sd: standard deviation (n - 1) over speakers: how they differ. What other seeds would
            change on the same speakers is the standard deviation over repetitions
        speakers: how many they are
    """

    low: float
    high: float
    centre: float
    sd: float
    speakers: int


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


def over_speakers(values: Collection[float]) -> Interval | None:
    """Return the interval of a share over speakers, or None for fewer than `FEWEST`.

    Args:
        values: of each speaker, mean over repetitions, between 0 and 1
    """
    if len(values) < FEWEST:
        return None
    sample = np.fromiter(values, dtype=float)
    low, high = mean_interval(sample, bounds=SHARES)
    return Interval(low, high, float(sample.mean()), float(np.std(sample, ddof=1)), len(sample))


def of_result(result: Result) -> Interval | None:
    """Return the interval of a complete result's UAR over speakers; None for any other."""
    return over_speakers(result.by_speaker().values()) if result.complete else None
