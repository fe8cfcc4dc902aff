"""34 short-term features every 100 ms, as in Krishna and Reddy (AVSP 2019).

The paper lists the set of the pyAudioAnalysis package, which is computed here from its
definitions. Two slips of that package are not repeated: its mel filters sit at half the frequency
that they are meant for, and its chroma keeps one bin of each semitone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..audio import SAMPLE_RATE
from .front_end import FrontEnd

WINDOW = 1600
ROWS = 200
COLUMNS = 34

_BINS = WINDOW // 2
_NYQUIST = SAMPLE_RATE / 2
_BLOCKS = 10
_ROLL_OFF = 0.9
_MFCC = 13
_CLASSES = 12
_LOWEST_A_HZ = 27.5
_TINY = np.finfo(np.float64).eps
"""Added before a logarithm, as pyAudioAnalysis does: what digital silence amounts to."""

_FREQUENCIES = np.arange(1, _BINS + 1) * SAMPLE_RATE / WINDOW
"""In Hz; pyAudioAnalysis counts bins from 1 for the centroid, the spread and chroma."""


def pyaa34(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return the short-term features of complete windows of 100 ms, of the first 20 s at most.

    Args:
        samples: at 16 kHz, of shape `(samples,)`, at least 1600
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(min(samples // 1600, 200), 34)`: zero-crossing rate, energy, entropy of
        energy, spectral centroid, spread, entropy, flux and roll-off, 13 MFCCs, 12 pitch classes
        from A on and their standard deviation

    Examples:
        >>> pyaa34(np.sin(np.arange(16_000, dtype=np.float32))).shape
        (10, 34)
    """
    signal = samples.astype(np.float64)
    signal -= signal.mean()
    loudest = np.abs(signal).max()
    if loudest > 0.0:
        signal /= loudest
    rows = min(len(signal) // WINDOW, ROWS)
    windows = signal[: rows * WINDOW].reshape(rows, WINDOW)
    spectrum = np.abs(np.fft.rfft(windows)[:, :_BINS]) / _BINS
    columns = [
        *_of_windows(windows),
        *_of_spectrum(spectrum),
        _mfcc(spectrum),
        *_chroma(spectrum),
    ]
    return np.column_stack(columns).astype(np.float32)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, and 0 where the whole is 0: nothing of a silent window."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)


def _entropy(energy: np.ndarray) -> np.ndarray:
    """Return the entropy in bits of how energy is spread over ten equal parts of a row."""
    parts = energy.reshape(len(energy), _BLOCKS, -1).sum(axis=2)
    shares = _share(parts, parts.sum(axis=1, keepdims=True))
    return -(shares * np.log2(np.where(shares > 0.0, shares, 1.0))).sum(axis=1)


def _of_windows(windows: np.ndarray) -> list[np.ndarray]:
    """Return zero-crossing rate, energy and entropy of energy, of shape `(rows,)` each."""
    crossings = np.abs(np.diff(np.sign(windows))).sum(axis=1) / 2.0
    energy = windows**2
    return [crossings / (WINDOW - 1), energy.mean(axis=1), _entropy(energy)]


def _of_spectrum(spectrum: np.ndarray) -> list[np.ndarray]:
    """Return centroid, spread, entropy, flux and roll-off, of shape `(rows,)` each."""
    weights = _share(spectrum, spectrum.sum(axis=1, keepdims=True))
    centroid = weights @ _FREQUENCIES
    variance = (weights * (_FREQUENCIES - centroid[:, None]) ** 2).sum(axis=1)
    flux = np.zeros(len(spectrum))
    flux[1:] = (np.diff(weights, axis=0) ** 2).sum(axis=1)
    power = spectrum**2
    cumulative = power.cumsum(axis=1)
    # The first bin beyond the threshold; argmax of nothing but False is 0.
    roll_off = (cumulative > _ROLL_OFF * cumulative[:, -1:]).argmax(axis=1)
    return [
        centroid / _NYQUIST,
        np.sqrt(variance) / _NYQUIST,
        _entropy(power),
        flux,
        roll_off / _BINS,
    ]


@lru_cache(maxsize=1)
def _mel_matrix() -> np.ndarray:
    """Return 40 triangles of equal area, 13 of equal width and 27 of equal ratio.

    Returns:
        float64 of shape `(800, 40)`
    """
    linear = 133.33 + 200.0 / 3.0 * np.arange(13)
    edges = np.concatenate([linear, linear[-1] * 1.0711703 ** np.arange(1, 30)])
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    bins = np.arange(_BINS)[:, None] * SAMPLE_RATE / WINDOW
    triangles = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    return 2.0 / (high - low) * np.maximum(triangles, 0.0)


def _mfcc(spectrum: np.ndarray) -> np.ndarray:
    """Return the first 13 cepstral coefficients, the zeroth included, of shape `(rows, 13)`."""
    import scipy.fft

    logarithm = np.log10(spectrum @ _mel_matrix() + _TINY)
    return scipy.fft.dct(logarithm, type=2, norm="ortho", axis=1)[:, :_MFCC]


@lru_cache(maxsize=1)
def _pitch_class_matrix() -> np.ndarray:
    """Return the weights that average power over each semitone and sum over octaves.

    Returns:
        float64 of shape `(800, 12)`, pitch classes from A on
    """
    semitones = np.round(12.0 * np.log2(_FREQUENCIES / _LOWEST_A_HZ)).astype(int)
    _, semitone, bins = np.unique(semitones, return_inverse=True, return_counts=True)
    matrix = np.zeros((_BINS, _CLASSES))
    matrix[np.arange(_BINS), semitones % _CLASSES] = 1.0 / bins[semitone]
    return matrix


def _chroma(spectrum: np.ndarray) -> list[np.ndarray]:
    """Return the pitch classes, of shape `(rows, 12)`, and their deviation, `(rows,)`."""
    power = spectrum**2
    classes = _share(power @ _pitch_class_matrix(), power.sum(axis=1, keepdims=True))
    return [classes, classes.std(axis=1)]


def pad(values: np.ndarray, params: Mapping[str, Any], state: None) -> np.ndarray:
    """Fill up with zeros, or cut, to 200 rows.

    Args:
        values: of shape `(rows, 34)`
        params: none; every front-end is called alike
        state: none

    Returns:
        float32 of shape `(200, 34)`

    Examples:
        >>> pad(np.ones((3, 34), np.float32), {}, None).sum(axis=1)[:5]
        array([34., 34., 34.,  0.,  0.], dtype=float32)
    """
    padded = np.zeros((ROWS, values.shape[1]), dtype=np.float32)
    kept = min(ROWS, len(values))
    padded[:kept] = values[:kept]
    return padded


PYAA34 = FrontEnd(
    name="pyaa34",
    title="34 short-term features every 100 ms, of the first 20 s, filled up with zeros",
    extract=pyaa34,
    shape=lambda params: (ROWS, COLUMNS),
    scaling="none",
    minimum=WINDOW,
    transform=pad,
)
