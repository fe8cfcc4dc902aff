"""The audio files of a corpus folder, by glob, in an order that is the same on every machine."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...errors import CorpusError, named
from ...storage import Stamp, stamp

AUDIO = ("wav", "flac", "mp3", "ogg", "opus", "aif", "aiff", "aifc", "au", "m4a", "wma")
VIDEO = ("avi", "mp4", "mov", "mkv", "webm", "mpg", "mpeg", "flv")
POINTER = b"version https://git-lfs"
_ARCHIVES = ("zip", "tar", "tgz", "gz", "bz2", "xz", "7z", "rar")


@dataclass(frozen=True, slots=True)
class AudioFile:
    """One file below a corpus folder.

    Attributes:
        path: absolute path, as the system spells it
        relative: path below the corpus folder in composed Unicode, with `/`; bytes that are no
            UTF-8 are shown as `�`
        size: in bytes; -1 for a link that leads nowhere
        stamp: the same as long as the content is
    """

    path: str
    relative: str
    size: int
    stamp: Stamp

    @property
    def name(self) -> str:
        """File name with its extension in small letters: what expressions are matched against."""
        return with_small_extension(self.relative.rpartition("/")[2])

    @property
    def stem(self) -> str:
        """File name without extension."""
        return os.path.splitext(self.name)[0]

    @property
    def location(self) -> str:
        """Relative path with its extension in small letters."""
        return with_small_extension(self.relative)

    @property
    def names(self) -> dict[str, str]:
        """How it is called: `name`, `stem` and `path`."""
        return {"name": self.name, "stem": self.stem, "path": self.location}


def scan(folder: Path, globs: Sequence[str], ignored: Sequence[str] = ()) -> list[AudioFile]:
    """Return the files below a folder that a glob matches, sorted by path.

    Folders may be links. Names that begin with a dot are skipped: they belong to the system.

    Args:
        folder: corpus folder
        globs: a file must match one of them, at whatever depth; case does not matter
        ignored: globs of files to pass over

    Raises:
        CorpusError: if a folder cannot be listed, or what matches is no regular file
    """
    try:
        entries = list(_walk(os.path.abspath(folder), "", set()))
    except OSError as error:
        raise CorpusError(
            f"{readable(str(error.filename))}: expected a folder that can be read, found: "
            f"{error.strerror}. Change its permissions, or move it out of the corpus."
        ) from error
    wanted, unwanted = _matcher(tuple(globs)), _matcher(tuple(ignored))
    found = []
    for entry, relative in entries:
        if not wanted.search(relative) or (ignored and unwanted.search(relative)):
            continue
        try:
            status = entry.stat()
        except OSError:  # a link that leads nowhere
            found.append(AudioFile(entry.path, relative, -1, (0, -1, 0, 0)))
            continue
        if not stat.S_ISREG(status.st_mode):  # to open a pipe is to wait for what writes to it
            raise CorpusError(
                f"{readable(entry.path)}: expected a regular file, found a pipe or a device. "
                "Remove it from the corpus folder."
            )
        found.append(AudioFile(entry.path, relative, status.st_size, stamp(status)))
    return sorted(found, key=lambda file: (file.relative, file.path))


def found_instead(folder: Path) -> str | None:
    """Return what lies in a folder in place of the audio files, and what to do about it."""
    packed = scan(folder, [f"*.{kind}" for kind in _ARCHIVES])
    if packed:
        names = named([file.relative for file in packed])
        if all(is_pointer(file.path) for file in packed):
            return f"only Git LFS pointers: {names}. Run `git lfs pull` there."
        return f"only {names}. Unpack {'it' if len(packed) == 1 else 'them'} there."
    others = scan(folder, [f"*.{kind}" for kind in (*AUDIO, *VIDEO)])
    if others:
        names = named([file.relative for file in others])
        return f"only {names}. Put those that are expected there."
    return None


def is_pointer(path: str) -> bool:
    """Tell whether a file only points to one that is kept by Git LFS and was not fetched."""
    with open(path, "rb") as stream:
        return stream.read(len(POINTER)) == POINTER


def readable(path: str) -> str:
    """Return a path or part of one as text that can be printed and compared.

    Names come composed or decomposed (`é` as one sign or two), and from old archives in other
    encodings than UTF-8.
    """
    text = os.fsencode(path).decode("utf-8", errors="replace")
    return unicodedata.normalize("NFC", text)


def _walk(
    folder: str, prefix: str, seen: set[tuple[int, int]]
) -> Iterator[tuple[os.DirEntry[str], str]]:
    status = os.stat(folder)
    if (status.st_dev, status.st_ino) in seen:  # a link to a folder that holds it
        return
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.name.startswith("."):
            continue
        relative = prefix + readable(entry.name)
        if entry.is_dir():
            yield from _walk(entry.path, f"{relative}/", seen)
        else:
            yield entry, relative


@cache
def _matcher(globs: tuple[str, ...]) -> re.Pattern[str]:
    """Return an expression for globs that may match at any depth; `**` crosses folders."""
    parts = (_translated(unicodedata.normalize("NFC", glob)) for glob in globs)
    return re.compile(rf"(?:^|/)(?:{'|'.join(parts)})$", re.IGNORECASE)


def _translated(glob: str) -> str:
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    return "".join(signs.get(part) or re.escape(part) for part in parts)


def with_small_extension(path: str) -> str:
    """Return a path with its extension in small letters: copies through Windows have `.WAV`."""
    stem, extension = os.path.splitext(path)
    return stem + extension.lower()
