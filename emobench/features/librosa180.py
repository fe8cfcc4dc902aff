"""MFCCs, chroma and mel energies by librosa, for the classical models of the MP3 study.

The paper names the three families; their sizes (40 + 12 + 128) and librosa's defaults are those
of the public code that its settings agree with. A clip is one row, the mean over time, or a row
for every 32 ms.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from ..audio import SAMPLE_RATE
from .front_end import FrontEnd

MFCC = 40
CHROMA = 12
MEL = 128
COLUMNS = MFCC + CHROMA + MEL

_FFT_LENGTH = 2048
_HOP = 512


@lru_cache(maxsize=8)
def _mel_filters(n_fft: int) -> np.ndarray:
    """Return librosa's mel filters, which take longer to make than to use."""
    import librosa

    with warnings.catch_warnings():
        # In a transform that a very short clip allows, the lowest bands fall between two bins.
        warnings.filterwarnings("ignore", message="Empty filters")
        return librosa.filters.mel(sr=SAMPLE_RATE, n_fft=n_fft, n_mels=MEL)


def librosa180_frames(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return MFCCs, chroma and mel energies of frames of 128 ms every 32 ms.

    A clip shorter than a frame is transformed as a whole.

    Args:
        samples: at 16 kHz, of shape `(samples,)`
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(1 + samples // 512, 180)`: MFCC 1-40 (in dB, at most 80 below the
        clip's maximum), 12 pitch classes from C on, relative to the strongest, and the power in
        128 mel bands

    Examples:
        >>> librosa180_frames(np.sin(np.arange(16_000, dtype=np.float32))).shape
        (32, 180)
    """
    import librosa

    n_fft = min(_FFT_LENGTH, len(samples))
    magnitude = np.abs(librosa.stft(samples, n_fft=n_fft, hop_length=_HOP))
    mel = np.einsum("ft,mf->mt", magnitude**2, _mel_filters(n_fft), optimize=True)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=MFCC)
    with warnings.catch_warnings():
        # Where no pitch is found, librosa assumes standard tuning.
        warnings.filterwarnings("ignore", message="Trying to estimate tuning")
        chroma = librosa.feature.chroma_stft(S=magnitude, sr=SAMPLE_RATE, n_fft=n_fft)
    return np.concatenate([mfcc, chroma, mel]).T.astype(np.float32)


def librosa180(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return the mean of a clip's frames.

    Args:
        samples: at 16 kHz, of shape `(samples,)`
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(1, 180)`, in the order of `librosa180_frames`

    Examples:
        >>> librosa180(np.sin(np.arange(16_000, dtype=np.float32))).shape
        (1, 180)
    """
    frames = librosa180_frames(samples)
    return frames.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)


LIBROSA180 = FrontEnd(
    name="librosa180",
    title="mean MFCC, chroma and mel energies of a clip (librosa)",
    extract=librosa180,
    shape=lambda params: (1, COLUMNS),
    scaling="training",
    minimum=400,
    requires="librosa",
)

LIBROSA180_FRAMES = FrontEnd(
    name="librosa180-frames",
    title="MFCC, chroma and mel energies every 32 ms (librosa)",
    extract=librosa180_frames,
    shape=lambda params: (None, COLUMNS),
    scaling="training",
    minimum=400,
    bucket_multiple=16,
    requires="librosa",
)
