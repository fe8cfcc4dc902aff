"""What is remembered of a download: the licence that was accepted, and what came from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

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
    def read(cls, *folders: Path) -> Record:
        """Return the first record in these folders; an empty one if none can be read."""
        for folder in folders:
            try:
                return TypeAdapter(cls).validate_json((folder / FILE).read_bytes())
            except (OSError, ValidationError):
                pass
        return cls()

    def write(self, folder: Path) -> None:
        """Store this record in a folder, whole or not at all.

        Raises:
            StorageError: if the disk is full or the folder cannot be written
        """
        with storing(folder / FILE, CORPORA):
            write((folder / FILE, TypeAdapter(Record).dump_json(self, indent=1) + b"\n"))

    def accepting(self, licence: str) -> Record:
        """Return this record with a licence that was accepted just now."""
        return replace(self, licence=licence, accepted=_now())

    def with_archive(self, address: str, size: int, sha256: str, compared: str) -> Record:
        """Return this record with one more archive."""
        fetched = Fetched(size, sha256, compared, _now())
        return replace(self, archives={**self.archives, address: fetched})


def _now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
