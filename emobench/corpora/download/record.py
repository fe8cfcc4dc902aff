"""What is remembered of a download: the licence that was accepted, and what came from where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ...storage import storing, write
from .keeping import CORPORA

FILE = "download.json"
"""Lies in the folder of a corpus that was downloaded."""


@dataclass(frozen=True)
class Fetched:
    """One archive, as it came.

    Attributes:
        bytes: its size
        sha256: its digest, in hexadecimal digits
        compared: the published facts that it was compared with
        when: it arrived
    """

    bytes: int
    sha256: str
    compared: str
    when: str


@dataclass(frozen=True)
class Record:
    """Everything that is remembered.

    Attributes:
        licence: words of the licence that was accepted
        accepted: when
        archives: by address
    """

    licence: str | None = None
    accepted: str | None = None
    archives: Mapping[str, Fetched] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path | None) -> Record:
        """Return the record in a folder; an empty one if there is none that can be read."""
        if folder is None:
            return cls()
        try:
            known = json.loads((folder / FILE).read_text(encoding="utf-8"))
            archives = {key: Fetched(**value) for key, value in known.pop("archives").items()}
            return cls(**known, archives=archives)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self, folder: Path) -> None:
        """Store this record in a folder, whole or not at all.

        Raises:
            StorageError: if the disk is full or the folder cannot be written
        """
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        with storing(folder / FILE, CORPORA):
            write((folder / FILE, f"{text}\n".encode()))

    def with_archive(self, address: str, size: int, sha256: str, compared: str) -> Record:
        """Return this record with one more archive."""
        fetched = Fetched(size, sha256, compared, now())
        return replace(self, archives={**self.archives, address: fetched})


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
