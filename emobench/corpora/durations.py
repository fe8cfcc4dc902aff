"""How long files last, from their headers, remembered on disk.

A corpus of several thousand files is looked at by every command; its headers are read once. A
file counts as unchanged while its size and its time of change stay the same.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from ..errors import AudioError
from .clips import Clip
from .files import AudioFile
from .parallel import each

_VERSION = 1
_THREADS = 8
_FEW = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Header:
    """What the header of a file says.

    Attributes:
        duration: in seconds
        sample_rate: in Hz
        channels: number of channels
    """

    duration: float
    sample_rate: int
    channels: int


@dataclass(frozen=True)
class Headers:
    """Headers of the files of a corpus.

    Attributes:
        known: header by path
        bad: why there is none, by path
    """

    known: Mapping[str, Header]
    bad: Mapping[str, str]


def read(
    files: Sequence[AudioFile],
    folder: Path,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Headers:
    """Read headers, as far as they are not remembered.

    Args:
        files: files of the corpus
        folder: its folder; each has a memory of its own
        cache: folder of caches; one that cannot be written only costs time
        progress: called with the number of files read so far and in all

    Returns:
        headers, and reasons where a file has none that can be used
    """
    place = _place(folder, cache)
    remembered = _recall(place)
    known: dict[str, Header] = {}
    missing = []
    for file in files:
        entry = remembered.get(file.path)
        if entry is not None and entry[:2] == [file.size, file.modified]:
            known[file.path] = Header(*entry[2:])
        else:
            missing.append(file)
    bad: dict[str, str] = {}
    with _read_all(missing) as found:
        for done, (file, header) in enumerate(found, 1):
            if isinstance(header, Header):
                known[file.path] = header
                remembered[file.path] = [
                    *(file.size, file.modified),
                    *(header.duration, header.sample_rate, header.channels),
                ]
            else:
                bad[file.path] = header
            if progress is not None:
                progress(done, len(missing))
    if len(missing) > len(bad):
        _remember(place, remembered)
    return Headers(known, bad)


def of(clip: Clip, headers: Headers) -> float | None:
    """Return how long a clip lasts, in seconds; None for a file without a usable header."""
    begin = clip.start or 0.0
    if clip.end is not None:
        return clip.end - begin
    header = headers.known.get(clip.file.path)
    return None if header is None else header.duration - begin


def _read_all(
    files: Sequence[AudioFile],
) -> AbstractContextManager[Iterator[tuple[AudioFile, Header | str]]]:
    if len(files) < _FEW:
        return nullcontext((file, _header(file)) for file in files)
    return each(_header, files, _THREADS)


def _header(file: AudioFile) -> Header | str:
    from .. import audio  # loads NumPy, which the listing of remembered durations does without

    try:
        found = audio.information(Path(file.path))
    except AudioError as error:
        return str(error)
    except OSError as error:  # it went away meanwhile, or its disk is failing
        return f"{file.path}: cannot be read ({error.strerror}). Try again."
    return Header(found.duration, found.sample_rate, found.channels)


def _place(folder: Path, cache: Path) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.abspath(folder))).hexdigest()[:16]
    return cache / "headers" / f"{name}.json"


def _recall(place: Path) -> dict[str, list]:
    """Return what is remembered; nothing from a file of another version or a damaged one."""
    try:
        stored = json.loads(place.read_text(encoding="ascii"))
        if stored["version"] == _VERSION:
            return {path: list(entry) for path, entry in stored["files"].items() if len(entry) == 5}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return {}


def _remember(place: Path, entries: Mapping[str, list]) -> None:
    """Write what is known in one step, so that two commands at once do no harm."""
    temporary = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="ascii", dir=place.parent, prefix=".", suffix=".tmp", delete=False
        ) as file:
            temporary = file.name
            json.dump({"version": _VERSION, "files": dict(entries)}, file)
        os.replace(temporary, place)
    except OSError as error:
        _log.warning("%s: headers are not remembered: %s", place, error.strerror or error)
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
