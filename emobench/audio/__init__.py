"""Reading speech: any common container, rate, channel count and sample format becomes mono float32.

libsndfile decodes what it knows, by content and not by file extension; FFmpeg's libraries (PyAV)
decode the rest, such as the audio track of a video. What is not sound, or not all there, is
refused with the reason: a benchmark must not train on the half of a file.
"""

from __future__ import annotations

from .channels import CHANNELS, Channel, Difference
from .decoding import (
    OVERHANG_SECONDS,
    SAMPLE_RATE,
    SHORTEST_SECONDS,
    AudioInformation,
    compare,
    decode,
    information,
    read,
    resample,
)

__all__ = [
    "CHANNELS",
    "OVERHANG_SECONDS",
    "SAMPLE_RATE",
    "SHORTEST_SECONDS",
    "AudioInformation",
    "Channel",
    "Difference",
    "compare",
    "decode",
    "information",
    "read",
    "resample",
]
