"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
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
    with _staged(contents) as staged:
        (own, last), several = staged[-1], len(staged) > 1
        if several and last.exists():
            last.unlink(missing_ok=True)
            _sync_folder(last.parent)
        for temporary, path in staged[:-1]:
            os.replace(temporary, path)
        if several:
            _sync_folder(last.parent)  # waiting for the disk is most of what filing a job takes
        os.replace(own, last)
        _sync_folder(last.parent)


def write_new(*contents: tuple[Path, bytes]) -> bool:
    """Write files as `write` does, unless the last one is there by then: no lock is relied on.

    Where there are hard links, of all who write the last file so one does. What others wrote before
    it is put back if it was another's after all.

    Args:
        contents: paths with what they are to hold; the last one vouches for the others

    Returns:
        whether they were written

    Raises:
        OSError: if the disk is full or the folder cannot be written
    """
    with _staged(contents) as staged, _staged(()) as former:
        *others, (own, last) = staged
        if last.exists():
            return False
        for temporary, path in others:
            if not _link(temporary, path):  # left by a killed writer, or another's after all
                former.append((_temporary(path), path))
                with contextlib.suppress(OSError):
                    os.link(path, former[-1][0])
                os.replace(temporary, path)
        if others:
            _sync_folder(last.parent)
        if _link(own, last):
            _sync_folder(last.parent)
            return True
        for kept, path in former:
            with contextlib.suppress(FileNotFoundError):
                os.replace(kept, path)
        return False


def write_all(contents: Iterable[tuple[Path, bytes]]) -> None:
    """Write many files, in several folders, that need not vouch for each other.

    All are on disk under temporary names before anything that was there is touched: a full disk
    leaves the old files as they are. A kill between two renames leaves some new and some old ones.

    Args:
        contents: paths with what they are to hold; their folders are made

    Raises:
        OSError: if the disk is full or a folder cannot be written
    """

    def placed() -> Iterator[tuple[Path, bytes]]:
        for path, content in contents:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield path, content

    with _staged(placed()) as staged:
        for temporary, path in staged:
            os.replace(temporary, path)
        for folder in dict.fromkeys(path.parent for _, path in staged):
            _sync_folder(folder)


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


@contextlib.contextmanager
def _staged(contents: Iterable[tuple[Path, bytes]]) -> Iterator[list[tuple[Path, Path]]]:
    """Give temporary names that hold the contents, beside the paths; none is left in the end."""
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in contents:
            staged.append((_temporary(path), path))
            with open(staged[-1][0], "wb") as stream:
                stream.write(content)
                settle(stream)
        yield staged
    finally:
        for temporary, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> bool:
    """Give a file a name that no other has; where there are no links, that none had just now."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError:
        if target.exists():
            return False
        os.replace(source, target)
    return True


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
