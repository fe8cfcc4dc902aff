"""What a clip sounds like, as a name: the SHA-256 of its decoded samples.

Samples are taken mono and at the file's own rate: decoding gives the same bits on every machine,
which resampling need not.

Decoding a corpus takes seconds, so names are remembered beside the cached features. A file counts
as the one that was decoded while its inode, its size and its times of modification and of change
are the same. Nobody sets the time of change but the system, and it does so whenever content is
written: also where size and time of modification are put back to what they were.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache as kept
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import audio
from .errors import AudioError


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

_SETTLED_NS = 2_000_000_000
"""Coarsest step of a file system's clock: content may change within it and the time not."""

_TELLS_CHANGES = os.name != "nt"
"""Windows keeps the time of creation where others keep that of change."""

_THREADS = 4

_log = logging.getLogger(__name__)


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
    memories = {
        folder: _Memory.of(folder, cache)
        for folder in {os.path.dirname(os.path.abspath(path)) for path, *_ in segments}
    }

    def memory(segment: Segment) -> _Memory:
        return memories[os.path.dirname(os.path.abspath(segment[0]))]

    found = [memory(segment).recall(segment) for segment in segments]
    missing = [position for position, name in enumerate(found) if name is None]
    with ThreadPoolExecutor(_THREADS) as pool:
        heard = pool.map(lambda position: _listen(segments[position]), missing)
        try:
            for done, (position, (name, facts)) in enumerate(zip(missing, heard, strict=True), 1):
                found[position] = name
                memory(segments[position]).note(segments[position], name, facts)
                progress(done, len(missing))
        finally:
            pool.shutdown(cancel_futures=True)
            for one in memories.values():
                one.save()
    return found


def _listen(segment: Segment) -> tuple[str | None, list[int] | None]:
    """Return the name of a segment, and what its file was all the while; None if it changed."""
    looked = time.time_ns()
    before = _facts(segment[0])
    try:
        path, start, end, channel = segment
        name = digest(*audio.decode(path, start, end, channel=channel))
    except AudioError:
        try:
            with open(segment[0], "rb") as stream:
                name = UNDECODED + hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return None, None
    settled = before is not None and before[-1] + _SETTLED_NS < looked
    return name, before if settled and before == _facts(segment[0]) else None


def _facts(path: Path) -> list[int] | None:
    """Return what is the same as long as a file's content is; the time of change comes last."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


@dataclass
class _Memory:
    """Names of what lies in one folder.

    Attributes:
        place: file that they are kept in
        entries: facts and names by segment, by file name
        changed: whether there is something to be written
    """

    place: Path
    folder: str
    entries: dict[str, tuple[list[int], dict[str, str]]] = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def of(cls, folder: str, cache: Path) -> _Memory:
        """Read what is remembered of a folder: nothing of another version or a damaged file."""
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        memory = cls(Path(cache) / "sounds" / f"{name}.json", folder)
        try:
            stored = json.loads(memory.place.read_bytes())
            if stored["decoder"] == _decoder() and _TELLS_CHANGES:
                memory.entries = {key: _entry(value) for key, value in stored["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return memory

    def recall(self, segment: Segment) -> str | None:
        """Return the name of a segment whose file is as it was, or None."""
        facts, known = self.entries.get(os.path.basename(segment[0]), ([], {}))
        name = known.get(_span(segment))
        return name if name and facts == _facts(segment[0]) else None

    def note(self, segment: Segment, name: str | None, facts: list[int] | None) -> None:
        """Take down what was heard, unless the file may change without its looks changing."""
        if name is None or facts is None:
            return
        key = os.path.basename(segment[0])
        if self.entries.get(key, ([],))[0] != facts:
            self.entries[key] = (facts, {})
        self.entries[key][1][_span(segment)] = name
        self.changed = True

    def save(self) -> None:
        """Write in one step, so that two commands at once do no harm."""
        if not self.changed or not _TELLS_CHANGES:
            return
        temporary = None
        try:
            present = set(os.listdir(self.folder))
            files = {key: entry for key, entry in self.entries.items() if key in present}
            self.place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="ascii", dir=self.place.parent, prefix=".", delete=False
            ) as file:
                temporary = file.name
                json.dump({"decoder": _decoder(), "files": files}, file)
            os.replace(temporary, self.place)
        except OSError as error:
            _log.warning("%s: sounds are not remembered: %s", self.place, error.strerror or error)
            if temporary is not None and os.path.exists(temporary):
                os.unlink(temporary)


def _entry(value: Any) -> tuple[list[int], dict[str, str]]:
    """Return an entry of the file; TypeError or ValueError tells that it is none."""
    facts, known = value
    if not all(isinstance(number, int) for number in facts) or not _texts(known):
        raise ValueError("expected numbers and names")
    return list(facts), dict(known)


def _texts(known: Mapping[str, str]) -> bool:
    values: Iterable[Any] = known.values()
    return all(isinstance(value, str) for value in values)


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
