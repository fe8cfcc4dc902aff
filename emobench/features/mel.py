"""The mel filterbank that the log-mel front-ends share."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..audio import SAMPLE_RATE

FFT_LENGTH = 512


@lru_cache(maxsize=8)
def mel_matrix(bands: int) -> np.ndarray:
    """Return the weights that sum a spectrum into mel bands between 0 and 8000 Hz.

    Triangles are linear in mel, 1127 · ln(1 + f / 700), with a peak of 1; the bins of 0 Hz and
    8000 Hz belong to no band. Beyond about 100 bands the lowest ones fall between two bins and
    stay empty.

    Args:
        bands: number of bands

    Returns:
        float64 of shape `(257, bands)`, read-only

    Examples:
        >>> mel_matrix(40).shape
        (257, 40)
    """
    bins = np.arange(1, FFT_LENGTH // 2)
    mel = 1127.0 * np.log1p(bins * SAMPLE_RATE / FFT_LENGTH / 700.0)
    edges = np.linspace(0.0, 1127.0 * np.log1p(SAMPLE_RATE / 2 / 700.0), bands + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (mel[:, None] - low) / (centre - low)
    falling = (high - mel[:, None]) / (high - centre)
    matrix = np.zeros((FFT_LENGTH // 2 + 1, bands))
    matrix[bins] = np.maximum(0.0, np.minimum(rising, falling))
    matrix.flags.writeable = False
    return matrix
