"""Did a run on permuted labels come out at chance, as it must?

Where it did not, something else than a clip's sound told the model its label: a test clip, or its
label, reached training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..results import speakers
from .intervals import LEVEL, mean_interval

if TYPE_CHECKING:
    import pandas as pd

NEEDED = 2
"""Speakers without which there is no interval."""


@dataclass(frozen=True)
class Verdict:
    """How far from chance a run on permuted labels came out; shares between 0 and 1.

    Attributes:
        uar: mean over speakers, and over repetitions of each
        chance: what guessing comes to on these speakers: one over the number of classes where
            each has clips of all of them, else what each speaker's predictions would recall if
            they were dealt to the clips at random
        low: lower end of Student's t interval over speakers
        high: upper end
        speakers: how many there are
    """

    uar: float
    chance: float
    low: float
    high: float
    speakers: int

    @property
    def passes(self) -> bool:
        """Whether chance lies in the interval."""
        return self.low <= self.chance <= self.high


def judge(predictions: pd.DataFrame, level: float = LEVEL) -> Verdict:
    """Tell whether chance lies in the interval of a run on permuted labels.

    At a level of 0.95 one sound run in twenty is found guilty.

    Args:
        predictions: columns `fold`, `repetition` and `gathering.COLUMNS`
        level: of the interval

    Raises:
        ValueError: if there are fewer than two speakers
    """
    found = speakers.by_speaker(predictions)
    guessed = _guessed(predictions)
    beyond = np.array([found[speaker] - guessed[speaker] for speaker in found])
    low, high = mean_interval(beyond, level)
    chance = float(np.mean(list(guessed.values())))
    return Verdict(
        uar=float(np.mean(list(found.values()))),
        chance=chance,
        low=chance + low,
        high=chance + high,
        speakers=len(found),
    )


def _guessed(predictions: pd.DataFrame) -> dict[str, float]:
    """Return the UAR of each speaker that the predictions have on average, dealt at random.

    A class then recalls the share of the clips that are taken for it.
    """
    named = predictions.assign(speaker=speakers.names(predictions))
    return {
        str(speaker): float(np.mean([_expected(part) for _, part in own.groupby("repetition")]))
        for speaker, own in named.groupby("speaker")
    }


def _expected(clips: pd.DataFrame) -> float:
    classes = clips["label"].astype(str).unique()
    return float(clips["predicted"].astype(str).isin(classes).mean() / len(classes))


def describe(verdict: Verdict) -> str:
    """Return a verdict as one line for people."""
    said = "holds" if verdict.passes else "does NOT hold"
    return (
        f"UAR {100 * verdict.uar:.1f}, 95 % interval {100 * verdict.low:.1f} to "
        f"{100 * verdict.high:.1f} over {verdict.speakers} speakers {said} chance "
        f"({100 * verdict.chance:.1f})"
    )
