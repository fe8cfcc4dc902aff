"""Keeping other processes out of a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: writers of one folder are then not kept apart
    fcntl = None


@contextmanager
def locked(folder: Path, wait: Callable[[], None] | None = None) -> Iterator[bool]:
    """Keep other writers out of a folder; the system lets go of the lock when a process dies.

    Args:
        folder: to be alone in
        wait: called if another writer has it and is waited for

    Yields:
        whether the folder is locked: some network file systems cannot
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        yield _lock(descriptor, wait)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, wait: Callable[[], None] | None) -> bool:
    if fcntl is None:
        return False
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait is not None:
                wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return False
    return True
