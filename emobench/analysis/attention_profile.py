"""Where in a clip networks attend to, over all test clips of a result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..results.result import Result
from ..spec import Job
from ..store import read_attention

PARTS = 20
"""Parts of equal length that a clip is cut into."""


@dataclass(frozen=True)
class Profile:
    """Weights over the course of a clip; 1 is even attention.

    Attributes:
        mean: of each part, over clips
        low: first quartile over clips
        high: third quartile
        clips: how many there are, over all repetitions
    """

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    clips: int


def profile(result: Result) -> Profile | None:
    """Return where a network attends to, or None where its records hold no weights.

    Clips of fewer rows than `PARTS` are left out.

    Raises:
        StoreError: if weights on file are damaged
    """
    found = []
    for job in sorted(result.stored.jobs - {Job(None)}):
        weights = read_attention(result.stored.folder, job)
        found += [_parts(weights[clip]) for clip in sorted(weights) if len(weights[clip]) >= PARTS]
    if not found:
        return None
    table = np.array(found)
    low, high = np.percentile(table, [25, 75], axis=0)
    return Profile(_plain(table.mean(axis=0)), _plain(low), _plain(high), len(table))


def _parts(weights: np.ndarray) -> np.ndarray:
    """Return the weight of each part of a clip, relative to even attention.

    A row that two parts share counts for each with what lies in it.
    """
    total = np.concatenate([[0.0], np.cumsum(weights, dtype=float)])
    at = np.interp(np.linspace(0, len(weights), PARTS + 1), np.arange(len(weights) + 1), total)
    return np.diff(at) / total[-1] * PARTS


def _plain(values: np.ndarray) -> tuple[float, ...]:
    return tuple(map(float, values))
