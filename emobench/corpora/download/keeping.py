"""What downloads keep on the disk, and how that is told."""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import CorpusError
from ...storage import Purpose, storing


class StorageError(CorpusError):
    """The disk does not take what is to be stored."""


CORPORA = Purpose(
    "the download",
    StorageError,
    "choose another --data",
    "What has arrived is kept: run the same command again to go on.",
)


def set_aside(file: Path, name: str) -> str:
    """Give a file that was refused a name that says so; return a sentence about it.

    Args:
        file: that was fetched
        name: that it has on the server
    """
    aside = file.with_name(f"refused-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[-100:]}")
    with storing(aside, CORPORA):
        file.replace(aside)
    return f"What came was set aside as {aside}; the next attempt fetches it anew."
