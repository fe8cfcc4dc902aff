"""What a disk can refuse, told in one line."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import CorpusError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class StorageError(CorpusError):
    """The disk does not take what is to be stored."""


def insist_on_room(folder: Path, wanted: int, free: int, purpose: str = "") -> None:
    """Complain of a disk before it is full.

    Raises:
        StorageError: if fewer bytes are free than wanted
    """
    if wanted > free:
        raise StorageError(
            f"{folder}: expected {wanted / 1e6:,.1f} MB of free space{purpose}, found "
            f"{free / 1e6:,.1f} MB. Free some, or choose another --data."
        )


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn what the system says of a file that cannot be written into a clear message.

    Raises:
        StorageError: if the disk is full or the folder cannot be written
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            found, advice = "none left", "Free some and run the same command again"
            raise StorageError(f"{path}: expected free space, found {found}. {advice}.") from error
        if error.errno in _FORBIDDEN:
            raise StorageError(
                f"{path}: expected to be allowed to write there, found: {error.strerror}. Change "
                "its permissions, or choose another --data."
            ) from error
        raise StorageError(
            f"{path}: expected to write there, found: {error.strerror or error}. Mend it, or "
            "choose another --data."
        ) from error
