"""Mel spectrograms at two resolutions, as in Wang et al. (ICASSP 2020).

The paper names transforms of 256 and 512 points; the code behind its results used 512 and 1024
(D-01): presets "paper" and "authors". In both, windows overlap by half and there is one mel band
for every four points of the transform. A fold has one length for each resolution, and clips are
stretched to it by nearest neighbours; the alternatives that the paper argues against, cutting and
filling up, are `time_fit` "truncate" and "pad".
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..audio import SAMPLE_RATE
from ..errors import SpecError
from .front_end import Fitted, FrontEnd

FLOOR_DB = -100.0
"""Value of silence, 10 · log10(1e-10); the paper's code has no floor and would give -inf."""

STEP = 16
"""Fitted lengths are multiples of this, so that a corpus needs few different networks."""

_FFT_LENGTHS = {
    ("paper", "fine"): 256,
    ("paper", "coarse"): 512,
    ("authors", "fine"): 512,
    ("authors", "coarse"): 1024,
}


def fft_length(preset: str, resolution: str) -> int:
    """Return the number of points of the transform; half of it is the hop, a quarter the bands.

    Args:
        preset: "paper" or "authors"
        resolution: "fine" (in time) or "coarse"

    Examples:
        >>> fft_length("paper", "fine")
        256
    """
    return _FFT_LENGTHS[preset, resolution]


def dualmel(samples: np.ndarray, *, preset: str, resolution: str) -> np.ndarray:
    """Return a mel power spectrogram in dB at one of the two resolutions.

    Hann window, centred frames over samples filled up with zeros, Slaney's mel scale and area
    normalisation, 0 to 8000 Hz: what librosa calls its defaults.

    Args:
        samples: at 16 kHz, of shape `(samples,)`
        preset: "paper" or "authors"
        resolution: "fine" or "coarse"

    Returns:
        float32 of shape `(1 + samples // hop, bands)`, nowhere below -100

    Examples:
        >>> tone = np.sin(np.arange(16_000, dtype=np.float32))
        >>> dualmel(tone, preset="paper", resolution="fine").shape
        (126, 64)
    """
    import librosa

    n_fft = fft_length(preset, resolution)
    with warnings.catch_warnings():
        # A clip shorter than the window is filled up with zeros on both sides, as it should be.
        warnings.filterwarnings("ignore", message="n_fft=")
        power = librosa.feature.melspectrogram(
            y=samples, sr=SAMPLE_RATE, n_fft=n_fft, hop_length=n_fft // 2, n_mels=n_fft // 4
        )
    decibel = librosa.power_to_db(power, ref=1.0, amin=10.0 ** (FLOOR_DB / 10.0), top_db=None)
    return np.ascontiguousarray(decibel.T, dtype=np.float32)


def fit(items: Sequence[np.ndarray], params: Mapping[str, Any]) -> Fitted:
    """Return the length that all clips of a fold get.

    Args:
        items: spectrograms of the training clips; only their lengths are read
        params: all parameters; `frames` other than 0 is that length; otherwise it is the
            training clips' median length to the nearest multiple of 16, or for `time_fit` "pad"
            their longest, to the next multiple

    Returns:
        fitted part whose `shape` is `(bands, frames, 1)` and whose `state` is the length

    Raises:
        SpecError: if `frames` is too small for the networks
    """
    lengths = [len(item) for item in items]
    median, longest = float(np.median(lengths)), max(lengths)
    frames = params["frames"]
    if 0 < frames < STEP:
        raise SpecError(
            f"dualmel: expected frames as 0 or at least {STEP}, found {frames}. Leave it at 0 to "
            "take the median of the training clips."
        )
    if not frames and params["time_fit"] == "pad":
        frames = -(-longest // STEP) * STEP
    elif not frames:
        frames = int(median / STEP + 0.5) * STEP
    frames = max(frames, STEP)
    return Fitted(
        shape=(_shape(params)[1], frames, 1),
        state=frames,
        facts={"frames": frames, "median_frames": median, "longest_frames": longest},
    )


def transform(values: np.ndarray, params: Mapping[str, Any], frames: int) -> np.ndarray:
    """Return a spectrogram of the fold's length, frequency first.

    Args:
        values: of shape `(rows, bands)`, in dB
        params: all parameters; `time_fit` "interpolate" takes row `i · rows // frames` as the
            i-th; "truncate" and "pad" cut what is too long and fill up what is too short with
            -100 dB, as if silence followed
        frames: length that was fitted

    Returns:
        float32 of shape `(bands, frames, 1)`

    Examples:
        >>> rows = np.arange(3, dtype=np.float32)[:, None]
        >>> transform(rows, {"time_fit": "interpolate"}, 6).ravel()
        array([0., 0., 1., 1., 2., 2.], dtype=float32)
    """
    if params["time_fit"] == "interpolate":
        fitted = values[np.arange(frames) * len(values) // frames]
    else:
        fitted = np.full((frames, values.shape[1]), FLOOR_DB, dtype=np.float32)
        kept = min(frames, len(values))
        fitted[:kept] = values[:kept]
    return np.ascontiguousarray(fitted.T, dtype=np.float32)[..., None]


def _shape(params: Mapping[str, Any]) -> tuple[None, int]:
    return None, fft_length(params["preset"], params["resolution"]) // 4


DUALMEL = FrontEnd(
    name="dualmel",
    title="mel spectrogram in dB at one of two resolutions, of one length for a fold",
    extract=dualmel,
    shape=_shape,
    defaults={"preset": "paper", "resolution": "fine", "time_fit": "interpolate", "frames": 0},
    limits={"frames": (0, 100_000)},
    choices={
        "preset": ("paper", "authors"),
        "resolution": ("fine", "coarse"),
        "time_fit": ("interpolate", "truncate", "pad"),
    },
    late=("time_fit", "frames"),
    scaling="none",
    minimum=400,
    fit=fit,
    transform=transform,
    requires="librosa",
)
