"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from .ages import ABANDONED_SECONDS, time_in

LEFTOVERS = ".*.tmp"
"""Pattern of what a killed writer leaves behind."""


def write(*contents: tuple[Path, bytes]) -> None:
    """Write files of one folder so that the last is only ever seen beside all the others, whole.

    Everything is on disk under temporary names before anything that was there is touched: a full
    disk leaves the old files as they are. A kill in between leaves the others without the last.

    Args:
        contents: paths with what they are to hold; the last one vouches for the others

    Raises:
        OSError: if the disk is full or the folder cannot be written
    """
    staged = [(_temporary(path), path, content) for path, content in contents]
    last = contents[-1][0]
    try:
        for temporary, _, content in staged:
            with open(temporary, "wb") as stream:
                stream.write(content)
                settle(stream)
        if len(staged) > 1 and last.exists():
            last.unlink(missing_ok=True)
            _sync_folder(last.parent)
        for temporary, path, _ in staged[:-1]:
            os.replace(temporary, path)
        if len(staged) > 1:
            _sync_folder(last.parent)  # waiting for the disk is most of what filing a job takes
        os.replace(staged[-1][0], last)
        _sync_folder(last.parent)
    finally:
        for temporary, _, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_all(contents: Iterable[tuple[Path, bytes]]) -> None:
    """Write many files, in several folders, that need not vouch for each other.

    All are on disk under temporary names before anything that was there is touched: a full disk
    leaves the old files as they are. A kill between two renames leaves some new and some old ones.

    Args:
        contents: paths with what they are to hold; their folders are made

    Raises:
        OSError: if the disk is full or a folder cannot be written
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in contents:
            path.parent.mkdir(parents=True, exist_ok=True)
            staged.append((_temporary(path), path))
            with open(staged[-1][0], "wb") as stream:
                stream.write(content)
                settle(stream)
        for temporary, path in staged:
            os.replace(temporary, path)
        for folder in dict.fromkeys(path.parent for _, path in staged):
            _sync_folder(folder)
    finally:
        for temporary, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def overwrite(path: Path, content: bytes) -> None:
    """Write a file that a user named: a full disk does not cost what it held.

    Links stay links, and a file keeps its permissions. What cannot be replaced, such as a pipe or
    a file in a folder that takes no other, is written into.

    Raises:
        OSError: if it cannot be written
    """
    place = path.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    mode = place.stat().st_mode if place.exists() else None
    if mode is None:
        write((place, content))
    elif place.is_file() and all(os.access(one, os.W_OK) for one in (place, place.parent)):
        write((place, content))
        place.chmod(stat.S_IMODE(mode))
    else:
        place.write_bytes(content)


def discard_leftovers(folder: Path) -> None:
    """Remove what killed writers left: what nobody wrote to for an hour.

    Only age tells: a lock may keep out the writers of one machine and not those of another.
    """
    found = list(folder.glob(LEFTOVERS))
    now = time_in(folder) if found else None
    for leftover in found if now is not None else ():
        with contextlib.suppress(OSError):
            if now - leftover.stat().st_mtime > ABANDONED_SECONDS:
                leftover.unlink(missing_ok=True)


def settle(stream: BinaryIO) -> None:
    """Bring a file to the disk: nothing may have its name before it has its content."""
    stream.flush()
    os.fsync(stream.fileno())


def _temporary(path: Path) -> Path:
    """Return a name beside a file that no other writer uses."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")


def _sync_folder(folder: Path) -> None:
    """Make a rename last; where folders cannot be synchronised the system does so in time."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
