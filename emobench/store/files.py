"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..spec import plain

try:
    import fcntl
except ImportError:  # Windows: writers of one folder are then not kept apart
    fcntl = None

LEFTOVERS = ".*.tmp"
"""Pattern of what a killed writer leaves behind."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR)


def write(*contents: tuple[Path, bytes]) -> None:
    """Write files of one folder so that the last is only ever seen beside all the others, whole.

    Everything is on disk under temporary names before anything that was there is touched: a full
    disk leaves the old files as they are. A kill in between leaves the others without the last.

    Args:
        contents: paths with what they are to hold; the last one vouches for the others

    Raises:
        StoreError: if the disk is full or the folder cannot be written
    """
    staged = [(_temporary(path), path, content) for path, content in contents]
    last = contents[-1][0]
    try:
        for temporary, path, content in staged:
            _fill(temporary, path, content)
        with _explaining(last):
            if len(staged) > 1:
                last.unlink(missing_ok=True)
                _sync_folder(last.parent)
            for temporary, path, _ in staged:
                os.replace(temporary, path)
                _sync_folder(path.parent)
    finally:
        for temporary, _, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a file if it is there.

    Raises:
        StoreError: if the folder cannot be written
    """
    with _explaining(path):
        path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and those above it.

    Raises:
        StoreError: if that is not possible
    """
    with _explaining(path):
        path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
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


def discard_leftovers(folder: Path) -> None:
    """Remove what killed writers left; call it with the folder locked."""
    for leftover in folder.glob(LEFTOVERS):
        with contextlib.suppress(OSError):
            leftover.unlink(missing_ok=True)


def to_json(value: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys; numbers that JSON lacks (NaN, infinities) become null."""
    text = json.dumps(_finite(plain(value)), sort_keys=True, indent=1, ensure_ascii=False)
    return (text + "\n").encode()


def from_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        OSError: if it cannot be read
        ValueError: if it is not JSON, or not an object
    """
    value = json.loads(path.read_bytes().decode())
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {type(value).__name__}")
    return value


def _finite(value: Any) -> Any:
    """Return a plain value with NumPy scalars and arrays as Python's, and NaN as None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _temporary(path: Path) -> Path:
    """Return a name beside a file that no other writer uses."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")


def _fill(temporary: Path, path: Path, content: bytes) -> None:
    """Write what is to become `path`, and wait until it is on the disk."""
    with _explaining(path, len(content)), open(temporary, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


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


def _sync_folder(folder: Path) -> None:
    """Make a rename last; where folders cannot be synchronised the system does so in time."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _explaining(path: Path, size: int = 0) -> Iterator[None]:
    """Turn a system's error into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise _explained(error, path, size) from error


def _explained(error: OSError, path: Path, size: int) -> StoreError:
    """Return what went wrong in a user's words."""
    again = "Finished work is kept: run the same command again to go on."
    if error.errno in _FULL:
        return StoreError(
            f"{path}: expected room for {max(size, 1):,} bytes, found a full disk. "
            f"Free some space. {again}"
        )
    if error.errno in _FORBIDDEN:
        return StoreError(
            f"{path}: expected a folder that can be written, found '{error.strerror}'. "
            f"Change its permissions, or name another folder with --results. {again}"
        )
    if error.errno in _IN_THE_WAY:
        return StoreError(
            f"{path}: expected a folder for results, found a file in the way "
            f"('{error.strerror}'). Move that file, or name another folder with --results."
        )
    return StoreError(
        f"{path}: expected to write it, found '{error.strerror or error}'. "
        f"Check the disk, or name another folder with --results. {again}"
    )
