"""Mel-frequency cepstral coefficients with energy and derivatives: MFCC12_E_D_A of openSMILE.

For Wang et al. (ICASSP 2020) and Yoon, Byun and Jung (SLT 2018). The former speak of 13 MFCC; the
set has 12 and the logarithm of the energy (D-11). The values follow openSMILE to the last frame,
but are computed without it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .frames import FRAME, blocks, count_frames, emphasise
from .front_end import FrontEnd
from .mel import FFT_LENGTH, mel_matrix

BANDS = 26
CEPSTRA = 12
STATIC = CEPSTRA + 1
COLUMNS = 3 * STATIC
KEPT_ROWS = 750

_LIFTER = 22
_REACH = 2
_POWER_OF_FULL_SCALE = 32_767.0**2
"""Energies are those of 16-bit integers, as in HTK; what is below 1 is taken for silence."""


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    """Return what turns log energies into liftered cepstra, of shape `(26, 12)`."""
    order = np.arange(1, CEPSTRA + 1)
    band = np.arange(BANDS)[:, None] + 0.5
    lifter = 1.0 + _LIFTER / 2 * np.sin(np.pi * order / _LIFTER)
    return lifter * np.sqrt(2.0 / BANDS) * np.cos(np.pi * order * band / BANDS)


def _static(samples: np.ndarray) -> np.ndarray:
    """Return cepstra 1-12 and the log energy of each frame, of shape `(frames, 13)`."""
    values = np.empty((count_frames(len(samples)), STATIC))
    window = np.hamming(FRAME)
    for rows, frames in blocks(samples):
        spectrum = np.fft.rfft(emphasise(frames) * window, FFT_LENGTH)
        power = spectrum.real**2 + spectrum.imag**2
        bands = power @ mel_matrix(BANDS) * _POWER_OF_FULL_SCALE
        energy = np.einsum("ij,ij->i", frames, frames) * _POWER_OF_FULL_SCALE
        values[rows, :CEPSTRA] = np.log(np.maximum(bands, 1.0)) @ _cosines()
        values[rows, CEPSTRA] = np.log(np.maximum(energy, 1.0))
    return values


def _slopes(values: np.ndarray) -> np.ndarray:
    """Return the slope over five rows for each row that has two on either side."""
    rows = len(values) - 2 * _REACH
    shifted = [values[_REACH + shift :][:rows] for shift in (-2, -1, 1, 2)]
    return (shifted[2] - shifted[1] + 2.0 * (shifted[3] - shifted[0])) / 10.0


def mfcc39(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return cepstra and log energy of each frame with their first two derivatives.

    Frames of 25 ms every 10 ms, complete ones only; pre-emphasis within each frame; Hamming
    window; 26 mel bands of the power spectrum; lifter 22. The energy is that of the samples as
    they are.

    Args:
        samples: at 16 kHz, of shape `(samples,)`, at least 400
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(frames, 39)`: MFCC 1-12 and log energy, their slopes over five frames,
        and the slopes of the slopes

    Examples:
        >>> mfcc39(np.sin(np.arange(16_000, dtype=np.float32))).shape
        (98, 39)
    """
    static = _static(samples)
    rows = len(static)
    # openSMILE repeats the last frame until two slopes past the end are there, and takes the
    # slopes of these: repeating the last slope instead gives other values in the last two rows.
    first = _slopes(np.pad(static, ((_REACH, 2 * _REACH), (0, 0)), mode="edge"))
    second = _slopes(np.pad(first, ((_REACH, 0), (0, 0)), mode="edge"))
    return np.hstack([static, first[:rows], second]).astype(np.float32)


MFCC39 = FrontEnd(
    name="mfcc39",
    title="12 MFCC and log energy with their first and second derivatives, every 10 ms",
    extract=mfcc39,
    shape=lambda params: (None, COLUMNS),
    scaling="none",
    minimum=FRAME,
    bucket_multiple=64,
)

MFCC39_750 = FrontEnd(
    name="mfcc39-750",
    # The paper fills up to 7.5 s with zeros and masks them; filling up to less is the same.
    title="the first 7.5 s of mfcc39",
    extract=mfcc39,
    shape=lambda params: (None, COLUMNS),
    version=MFCC39.version,
    scaling="training",
    minimum=MFCC39.minimum,
    source=MFCC39.name,
    longest=KEPT_ROWS,
    bucket_multiple=MFCC39.bucket_multiple,
)
