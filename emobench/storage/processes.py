"""Which process something belongs to, on any machine, and whether that still lives."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from functools import cache
from pathlib import Path

_CLOCK_SECONDS = 5
"""Systems compute when a process began from a clock that may be set."""


@cache
def machine() -> str:
    """Return what tells this machine, since it was started, from all others.

    Containers of one machine may share a name, and see different processes under one number; two
    machines may have one name.
    """
    parts = [platform.node()]
    for path in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with contextlib.suppress(OSError):
            file = Path(path)
            parts.append(os.readlink(file) if file.is_symlink() else file.read_text().strip())
    return " ".join(parts)


def machine_digest() -> str:
    """Return the same in 16 letters that may stand in the name of a file."""
    return hashlib.sha256(machine().encode()).hexdigest()[:16]


def own() -> tuple[int, float]:
    """Return the number of this process and when it began, in seconds."""
    return os.getpid(), _began(os.getpid())


@cache
def _began(number: int) -> float:
    import psutil

    return psutil.Process(number).create_time()


def is_alive(number: int, started: float) -> bool | None:
    """Tell whether a process of this machine is still the one that it was.

    Args:
        number: of the process
        started: when it began, in seconds

    Returns:
        None if there is such a process, of which the system shows nothing: with `hidepid`, those
        of other users
    """
    import psutil

    if not _exists(number):
        return False
    try:
        process = psutil.Process(number)
        same = abs(process.create_time() - started) < _CLOCK_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return None


def _exists(number: int) -> bool:
    if os.name == "nt":  # where signal 0 is Ctrl-C
        import psutil

        return psutil.pid_exists(number)
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
