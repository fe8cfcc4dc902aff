"""Keeping other processes out of a folder, or from removing what one reads."""

from __future__ import annotations

import contextlib
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


class Use:
    """That a file is in use, as long as this object lives.

    Args:
        file: which
        descriptor: of the file
    """

    def __init__(self, file: Path, descriptor: int) -> None:
        self._file, self._descriptor = file, descriptor

    def renew(self) -> None:
        """Say that the file is used now, unless it may not be touched."""
        with contextlib.suppress(OSError):
            os.utime(self._file)

    def __del__(self) -> None:
        os.close(self._descriptor)


def using(file: Path) -> Use:
    """Say that a file is used now, and go on doing so as long as the returned object lives.

    The time of its modification tells when it was used last, to other machines as well, which may
    not see the lock; who uses it for long renews it. It must not hinder anybody who reads: where
    there are no locks, or the file may not be touched, nothing is said.

    Raises:
        OSError: if the file cannot be opened
    """
    descriptor = os.open(file, os.O_RDONLY)
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    use = Use(file, descriptor)
    use.renew()
    return use


@contextmanager
def unused(file: Path) -> Iterator[bool]:
    """Find out whether anybody uses a file, and let nobody begin to meanwhile.

    Some file systems have no locks, and some keep them to one machine: look at the time of its
    modification, too.

    Yields:
        whether nobody does, as far as locks tell

    Raises:
        OSError: if the file may not be written
    """
    descriptor = os.open(file, os.O_RDWR)  # network file systems lock no others
    try:
        yield _is_free(descriptor)
    finally:
        os.close(descriptor)


def _is_free(descriptor: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # there are no locks here
        return True
    return True
