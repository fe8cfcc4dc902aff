"""Folders that appear whole or not at all: filled under another name, then renamed."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import processes
from .ages import time_in

_UNFINISHED = ".unfinished-"
_OURS = re.compile(re.escape(_UNFINISHED) + r".+-\d+-\w+")
_OWNER = re.compile(
    re.escape(_UNFINISHED) + r"(?P<machine>[0-9a-f]{16})-(?P<process>\d+)-(?P<started>\d+)-\w+"
)
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
    """Return what processes left in a folder that were killed while they filled another there.

    On this machine a process tells by not being there any more, on others only time does.
    """
    found = [path for path in sorted(parent.glob(f"{_UNFINISHED}*")) if _OURS.fullmatch(path.name)]
    now = time_in(parent) if found else None
    return [path for path in found if _is_orphaned(path) or (now and _is_forgotten(path, now))]


def remove_leftovers(parent: Path) -> None:
    """Remove what processes left in a folder that were killed while they filled another there."""
    for folder in leftovers(parent):
        shutil.rmtree(folder, ignore_errors=True)


def _beside(folder: Path) -> Path:
    """Return a new name that tells who uses it."""
    number, started = processes.own()
    owner = f"{processes.machine_digest()}-{number}-{int(started)}"
    return folder.parent / f"{_UNFINISHED}{owner}-{uuid.uuid4().hex}"


def _is_orphaned(folder: Path) -> bool:
    """Tell whether a folder is of a process of this machine that is gone."""
    owner = _OWNER.fullmatch(folder.name)
    if owner is None or owner["machine"] != processes.machine_digest():
        return False
    return processes.is_alive(int(owner["process"]), int(owner["started"])) is False


def _is_forgotten(folder: Path, now: float) -> bool:
    """Tell whether nothing was written to a folder for a day."""
    try:
        last = max(path.stat().st_mtime for path in [folder, *folder.iterdir()])
    except OSError:
        return False
    return now - last > _FORGOTTEN_SECONDS
