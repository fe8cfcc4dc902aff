"""Which channel of a file is used, and how far the channels of a file differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Channel = Literal["left", "right", "mean"]
"""What becomes of the channels of a file: the first or the second alone, or their mean."""

CHANNELS: tuple[str, ...] = get_args(Channel)

_SILENT_DB = -60.0
_ALIKE = 0.5
"""Correlation from which the mean of two channels keeps what is in them (at worst -1.2 dB)."""


@dataclass(frozen=True)
class Difference:
    """How a channel of a file differs from the loudest one.

    Attributes:
        correlation: of the samples of the channel that is least like the loudest; 0 for silence
        level: of that channel against the loudest, in dB; not below -120
    """

    correlation: float
    level: float

    @property
    def matters(self) -> bool:
        """Whether the mean of the channels is something else than what is in either."""
        return self.correlation < _ALIKE and self.level > _SILENT_DB

    def __str__(self) -> str:
        return f"correlation {self.correlation:.2f}, level {self.level:+.0f} dB"


def pick(block: np.ndarray, channel: Channel) -> np.ndarray:
    """Return one channel, or the mean.

    Args:
        block: of shape `(samples, channels)`; a single channel is both left and right
        channel: which

    Returns:
        of shape `(samples,)`
    """
    if block.shape[1] == 1 or channel == "left":
        return block[:, 0]
    return block[:, 1] if channel == "right" else block.mean(axis=1)


def compare(blocks: Iterable[np.ndarray]) -> Difference | None:
    """Return how the channels of a file differ; None for a single one, or silence.

    Args:
        blocks: the samples, each of shape `(samples, channels)`
    """
    products = sums = count = None
    for block in blocks:
        # First, as a signalling NaN makes a cast warn.
        values = np.nan_to_num(block, posinf=0.0, neginf=0.0).astype(np.float64)
        if products is None:
            products = np.zeros((values.shape[1],) * 2)
            sums, count = np.zeros(values.shape[1]), 0
        products += values.T @ values
        sums += values.sum(axis=0)
        count += len(values)
    if products is None or len(sums) < 2 or not count:
        return None
    covariance = products / count - np.outer(sums, sums) / count**2
    power = np.maximum(np.diag(covariance), 0)
    loudest = int(power.argmax())
    if not power[loudest]:
        return None
    levels = 10 * np.log10(np.maximum(power / power[loudest], 1e-12))
    scale = np.sqrt(power * power[loudest])
    correlations = np.divide(covariance[loudest], scale, out=np.zeros_like(scale), where=scale > 0)
    # A silent channel is like no other, and harms least.
    other = min(
        (index for index in range(len(power)) if index != loudest),
        key=lambda index: (levels[index] <= _SILENT_DB, correlations[index]),
    )
    return Difference(float(correlations[other]), float(levels[other]))
