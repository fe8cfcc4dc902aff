"""How long files last and how their channels differ; looked up once and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...storage import Memory
from .audio_files import AudioFile
from .clips import Clip
from .memory import find_out

_VERSION = 2


@dataclass(frozen=True)
class Header:
    """What the header of a file says.

    Attributes:
        duration: in seconds
        sample_rate: in Hz
        channels: number of channels
        mixed: how the channels differ, in words, where their mean would be none of them; else ""
    """

    duration: float
    sample_rate: int
    channels: int
    mixed: str = ""


@dataclass(frozen=True)
class Headers:
    """Headers of the files of a corpus.

    Attributes:
        known: header by path
        bad: why there is none, by path
    """

    known: Mapping[str, Header]
    bad: Mapping[str, str]

    def mixed(self, clips: Iterable[Clip]) -> dict[str, str]:
        """Return how channels differ that nobody chose from, by path."""
        return {
            clip.file.path: self.known[clip.file.path].mixed
            for clip in clips
            if clip.channel is None
            and clip.file.path in self.known
            and self.known[clip.file.path].mixed
        }


def read(
    files: Sequence[AudioFile],
    folder: Path,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Headers:
    """Read headers, as far as they are not remembered; of several channels the sound too.

    Args:
        files: files of the corpus
        folder: its folder; each has a memory of its own
        cache: folder of caches; one that cannot be written only costs time
        progress: called with the number of files read so far and in all

    Returns:
        headers, and reasons where a file has none that can be used
    """
    memory = Memory("headers", _VERSION, folder, cache)
    known, bad = find_out(files, _header, memory, progress=progress)
    return Headers({path: Header(*entry) for path, entry in known.items()}, bad)


def of(clip: Clip, headers: Headers) -> float | None:
    """Return how long a clip lasts, in seconds; None for a file without a usable header."""
    begin = clip.start or 0.0
    if clip.end is not None:
        return clip.end - begin
    header = headers.known.get(clip.file.path)
    return None if header is None else header.duration - begin


def _header(file: AudioFile) -> tuple[float, int, int, str]:
    from ... import audio  # loads NumPy, which the listing of remembered durations does without

    path = Path(file.path)
    found = audio.information(path)
    differing = audio.compare(path) if found.channels > 1 else None
    mixed = str(differing) if differing is not None and differing.matters else ""
    return found.duration, found.sample_rate, found.channels, mixed
