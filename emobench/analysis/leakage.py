"""What a practice adds to a result: the same speakers with it and without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..results import speakers
from .intervals import mean_interval

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Price:
    """The difference that a practice makes; shares between 0 and 1.

    Attributes:
        difference: mean over speakers of each one's UAR with the practice minus without it
        low: lower end of Student's t interval of that mean, at 95 %
        high: upper end
        speakers: how many were paired
    """

    difference: float
    low: float
    high: float
    speakers: int


def mean_uar(predictions: pd.DataFrame) -> float:
    """Return the UAR of the mean speaker, which such differences are differences of.

    Args:
        predictions: columns `fold`, `repetition` and `gathering.COLUMNS`
    """
    return float(np.mean(list(speakers.by_speaker(predictions).values())))


def price(with_it: pd.DataFrame, without: pd.DataFrame) -> Price:
    """Return what a practice adds, paired by speaker, however the folds were made.

    Args:
        with_it: predictions under the practice, with columns `fold`, `repetition` and
            `gathering.COLUMNS`
        without: the same of the baseline, on the same clips

    Raises:
        ValueError: if the clips are not the same, or there are fewer than two speakers
    """
    if set(with_it["id"].astype(str)) != set(without["id"].astype(str)):
        raise ValueError("expected predictions of the same clips, found others")
    ours, theirs = speakers.by_speaker(with_it), speakers.by_speaker(without)
    differences = np.array([ours[name] - theirs[name] for name in sorted(ours)])
    low, high = mean_interval(differences)
    return Price(float(differences.mean()), low, high, len(differences))
