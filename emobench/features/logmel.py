"""Log-mel spectrograms as in Keesing, Watson and Witbrock (ALTA 2020).

`logmel` follows the openSMILE pipeline of the paper's code; `logmel5s` its TensorFlow pipeline.
The code dropped the last of the 498 frames of a five-second spectrogram; all are kept here unless
`drop_last_frame` is set (D-15).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .frames import FRAME, HOP, PRE_EMPHASIS, blocks, count_frames, emphasise
from .front_end import FrontEnd
from .mel import FFT_LENGTH, mel_matrix

_FLOOR = 1e-12
_SECONDS_5 = 80_000
_FRAMES_5S = 1 + (_SECONDS_5 - FRAME) // HOP
_RANGE_DB = 60.0
_FLAT_DB = 1e-4


def logmel(samples: np.ndarray, *, bands: int) -> np.ndarray:
    """Return the natural logarithm of the energy in mel bands.

    Frames of 25 ms every 10 ms, complete ones only; pre-emphasis within each frame; Hamming
    window; power spectrum.

    Args:
        samples: at 16 kHz, of shape `(samples,)`
        bands: number of mel bands

    Returns:
        float32 of shape `(frames, bands)`; a band without energy is ln(1e-12)

    Examples:
        >>> logmel(np.sin(np.arange(16_000, dtype=np.float32)), bands=40).shape
        (98, 40)
    """
    values = np.empty((count_frames(len(samples)), bands), dtype=np.float32)
    if not len(values):
        return values
    window = np.hamming(FRAME)
    for rows, frames in blocks(samples):
        spectrum = np.fft.rfft(emphasise(frames) * window, FFT_LENGTH)
        power = spectrum.real**2 + spectrum.imag**2
        values[rows] = np.log(np.maximum(power @ mel_matrix(bands), _FLOOR))
    return values


def logmel5s(samples: np.ndarray, *, bands: int, drop_last_frame: bool) -> np.ndarray:
    """Return the mel spectrogram of the first five seconds in dB, stretched to [-1, 1].

    Shorter clips are filled up with silence. Pre-emphasis over the whole signal; periodic Hann
    window; mel bands of the magnitude spectrum, squared; 60 dB below the clip's maximum are kept.

    Args:
        samples: at 16 kHz, of shape `(samples,)`
        bands: number of mel bands
        drop_last_frame: leave out the last frame, as the paper's code did

    Returns:
        float32 of shape `(498, bands)`, or `(497, bands)`; a clip whose first five seconds are
        silent is -1 throughout

    Examples:
        >>> logmel5s(np.ones(800, np.float32), bands=40, drop_last_frame=False).shape
        (498, 40)
    """
    signal = np.zeros(_SECONDS_5)
    kept = min(len(samples), _SECONDS_5)
    signal[:kept] = samples[:kept]
    signal[1:] -= PRE_EMPHASIS * signal[:-1]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FRAME) / FRAME)
    power = np.empty((_FRAMES_5S, bands))
    for rows, frames in blocks(signal):
        magnitude = np.abs(np.fft.rfft(frames * window, FFT_LENGTH))
        power[rows] = np.square(magnitude @ mel_matrix(bands))
    if drop_last_frame:
        power = power[:-1]
    return _stretch(power).astype(np.float32)


def _stretch(power: np.ndarray) -> np.ndarray:
    """Return a power spectrogram in dB, cut 60 dB below its maximum and mapped to [-1, 1]."""
    loudest = power.max()
    if loudest == 0.0:
        return np.full_like(power, -1.0)
    with np.errstate(divide="ignore"):
        decibel = np.maximum(10.0 * np.log10(power / loudest), -_RANGE_DB)
    lowest, highest = decibel.min(), decibel.max()
    if highest - lowest < _FLAT_DB:
        return decibel - lowest
    return 2.0 * (decibel - lowest) / (highest - lowest) - 1.0


def _shape_5s(params: Mapping[str, Any]) -> tuple[int, int]:
    return _FRAMES_5S - bool(params["drop_last_frame"]), params["bands"]


LOGMEL = FrontEnd(
    name="logmel",
    title="log-mel energies, 25 ms frames every 10 ms, as long as the clip",
    extract=logmel,
    shape=lambda params: (None, params["bands"]),
    defaults={"bands": 40},
    limits={"bands": (1, 512)},
    minimum=FRAME,
    pad_multiple=64,
    bucket_multiple=64,
)

LOGMEL5S = FrontEnd(
    name="logmel5s",
    title="mel spectrogram of the first 5 s in dB, mapped to [-1, 1]",
    extract=logmel5s,
    shape=_shape_5s,
    defaults={"bands": 40, "drop_last_frame": False},
    limits={"bands": (1, 512)},
    minimum=FRAME,
)
