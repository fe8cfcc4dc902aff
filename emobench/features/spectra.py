"""The magnitude spectrum of Mirsamadi, Barsoum and Zhang (ICASSP 2017).

The paper names 257 bins of frames of 25 ms every 10 ms, and no window: a Hamming window is taken.
No logarithm, no pre-emphasis. Columns are standardised with the neutral training utterances, as in
the paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .frames import FRAME, blocks, count_frames
from .front_end import FrontEnd
from .mel import FFT_LENGTH

BINS = FFT_LENGTH // 2 + 1


def fft257(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return the magnitude spectrum of each frame.

    Args:
        samples: at 16 kHz, of shape `(samples,)`, at least 400
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(frames, 257)`, from 0 Hz to 8000 Hz

    Examples:
        >>> fft257(np.sin(np.arange(16_000, dtype=np.float32))).argmax(axis=1)[:3]
        array([81, 81, 81])
    """
    values = np.empty((count_frames(len(samples)), BINS), dtype=np.float32)
    window = np.hamming(FRAME)
    for rows, frames in blocks(samples):
        values[rows] = np.abs(np.fft.rfft(frames * window, FFT_LENGTH))
    return values


FFT257 = FrontEnd(
    name="fft257",
    title="magnitude spectrum, 25 ms frames every 10 ms, as long as the clip",
    extract=fft257,
    shape=lambda params: (None, BINS),
    scaling="training-neutral",
    minimum=FRAME,
    bucket_multiple=64,
)
