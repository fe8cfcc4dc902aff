"""From standardised inputs to probabilities, by a network or by a support vector machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..batches import Batches
from ..models.support_vectors import SupportVectors
from ..sources import Source

if TYPE_CHECKING:
    import keras

MOST_CLIPS = 32
BATCH_SECONDS = 160.0
"""A batch holds at most so many clips, and so much sound: what memory is needed follows from it."""


class Predictor(Protocol):
    """What labels clips."""

    def __call__(self, sources: Mapping[str, Source], seconds: np.ndarray) -> np.ndarray:
        """Return the probabilities of clips.

        Args:
            sources: the model's inputs, by name
            seconds: that each clip lasts, of shape `(clips,)`

        Returns:
            float32 of shape `(clips, classes)`
        """
        ...


@dataclass(frozen=True)
class Machine:
    """A support vector machine on a row of each clip."""

    vectors: SupportVectors

    def __call__(self, sources: Mapping[str, Source], seconds: np.ndarray) -> np.ndarray:
        """Return the probabilities of clips; see `Predictor`."""
        (source,) = sources.values()
        return self.vectors.predict(
            np.stack([source.clip(position) for position in range(len(seconds))])
        )


@dataclass(frozen=True)
class Network:
    """A network, and which of its outputs are the probabilities.

    Clips of equal padded length share a batch, so that what is predicted of a clip does not depend
    on its neighbours.
    """

    model: keras.Model
    output: str

    def __call__(self, sources: Mapping[str, Source], seconds: np.ndarray) -> np.ndarray:
        """Return the probabilities of clips; see `Predictor`."""
        sizes = np.clip(BATCH_SECONDS // np.maximum(seconds, 1e-3), 1, MOST_CLIPS)
        sizes = 2 ** np.floor(np.log2(sizes)).astype(int)
        found: dict[int, np.ndarray] = {}
        for size in np.unique(sizes):
            positions = np.flatnonzero(sizes == size)
            batches = Batches(sources, positions, batch_size=int(size), batching="padded-length")
            found |= zip(positions.tolist(), self._predicted(batches), strict=True)
        return np.stack([found[position] for position in range(len(seconds))])

    def _predicted(self, batches: Batches) -> np.ndarray:
        rows = []
        for batch in batches.current:
            outputs = self.model.predict_on_batch(batches.inputs(batch))
            rows.append(outputs[self.output] if isinstance(outputs, Mapping) else outputs)
        return batches.scatter(np.concatenate(rows))
