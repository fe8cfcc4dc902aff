"""The front-ends by name, and the extraction of one clip."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from .. import audio
from ..errors import KINDS, FeatureError, SpecError, suggest
from ..scaling import Moments
from ..spec import FeatureSpec
from . import (
    cepstra,
    dualmel,
    encoder,
    hsf32,
    is09,
    librosa180,
    lld32,
    logmel,
    prosody35,
    pyaa34,
    spectra,
    tokens,
    waveform,
)
from .front_end import FrontEnd

_FRONT_ENDS = {
    front_end.name: front_end
    for front_end in (
        logmel.LOGMEL,
        logmel.LOGMEL5S,
        waveform.RAW5S,
        waveform.FRAMES640,
        is09.IS09,
        cepstra.MFCC39,
        cepstra.MFCC39_750,
        prosody35.PROSODY35,
        lld32.LLD32,
        hsf32.HSF32,
        spectra.FFT257,
        dualmel.DUALMEL,
        librosa180.LIBROSA180,
        librosa180.LIBROSA180_FRAMES,
        pyaa34.PYAA34,
        tokens.TOKENS,
        encoder.ENCODER,
    )
}


def names() -> list[str]:
    """Return the names of all front-ends."""
    return list(_FRONT_ENDS)


def get(name: str) -> FrontEnd:
    """Return a front-end by name.

    Raises:
        SpecError: if there is no such front-end

    Examples:
        >>> get("logmel").pad_multiple
        64
    """
    front_end = _FRONT_ENDS.get(str(name).strip().lower())
    if front_end is None:
        raise SpecError(
            f"feature: expected one of {', '.join(_FRONT_ENDS)}, found '{name}'."
            + suggest(str(name), _FRONT_ENDS)
        )
    return front_end


def spec(name: str, **params: Any) -> FeatureSpec:
    """Return a front-end with all its parameters, the defaults filled in.

    Args:
        name: of the front-end
        params: those that differ from the defaults

    Raises:
        SpecError: if the name, a parameter or its value is wrong

    Examples:
        >>> str(spec("logmel", bands=240))
        'logmel(bands=240)'
    """
    front_end = get(name)
    for key, value in params.items():
        _check_parameter(front_end, key, value)
    complete = {**front_end.defaults, **params}
    return FeatureSpec(front_end.name, tuple(sorted(complete.items())), front_end.version)


def _check_parameter(front_end: FrontEnd, key: str, value: Any) -> None:
    if key not in front_end.defaults:
        known = ", ".join(front_end.defaults) or "none"
        raise SpecError(
            f"{front_end.name}: expected one of its parameters ({known}), found '{key}'."
            + (suggest(key, front_end.defaults) or " Correct it, or leave it out.")
        )
    kind = type(front_end.defaults[key])
    allowed = front_end.choices.get(key)
    if allowed and value not in allowed:
        raise SpecError(
            f"{front_end.name}: expected {key} as one of {', '.join(allowed)}, found {value!r}."
            + (suggest(str(value), allowed) or " Choose one of them.")
        )
    low, high = front_end.limits.get(key, (value, value))
    if type(value) is not kind or not low <= value <= high:
        within = f" from {low} to {high}" if key in front_end.limits else ""
        raise SpecError(
            f"{front_end.name}: expected {key} as {KINDS[kind]}{within}, found {value!r}. "
            f"The default is {front_end.defaults[key]!r}."
        )


def missing_package(name: str) -> str | None:
    """Return the package that a front-end needs and that is not installed, or None."""
    package = get(name).requires
    return package if package and importlib.util.find_spec(package) is None else None


def require(name: str) -> None:
    """Check that a front-end can be computed here.

    Raises:
        FeatureError: if the package that it needs is not installed
    """
    package = missing_package(name)
    if package:
        raise FeatureError(
            f"{name}: expected the package {package}, found that it is not installed. "
            f"Run `pip install {package}`."
        )


def extract(feature: str, samples: np.ndarray, sample_rate: float, **params: Any) -> np.ndarray:
    """Return the features of one clip, before scaling and padding.

    Args:
        feature: name of the front-end
        samples: mono, floating-point in [-1, 1), of shape `(samples,)`
        sample_rate: of the samples, in Hz; other rates than 16 kHz are resampled
        params: of the front-end

    Returns:
        float32 of shape `(rows, columns)`

    Raises:
        SpecError: if the name or a parameter is wrong
        FeatureError: if the samples cannot be used: too few, silent, not finite, not mono

    Examples:
        >>> tone = np.sin(np.arange(8_000) / 5).astype(np.float32)
        >>> extract("logmel", tone, 8_000, bands=40).shape
        (98, 40)
    """
    wanted = spec(feature, **params)
    front_end = get(feature)
    require(feature)
    try:
        values, _ = compute(wanted, np.asarray(samples), sample_rate)
    except FeatureError as error:
        raise FeatureError(f"{wanted}: {error}.") from None
    if front_end.fit:
        return values
    return front_end.transform(values[: front_end.longest], dict(wanted.params), None)


def compute(
    wanted: FeatureSpec, samples: np.ndarray, sample_rate: float
) -> tuple[np.ndarray, Moments]:
    """Return what is cached of one clip: the values of a front-end and the clip's moments.

    Args:
        wanted: front-end with all its parameters
        samples: as in `extract`
        sample_rate: of the samples, in Hz

    Raises:
        FeatureError: with the bare reason why the clip cannot be used
    """
    front_end = get(wanted.name)
    if front_end.text:
        raise FeatureError("is made from transcripts, not from sound")
    samples = usable(wanted, samples, sample_rate)
    values = front_end.extract(samples, **dict(front_end.cached_spec(wanted).params))
    finite = np.isfinite(values)
    if not finite.all() and not (front_end.gaps and finite.any()):
        raise FeatureError("gives values that are NaN or infinite")
    return values, Moments.of(front_end.measured(samples, values))


def usable(wanted: FeatureSpec, samples: np.ndarray, sample_rate: float) -> np.ndarray:
    """Return samples at 16 kHz as float32, of shape `(samples,)`.

    Args:
        wanted: front-end that they are for
        samples: as in `extract`
        sample_rate: of the samples, in Hz

    Raises:
        FeatureError: with the bare reason why they cannot be used
    """
    front_end = get(wanted.name)
    if samples.ndim != 1:
        raise FeatureError(f"expected mono samples of shape (samples,), found {samples.shape}")
    if not np.issubdtype(samples.dtype, np.floating):
        raise FeatureError(
            f"expected floating-point samples in [-1, 1), found {samples.dtype}. Divide integers "
            "by the largest one"
        )
    if not sample_rate > 0:
        raise FeatureError(f"expected a sampling rate in Hz above 0, found {sample_rate}")
    if not len(samples):
        raise FeatureError("empty: holds no samples")
    samples = samples.astype(np.float32, copy=False)
    broken = len(samples) - int(np.isfinite(samples).sum())
    if broken:
        raise FeatureError(f"{broken} of {len(samples)} samples are NaN or infinite")
    resampled = audio.resample(samples, sample_rate)
    if len(resampled) < front_end.minimum:
        raise FeatureError(
            f"too short: expected at least {front_end.minimum} samples at 16 kHz "
            f"({front_end.minimum * 1000 / audio.SAMPLE_RATE:g} ms), found {len(resampled)}"
        )
    # Before resampling: its filter would give a constant signal edges.
    if samples.min() == samples.max():
        raise FeatureError(f"silent: all {len(samples)} samples equal {samples[0]:g}")
    return resampled
