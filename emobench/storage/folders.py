"""Folders that appear whole or not at all: filled under another name, then renamed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".unfinished-"
_OWNER = re.compile(re.escape(_UNFINISHED) + r"(?P<host>.+)-(?P<process>\d{1,9})-\w+")
_FORGOTTEN_SECONDS = 86_400


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside another; rename it when it is filled, or it is removed.

    Args:
        folder: that it is to become; folders above it are made

    Raises:
        OSError: if it cannot be made
    """
    temporary = _beside(folder)
    temporary.mkdir(parents=True)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a folder; it loses its name at once.

    Raises:
        OSError: if it cannot be renamed
    """
    gone = _beside(folder)
    os.rename(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)


def is_empty(folder: Path) -> bool:
    """Tell whether a folder holds nothing, without listing all that it holds.

    Raises:
        OSError: if it is none, or cannot be read
    """
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def leftovers(parent: Path) -> list[Path]:
    """Return what processes left in a folder that were killed while they filled another there."""
    found = []
    for folder in sorted(parent.glob(f"{_UNFINISHED}*")):
        owner = _OWNER.fullmatch(folder.name)
        if owner is None:
            continue
        orphaned = owner["host"] == socket.gethostname() and not _alive(int(owner["process"]))
        if orphaned or _forgotten(folder):
            found.append(folder)
    return found


def remove_leftovers(parent: Path) -> None:
    """Remove what processes left in a folder that were killed while they filled another there."""
    for folder in leftovers(parent):
        shutil.rmtree(folder, ignore_errors=True)


def _beside(folder: Path) -> Path:
    """Return a new name that tells who uses it."""
    name = f"{_UNFINISHED}{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
    return folder.parent / name


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _forgotten(folder: Path) -> bool:
    """Return whether nothing was written to a folder for a day."""
    try:
        return time.time() - max(path.stat().st_mtime for path in [folder, *folder.iterdir()]) > (
            _FORGOTTEN_SECONDS
        )
    except OSError:
        return False
