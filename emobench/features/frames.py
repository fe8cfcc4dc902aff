"""Frames of 25 ms every 10 ms: what the spectral front-ends cut a clip into."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

FRAME = 400
HOP = 160
PRE_EMPHASIS = 0.97

_BLOCK = 128
"""Frames that are transformed at once: they fit the processor's cache, and memory is bounded."""


def count_frames(n_samples: int) -> int:
    """Return the number of complete frames in a signal.

    Examples:
        >>> count_frames(399), count_frames(400), count_frames(16_000)
        (0, 1, 98)
    """
    return max(0, 1 + (n_samples - FRAME) // HOP)


def blocks(samples: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the complete frames of a clip, block by block.

    Args:
        samples: at 16 kHz, of shape `(samples,)`, at least 400

    Yields:
        position of the block among the frames, and the block, float64 of shape `(frames, 400)`

    Examples:
        >>> [(where.start, block.shape) for where, block in blocks(np.zeros(800, np.float32))]
        [(0, (3, 400))]
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    for first in range(0, len(frames), _BLOCK):
        block = frames[first : first + _BLOCK].astype(np.float64)
        yield slice(first, first + len(block)), block


def emphasise(frames: np.ndarray) -> np.ndarray:
    """Return frames with their high frequencies raised, each frame by itself.

    Args:
        frames: of shape `(frames, samples)`

    Returns:
        of the same shape: `x[j] - 0.97 · x[j - 1]`, where the first sample precedes itself
    """
    emphasised = np.empty_like(frames)
    emphasised[:, 0] = (1.0 - PRE_EMPHASIS) * frames[:, 0]
    emphasised[:, 1:] = frames[:, 1:] - PRE_EMPHASIS * frames[:, :-1]
    return emphasised
