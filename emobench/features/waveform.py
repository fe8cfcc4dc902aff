"""Raw samples as in Keesing et al. (2020): the first five seconds, whole or in frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .front_end import FrontEnd

LONGEST = 80_000
"""Samples that are kept: 5 s."""

FRAMES = 500
FRAME = 640
HOP = 160


def raw5s(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return the first five seconds of the samples.

    Args:
        samples: at 16 kHz, of shape `(samples,)`
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(min(samples, 80000), 1)`
    """
    return samples[:LONGEST, None].astype(np.float32)


def frame(
    values: np.ndarray, params: Mapping[str, Any] | None = None, state: None = None
) -> np.ndarray:
    """Cut samples into frames of 40 ms every 10 ms.

    Args:
        values: of shape `(samples, 1)`, at most 80,000 of them, already standardised: what is
            filled up with zeros then equals the speaker's mean
        params: none; every front-end is called alike
        state: none

    Returns:
        float32 of shape `(500, 640)`

    Examples:
        >>> frame(np.ones((1000, 1), np.float32)).sum(axis=1)[:8]
        array([640., 640., 640., 520., 360., 200.,  40.,   0.], dtype=float32)
    """
    filled = np.zeros(HOP * (FRAMES - 1) + FRAME, dtype=np.float32)
    filled[: len(values)] = values[:, 0]
    return np.lib.stride_tricks.sliding_window_view(filled, FRAME)[::HOP].copy()


def _whole_clip(samples: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return every sample of the clip: the paper standardises before it cuts."""
    return samples[:, None]


RAW5S = FrontEnd(
    name="raw5s",
    title="the samples of the first 5 s",
    extract=raw5s,
    shape=lambda params: (None, 1),
    # Two samples of the pooled output of the convolutions that this input was made for.
    minimum=2 * HOP,
    # The published code padded to the sample; a tenth of a second makes few lengths of many.
    pad_multiple=1600,
    bucket_multiple=8000,
    measured=_whole_clip,
)

FRAMES640 = FrontEnd(
    name="frames640",
    title="the samples of the first 5 s in 500 frames of 40 ms",
    extract=raw5s,
    shape=lambda params: (FRAMES, FRAME),
    version=RAW5S.version,
    minimum=RAW5S.minimum,
    source=RAW5S.name,
    transform=frame,
    measured=_whole_clip,
)
