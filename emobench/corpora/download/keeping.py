"""What downloads keep on the disk, for messages when it takes no more."""

from __future__ import annotations

from ...errors import CorpusError
from ...storage import Purpose


class StorageError(CorpusError):
    """The disk does not take what is to be stored."""


CORPORA = Purpose(
    "the download",
    StorageError,
    "choose another --data",
    "What has arrived is kept: run the same command again to go on.",
)
