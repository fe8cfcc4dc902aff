"""What a front-end is: how sound becomes numbers, and what models and batches must know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..spec import FeatureSpec, Scaling


@dataclass(frozen=True)
class Fitted:
    """What a front-end learnt from the training clips of a fold, and from no others.

    Attributes:
        shape: of a clip as the model sees it, without the batch axis
        state: handed to `transform`
        config: hyper-parameters of the network that follow from it, such as the vocabulary's size
        weights: initial value of the first weight of a layer, by layer name; rows of NaN stay as
            the layer draws them
        facts: recorded beside the result
    """

    shape: tuple[int | None, ...]
    state: Any = None
    config: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def unchanged(values: Any, params: Mapping[str, Any], state: Any) -> Any:
    """Return the values as they are."""
    return values


def nothing(samples: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return no column: the statistics of a clip of one row are that row."""
    return values[:, :0]


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
        choices: allowed values of parameters that are words
        late: parameters that only `fit` and `transform` read; cached values do not depend on them
        version: raised whenever the values change
        scaling: how columns are standardised unless a protocol says otherwise
        minimum: fewest samples that give a value
        pad_multiple: rows are padded with zeros to a multiple of this, as published
        bucket_multiple: clips whose rows agree after padding to this may share a batch
        source: front-end whose cached values are used, where this one only rearranges them
        longest: rows that are kept, or None for all
        fit: `(training items, params)` to what is learnt from the training clips of a fold; items
            are their cached values, or their transcripts where `text` is set. `shape` then tells
            the cached values' shape, and `Fitted.shape` what a model sees
        transform: `(values, params, state)` to what a model sees, where values are a clip's scaled
            cached values, or its transcript; applied batch by batch
        measured: `(samples, values)` to what the clip's statistics are taken over, of shape
            `(rows, columns)`, or `(1, 0)` where they follow from its one row
        requires: package that must be installed, or None
        gaps: whether single values may be NaN (they become 0 once scaled)
        text: fed from transcripts; nothing is extracted or cached
        folder: parameter that holds a folder without which nothing can be computed, given with the
            run, or ""
        network: whether `extract` opens a network, which is left to processes of its own; see
            `workers`
        identity: `(params)` to what stands for them in the name of cached values, where the content
            of a folder counts and not its path
    """

    name: str
    title: str
    extract: Callable[..., np.ndarray]
    shape: Callable[[Mapping[str, Any]], tuple[int | None, int]]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    late: tuple[str, ...] = ()
    version: int = 1
    scaling: Scaling = "speaker"
    minimum: int = 1
    pad_multiple: int = 1
    bucket_multiple: int = 1
    source: str | None = None
    longest: int | None = None
    fit: Callable[[Sequence[Any], Mapping[str, Any]], Fitted] | None = None
    transform: Callable[[Any, Mapping[str, Any], Any], np.ndarray] = unchanged
    measured: Callable[[np.ndarray, np.ndarray], np.ndarray] = all_values
    requires: str | None = None
    gaps: bool = False
    text: bool = False
    folder: str = ""
    network: bool = False
    identity: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None

    def cached_spec(self, spec: FeatureSpec) -> FeatureSpec:
        """Return a spec of this front-end without what its cached values do not depend on."""
        params = tuple((key, value) for key, value in spec.params if key not in self.late)
        return FeatureSpec(spec.name, params, spec.version)

    def named(self, spec: FeatureSpec) -> FeatureSpec:
        """Return a spec of this front-end as cached values are named after it."""
        if self.identity is None:
            return spec
        found = self.identity(dict(spec.params))
        return FeatureSpec(spec.name, tuple(sorted(found.items())), spec.version)
