"""What a front-end is: how sound becomes numbers, and what models and batches must know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..spec import Scaling


def unchanged(values: np.ndarray) -> np.ndarray:
    """Return the values as they are."""
    return values


def all_values(samples: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return what the statistics of a clip are taken over: the values that are cached."""
    return values


@dataclass(frozen=True)
class FrontEnd:
    """One way to turn sound into an array.

    Attributes:
        name: as written in a model's inputs
        title: one line for people
        extract: `(samples, **params)` at 16 kHz to the values that are cached, float32 of shape
            `(rows, columns)`
        shape: `(params)` to what a model sees, `(rows or None, columns)`
        defaults: every parameter with its default
        limits: smallest and largest value of the parameters that are numbers
        version: raised whenever the values change
        scaling: how columns are standardised unless a protocol says otherwise
        minimum: fewest samples that give a value
        pad_multiple: rows are padded with zeros to a multiple of this, as published
        bucket_multiple: clips whose rows agree after padding to this may share a batch
        source: front-end whose cached values are used, where this one only rearranges them
        transform: scaled cached values of a clip to what a model sees; applied batch by batch
        measured: `(samples, values)` to what the clip's statistics are taken over, of shape
            `(rows, columns)`
        requires: package that must be installed, or None
        gaps: whether single values may be NaN (they become 0 once scaled)
    """

    name: str
    title: str
    extract: Callable[..., np.ndarray]
    shape: Callable[[Mapping[str, Any]], tuple[int | None, int]]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    version: int = 1
    scaling: Scaling = "speaker"
    minimum: int = 1
    pad_multiple: int = 1
    bucket_multiple: int = 1
    source: str | None = None
    transform: Callable[[np.ndarray], np.ndarray] = unchanged
    measured: Callable[[np.ndarray, np.ndarray], np.ndarray] = all_values
    requires: str | None = None
    gaps: bool = False
