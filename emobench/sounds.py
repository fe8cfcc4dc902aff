"""What a clip sounds like, as a name: the SHA-256 of its decoded samples.

Samples are taken mono and at the file's own rate: decoding gives the same bits on every machine,
which resampling need not.

Decoding a corpus takes seconds, so names are remembered beside the cached features.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache as kept
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import audio
from .errors import AudioError
from .storage import Memory, stamp


class Segment(NamedTuple):
    """What is decoded.

    Attributes:
        path: audio file
        start: in seconds, or None for its beginning
        end: in seconds, or None for its end
        channel: what becomes of several channels
    """

    path: Path
    start: float | None = None
    end: float | None = None
    channel: audio.Channel = "mean"


UNDECODED = "bytes:"
"""How the name of what cannot be decoded begins; the rest is the SHA-256 of the file."""

_VERSION = 1
"""Raised whenever decoding gives other samples."""

_THREADS = 4


def digest(samples: np.ndarray, rate: int) -> str:
    """Return the name of sound.

    Args:
        samples: float32 of shape `(samples,)`
        rate: in Hz
    """
    content = hashlib.sha256(f"{rate}\n".encode())
    content.update(np.ascontiguousarray(samples, dtype="<f4"))
    return content.hexdigest()


def names(
    segments: Sequence[Segment | tuple[Path, float | None, float | None]],
    cache: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str | None]:
    """Return the names of sounds, decoding those that are not remembered.

    Args:
        segments: of which clips
        cache: folder of caches; one that cannot be written only costs time
        progress: called with how many segments were decoded, and how many are to be

    Returns:
        a name for each segment; None for a file that cannot be opened
    """
    segments = [Segment(*segment) for segment in segments]
    folders = [os.path.dirname(os.path.abspath(segment.path)) for segment in segments]
    memories = {
        folder: Memory("sounds", _decoder(), folder, cache) for folder in dict.fromkeys(folders)
    }
    found = [
        _recalled(memories[folder], segment)
        for folder, segment in zip(folders, segments, strict=True)
    ]
    missing = [position for position, name in enumerate(found) if name is None]
    with ThreadPoolExecutor(_THREADS) as pool:
        heard = pool.map(lambda position: _listen(segments[position]), missing)
        try:
            for done, (position, (name, status)) in enumerate(zip(missing, heard, strict=True), 1):
                found[position], segment = name, segments[position]
                if name is not None and status is not None:
                    place = os.path.basename(segment.path)
                    memories[folders[position]].note(place, stamp(status), name, _span(segment))
                progress(done, len(missing))
        finally:
            pool.shutdown(cancel_futures=True)
            for memory in memories.values():
                memory.save()
    return found


def _recalled(memory: Memory, segment: Segment) -> str | None:
    """Return the name of a segment whose file was not touched since it was decoded."""
    status = _status(segment.path)
    if status is None:
        return None
    return memory.recall(os.path.basename(segment.path), stamp(status), _span(segment))


def _listen(segment: Segment) -> tuple[str | None, os.stat_result | None]:
    """Return the name of a segment, and what its file was before it was read."""
    status = _status(segment.path)
    try:
        path, start, end, channel = segment
        return digest(*audio.decode(path, start, end, channel=channel)), status
    except AudioError:
        pass
    try:
        with open(segment.path, "rb") as stream:
            return UNDECODED + hashlib.file_digest(stream, "sha256").hexdigest(), status
    except OSError:
        return None, None


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _span(segment: Segment) -> str:
    heard = "" if segment.channel == "mean" else f" {segment.channel}"
    return f"{segment.start}-{segment.end}{heard}"


@kept
def _decoder() -> dict[str, Any]:
    """Return what decodes: other versions may give other samples of what is compressed."""
    return {
        "version": _VERSION,
        **{package: metadata.version(package) for package in ("av", "soundfile")},
    }
