"""How long the clips of an experiment last, in the few numbers that are kept beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

KEY = "durations"
"""Under which it is kept in `experiment.json`."""

_MOST_BINS = 20
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Durations:
    """A histogram of durations.

    Attributes:
        clips: number of clips whose duration is known
        seconds: of all of them
        width: of a bin, in seconds; the first begins at 0
        counts: clips of each bin, none of them after the longest clip's
    """

    clips: int
    seconds: float
    width: float
    counts: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Return how long a clip lasts on average, in seconds."""
        return self.seconds / self.clips

    @property
    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "clips": self.clips,
            "seconds": round(self.seconds, 3),
            "width": self.width,
            "counts": list(self.counts),
        }


def histogram(durations: np.ndarray) -> Durations | None:
    """Return how durations are spread; None where none is known.

    Args:
        durations: in seconds, NaN where unknown, of shape `(clips,)`
    """
    known = durations[np.isfinite(durations)]
    if not len(known):
        return None
    width = _width(float(known.max()))
    places = np.floor(known / width).astype(int)
    counts = np.bincount(places).tolist()
    return Durations(len(known), float(known.sum()), width, tuple(counts))


def stored(experiment: Mapping[str, Any]) -> Durations | None:
    """Return what an experiment says of its clips' durations; None if that is nothing of use.

    Args:
        experiment: what its `experiment.json` holds
    """
    told = experiment.get(KEY)
    try:
        counts = tuple(int(each) for each in told["counts"])
        found = Durations(int(told["clips"]), float(told["seconds"]), float(told["width"]), counts)
    except (TypeError, ValueError, LookupError, OverflowError):
        return None
    whole = sum(counts) == found.clips > 0 and min(counts) >= 0
    return found if whole and found.seconds > 0 and found.width > 0 else None


def _width(longest: float) -> float:
    """Return a round number of seconds of which the longest clip is not too many."""
    least = longest / _MOST_BINS
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(
        round(step * each, 9)
        for each in (power, 10 * power)
        for step in _STEPS
        if step * each > least
    )
