"""What a network is fed from: one clip at a time, and how long each is. Free of Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Batching = Literal["padded-length", "sorted"]
"""Which clips share a batch; see `batching`."""


@dataclass(frozen=True)
class Source:
    """One input of a network, clip by clip.

    Attributes:
        clip: from a clip's position to its values, float32, of shape `(rows, …)`, scaled
        lengths: rows of each clip, of shape `(clips,)`
        pad_multiple: rows are padded with zeros to a multiple of this, as published
        bucket_multiple: the coarser multiple that batches are padded to unless published otherwise
        rows: all clips at once where each is one row, of shape `(clips, 1, columns)`, or None
    """

    clip: Callable[[int], np.ndarray]
    lengths: np.ndarray
    pad_multiple: int = 1
    bucket_multiple: int = 1
    rows: np.ndarray | None = None

    def padded(self, batching: Batching) -> np.ndarray:
        """Return the padded length of each clip before it meets others, of shape `(clips,)`."""
        multiple = self.bucket_multiple if batching == "padded-length" else self.pad_multiple
        return -(-self.lengths // multiple) * multiple

    def stack(self, positions: np.ndarray, rows: int) -> np.ndarray:
        """Return clips padded with zeros, of shape `(clips, rows, …)`."""
        if self.rows is not None and rows == 1:
            return self.rows[positions]
        first = self.clip(int(positions[0]))
        batch = np.zeros((len(positions), rows, *first.shape[1:]), np.float32)
        batch[0, : len(first)] = first
        for index, position in enumerate(positions[1:], start=1):
            values = self.clip(int(position))
            batch[index, : len(values)] = values
        return batch
