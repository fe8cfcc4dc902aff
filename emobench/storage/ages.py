"""How old files are by the file system's own time: the clocks of machines that share it differ."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

ABANDONED_SECONDS = 3_600
"""What nobody wrote to for so long, of what takes seconds to write, has no writer any more."""


def time_in(folder: Path) -> float | None:
    """Return what time it is for the file system of a folder, in seconds.

    None where nothing can be written, and so nothing need be tidied.
    """
    with contextlib.suppress(OSError):
        descriptor, name = tempfile.mkstemp(prefix=".time.", suffix=".tmp", dir=folder)
        try:
            return os.fstat(descriptor).st_mtime
        finally:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(name)
    return None
