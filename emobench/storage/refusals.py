"""What a disk can refuse, told in one line: where, what was found, and what to do."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import EmobenchError, SpecError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR)


@dataclass(frozen=True)
class Purpose:
    """What is stored, for the message when that is not possible.

    Attributes:
        what: such as "results"
        error: is raised
        elsewhere: how to store it in another place, such as "name another folder with --results"
        again: what to do once the cause is mended
        is_file: whether the place is a file that the user named; else it is in a folder
    """

    what: str
    error: type[EmobenchError]
    elsewhere: str
    again: str = "Then run the same command again."
    is_file: bool = False


def output(option: str) -> Purpose:
    """Return what a file is for that a user named by an option."""
    return Purpose("the output", SpecError, f"name another file with {option}", is_file=True)


@contextmanager
def storing(path: Path, purpose: Purpose, size: int = 0) -> Iterator[None]:
    """Turn what the system says of a place that cannot be written into a clear message.

    Args:
        path: that is written
        purpose: what for
        size: in bytes, where it is known

    Raises:
        EmobenchError: of the purpose's kind
    """
    try:
        yield
    except OSError as error:
        raise purpose.error(f"{path}: {_told(error, purpose, size)}") from error


def insist_on_room(folder: Path, wanted: int, purpose: Purpose) -> None:
    """Complain of a disk before it is full.

    Raises:
        EmobenchError: of the purpose's kind, if fewer bytes are free than wanted
    """
    with storing(folder, purpose):
        free = shutil.disk_usage(folder).free
    if wanted > free:
        raise purpose.error(
            f"{folder}: expected {wanted / 1e6:,.1f} MB of free space for {purpose.what}, found "
            f"{free / 1e6:,.1f} MB. Free some, or {purpose.elsewhere}. {purpose.again}"
        )


def reason(error: Exception) -> str:
    """Return what the system says of an error."""
    return getattr(error, "strerror", None) or str(error)


def _told(error: OSError, purpose: Purpose, size: int) -> str:
    """Return what was expected, what was found, and what to do."""
    place = "file" if purpose.is_file else "folder"
    found, elsewhere, again = f"found '{reason(error)}'", purpose.elsewhere, purpose.again
    if error.errno in _FULL:
        room = f"room for {size:,} bytes" if size else f"room for {purpose.what}"
        return f"expected {room}, found a full disk. Free some space, or {elsewhere}. {again}"
    if error.errno in _IN_THE_WAY and not purpose.is_file:
        return (
            f"expected a folder for {purpose.what}, found a file in the way ('{reason(error)}'). "
            f"Move that file, or {elsewhere}."
        )
    if error.errno in (*_FORBIDDEN, *_IN_THE_WAY):
        return (
            f"expected a {place} that can be written, {found}. Change its permissions, or "
            f"{elsewhere}. {again}"
        )
    return (
        f"expected to write {purpose.what} there, {found}. Check the disk, or {elsewhere}. {again}"
    )
