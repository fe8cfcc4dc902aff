"""Conditions: what is done to the sound of a clip before its features are taken.

MP3 at eight bitrates, as in the study of librosa's features and the models of Yoon et al. (2018).
At 16 kHz, MPEG Layer III allows 8 to 160 kbit/s: for more, sound is upsampled to 48 kHz before it
is encoded, and LAME itself goes down to 8 kHz for 8 kbit/s. What really came out is read from the
stream and recorded (D-28).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from . import audio
from .audio import SAMPLE_RATE
from .errors import FeatureError, SpecError, suggest

BITRATES = (256, 192, 128, 96, 64, 24, 16, 8)
"""In kbit/s."""

VERSION = 1
"""Raised whenever the same condition gives other samples."""

_HIGHEST_AT_16_KHZ = 160
_UPSAMPLED = 48_000
_QUALITY = 2
"""LAME's best; 7 is its fastest."""

_MPEG_1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG_2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_1_RATES = (44_100, 48_000, 32_000)
_RATE_DIVISORS = {0b11: 1, 0b10: 2, 0b00: 4}
"""By the version bits of a frame header: MPEG-1, MPEG-2 and MPEG-2.5."""


@dataclass(frozen=True)
class Condition:
    """One thing that is done to sound.

    Attributes:
        bitrate: of the MP3 stream that the sound goes through, in kbit/s; None leaves it as it is
    """

    bitrate: int | None = None

    @property
    def name(self) -> str:
        """Canonical name, as `parse` reads it."""
        return "none" if self.bitrate is None else f"mp3:{self.bitrate}k"

    def __str__(self) -> str:
        """Return the canonical name."""
        return self.name

    @property
    def identity(self) -> dict[str, Any]:
        """What is done, as plain JSON and the same on every machine: for fingerprints."""
        if self.bitrate is None:
            return {"name": self.name}
        return {
            "name": self.name,
            "version": VERSION,
            "codec": "MPEG Layer III, LAME, constant bitrate, mono",
            "kbps": self.bitrate,
            "input_rate": _input_rate(self.bitrate),
            "quality": _QUALITY,
        }

    @property
    def tools(self) -> dict[str, str | None]:
        """Versions of what does it here, None for what is not installed: for cached features."""
        if self.bitrate is None:
            return {}
        import soundfile

        lacking = self.missing_package is not None
        return {
            "lameenc": None if lacking else importlib.metadata.version("lameenc"),
            "lame": None if lacking else _lame_version(),
            "libsndfile": soundfile.__libsndfile_version__,
        }

    @property
    def missing_package(self) -> str | None:
        """Package that is needed and not installed, or None."""
        needed = self.bitrate is not None and importlib.util.find_spec("lameenc") is None
        return "lameenc" if needed else None

    def apply(self, samples: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
        """Return what becomes of the sound of a clip.

        Args:
            samples: at 16 kHz, in [-1, 1), of shape `(samples,)`

        Returns:
            float32 of the same shape, in time with what went in; and what the stream was:
            `requested_kbps`, `effective_kbps` and `sample_rate` in Hz, or nothing for "none"

        Raises:
            FeatureError: if lameenc is not installed, or libsndfile cannot decode MP3
        """
        if self.bitrate is None:
            return samples, {}
        if self.missing_package:
            raise FeatureError(
                f"{self.name}: expected the package lameenc, found that it is not installed. "
                "Run `pip install lameenc`."
            )
        stream = _encode(samples, self.bitrate)
        decoded, rate = _decode(stream)
        # Cut at the stream's own rate, where the delay is a whole number of samples.
        restored = audio.resample(decoded[_delay(self.bitrate) :], rate)
        result = np.zeros(len(samples), dtype=np.float32)
        kept = min(len(samples), len(restored))
        result[:kept] = restored[:kept]
        return result, {"requested_kbps": self.bitrate, **_first_header(stream)}


def parse(text: str) -> Condition:
    """Return the condition of a name.

    Args:
        text: "none", or "mp3:" and a bitrate in kbit/s, such as "mp3:64k"

    Raises:
        SpecError: if there is no such condition

    Examples:
        >>> parse("MP3:64").name
        'mp3:64k'
    """
    known = _known()
    wanted = text.strip().lower()
    found = known.get(wanted, known.get(f"{wanted}k"))
    if found is None:
        raise SpecError(
            f"condition: expected one of {', '.join(known)}, found '{text}'."
            + (suggest(wanted, known) or " Write mp3: and a bitrate in kbit/s.")
        )
    return found


def expand(text: str) -> tuple[Condition, ...]:
    """Return the conditions of a list of names.

    Args:
        text: names with commas between them; "mp3:all" means sound as it is and all bitrates

    Returns:
        each condition once, in the order given

    Raises:
        SpecError: if one of them does not exist

    Examples:
        >>> [condition.name for condition in expand("none, mp3:8k")]
        ['none', 'mp3:8k']
    """
    found: dict[Condition, None] = {}
    for name in text.split(","):
        every = name.strip().lower() == "mp3:all"
        found |= dict.fromkeys(_known().values() if every else [parse(name)])
    return tuple(found)


def _known() -> Mapping[str, Condition]:
    conditions = [Condition(), *(Condition(bitrate) for bitrate in BITRATES)]
    return {condition.name: condition for condition in conditions}


def _input_rate(bitrate: int) -> int:
    """Return the rate in Hz at which sound is handed to the encoder."""
    return SAMPLE_RATE if bitrate <= _HIGHEST_AT_16_KHZ else _UPSAMPLED


def _encode(samples: np.ndarray, bitrate: int) -> bytes:
    """Return the MP3 stream of sound at 16 kHz."""
    import lameenc

    rate = _input_rate(bitrate)
    integers = np.rint(audio.resample(samples, SAMPLE_RATE, rate) * 32_768.0)
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(rate)
    encoder.set_bit_rate(bitrate)
    encoder.set_quality(_QUALITY)
    stream = encoder.encode(np.clip(integers, -32_768, 32_767).astype("<i2").tobytes())
    return bytes(stream) + bytes(encoder.flush())


def _decode(stream: bytes) -> tuple[np.ndarray, int]:
    """Return the samples of an MP3 stream, the codec's delay included, and their rate in Hz."""
    import soundfile

    try:
        return soundfile.read(io.BytesIO(stream), dtype="float32")
    except soundfile.LibsndfileError as error:
        raise FeatureError(
            "mp3: expected libsndfile 1.1 or later, which decodes MP3, found "
            f"{soundfile.__libsndfile_version__} ({error.error_string.strip(' .')}). "
            "Run `pip install --upgrade soundfile`."
        ) from error


def _first_header(stream: bytes) -> dict[str, int]:
    """Return bitrate and rate that the header of the first frame tells (ISO 11172-3, 13818-3)."""
    version, layer = stream[1] >> 3 & 0b11, stream[1] >> 1 & 0b11
    if stream[0] != 0xFF or stream[1] >> 5 != 0b111 or layer != 0b01 or version == 0b01:
        raise FeatureError(f"mp3: expected a Layer III frame, found {stream[:4].hex()}")
    table = _MPEG_1_KBPS if version == 0b11 else _MPEG_2_KBPS
    rate = _MPEG_1_RATES[stream[2] >> 2 & 0b11] // _RATE_DIVISORS[version]
    return {"effective_kbps": table[stream[2] >> 4], "sample_rate": rate}


@lru_cache(maxsize=len(BITRATES))
def _delay(bitrate: int) -> int:
    """Return by how many samples, at the stream's rate, a decoded stream lags behind.

    Measured once by cross-correlation, on a sweep that has one sharp peak. It is a property of
    the codec: measured on each clip, a steady tone could be taken for one a period later.
    """
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    sweep = np.sin(2.0 * np.pi * (200.0 + 2800.0 * time) * time) * np.hanning(len(time)) / 2.0
    decoded, rate = _decode(_encode(sweep, bitrate))
    original = audio.resample(sweep, SAMPLE_RATE, rate)
    length = len(original) + len(decoded)
    cross = np.fft.rfft(decoded, length) * np.fft.rfft(original, length).conj()
    return int(np.fft.irfft(cross, length)[: len(decoded)].argmax())


@lru_cache(maxsize=1)
def _lame_version() -> str | None:
    """Return the version that LAME writes into what a frame has left over."""
    found = re.search(rb"LAME([0-9.]+)", _encode(np.zeros(SAMPLE_RATE, np.float32), 64))
    return found[1].decode() if found else None
