"""What features take: rows and seconds of a front-end, tried on noise of a few lengths."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from ..audio import SAMPLE_RATE
from ..features import recipes, registry
from ..features.workers import ALONE
from ..spec import FeatureSpec

_LENGTHS = (0.5, 1.5, 3.0, 4.9, 5.1, 7.0)
"""Seconds of sound that are tried: several front-ends keep five seconds."""

_SEED = 0
_FLOAT, _MOMENTS, _OFFSET = 4, 3 * 8, 8


@dataclass(frozen=True)
class Probe:
    """What a front-end made of noise.

    Attributes:
        lengths: of the noise in seconds, of shape `(lengths,)`
        rows: that it gave, of shape `(lengths,)`
        columns: of its values
        moments: columns whose moments are kept of each clip
        seconds: that a second of sound takes on one core
    """

    lengths: np.ndarray
    rows: np.ndarray
    columns: int
    moments: int
    seconds: float

    def rows_of(self, durations: np.ndarray) -> np.ndarray:
        """Return the rows of clips, of shape `(clips,)`, from their durations in seconds."""
        slope = (self.rows[-1] - self.rows[-2]) / (self.lengths[-1] - self.lengths[-2])
        beyond = np.maximum(durations - self.lengths[-1], 0) * slope
        return np.maximum(np.round(np.interp(durations, self.lengths, self.rows) + beyond), 1)

    def size(self, durations: np.ndarray) -> int:
        """Return the bytes of the features of clips, from their durations in seconds."""
        values = int(self.rows_of(durations).sum()) * self.columns * _FLOAT
        return values + len(durations) * (self.moments * _MOMENTS + _OFFSET)


@cache
def probe(wanted: FeatureSpec) -> Probe | None:
    """Try a front-end on the CPU; None where it cannot be tried, because a package is missing say.

    Args:
        wanted: front-end with all its parameters, as it is cached
    """
    try:
        network = registry.get(wanted.name).network
        registry.require(wanted.name)
        tried = [*ALONE.in_order(partial(_try, wanted), [_LENGTHS], str(wanted), network=network)]
    except Exception:  # a dry run ends for nothing that a front-end may raise
        return None
    rows = np.array([one.rows for one in tried], float)
    last = tried[-1]  # when all packages are loaded
    seconds = last.seconds / _LENGTHS[-1]
    return Probe(np.array(_LENGTHS), rows, last.columns, last.moments, seconds)


class _Tried(NamedTuple):
    """What became of some noise."""

    rows: int
    columns: int
    moments: int
    seconds: float


def _try(wanted: FeatureSpec, lengths: Sequence[float]) -> list[_Tried]:
    """Return what a front-end makes of noise of some lengths, in seconds."""
    noise = np.random.default_rng(_SEED).normal(0, 0.1, int(max(lengths) * SAMPLE_RATE))
    tried = []
    for length in lengths:
        started = time.perf_counter()
        samples = noise[: int(length * SAMPLE_RATE)].astype(np.float32)
        values, moments = registry.compute(wanted, samples, SAMPLE_RATE)
        taken = time.perf_counter() - started
        tried.append(_Tried(*values.shape, moments.count.shape[1], taken))
    return tried


def of(spec: FeatureSpec) -> Probe | None:
    """Return what the front-end that is cached for another gives; see `probe`."""
    return probe(recipes.source(spec))
