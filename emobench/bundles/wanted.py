"""What a model is asked about: clips, each a file or a part of one, or samples in memory."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import SpecError

AUDIO = frozenset(
    {
        *(".wav", ".wave", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc"),
        *(".au", ".snd", ".caf", ".w64", ".rf64", ".sph", ".nist", ".m4a", ".aac", ".wma", ".amr"),
        *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".flv", ".3gp", ".ts"),
    }
)
"""Endings of the files that are taken from a folder; a file that is named is taken whatever its."""

Key = tuple[str, float | None, float | None]
"""What tells clips apart: the name of the file, and where the clip begins and ends in it."""


@dataclass(frozen=True)
class Wanted:
    """A clip that is to be labelled.

    Attributes:
        name: of its file, as the user gave it; for samples, their position
        path: of its file, or None
        start: in seconds; None means the beginning of the file
        end: in seconds; None means its end
        speaker: who speaks; None if that is not known
        transcript: what is said, or None
        samples: in place of a file, float, of shape `(samples,)`
        sample_rate: of the samples, in Hz
    """

    name: str
    path: Path | None = None
    start: float | None = None
    end: float | None = None
    speaker: str | None = None
    transcript: str | None = None
    samples: np.ndarray | None = None
    sample_rate: float = 0.0

    @property
    def key(self) -> Key:
        """What tells it apart from other clips."""
        return self.name, self.start, self.end

    def __str__(self) -> str:
        """Return file and segment, for messages."""
        if self.start is None and self.end is None:
            return self.name
        end = "its end" if self.end is None else f"{self.end:g} s"
        return f"{self.name} from {self.start or 0:g} s to {end}"


def expand(words: Iterable[str]) -> Iterator[str]:
    """Yield the files that words name: files, folders with all that is below, and globs.

    Args:
        words: a file is taken as it is, be it there or not; of a folder the files that end as
            audio does, hidden ones left out, in the order of their names; a word with `*`, `?` or
            `[` that is no file is a glob, in which `**` stands for any folders

    Raises:
        SpecError: if a folder holds no audio, or a glob matches nothing
    """
    for word in words:
        if os.path.isdir(word):
            yield from _some(_below(word), f"{word}: expected a folder with audio files")
        elif not os.path.lexists(word) and glob.has_magic(word):
            found = sorted(glob.glob(word, recursive=True))
            # `**` below a folder that is not there is said to match that folder.
            files = (each for each in found if os.path.lexists(each) and not os.path.isdir(each))
            yield from _some(files, f"{word}: expected files that match")
        else:
            yield word


def distinct(clips: Iterable[Wanted]) -> list[Wanted]:
    """Return clips without those that were named before."""
    found: dict[Key, Wanted] = {}
    for clip in clips:
        found.setdefault(clip.key, clip)
    return list(found.values())


def spoken_by_folder(clips: Sequence[Wanted]) -> list[Wanted]:
    """Return clips whose speaker is the folder that their file lies in.

    Raises:
        SpecError: if one of them has no file
    """
    if any(clip.path is None for clip in clips):
        raise SpecError("one speaker a folder: expected files, found samples. Name the speakers.")
    return [replace(clip, speaker=str(clip.path.parent)) for clip in clips]


def _below(folder: str) -> Iterator[str]:
    """Yield the audio files below a folder."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in AUDIO:
                yield os.path.join(place, name)


def _some(found: Iterator[str], expected: str) -> Iterator[str]:
    """Yield what was found, and insist that it is something."""
    nothing = True
    for name in found:
        nothing = False
        yield name
    if nothing:
        raise SpecError(f"{expected}, found none. Correct the path, or name the files.")
