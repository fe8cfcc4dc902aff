"""What is remembered of a download: the licence that was accepted, and what came from where."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from ...storage import storing, write
from .keeping import CORPORA

FILE = "download.json"
"""Lies in the folder of a corpus that was downloaded."""


def _now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Fetched(BaseModel):
    """One archive, as it came."""

    bytes: int
    sha256: str
    compared: str
    """The published facts that it was compared with."""
    when: str = Field(default_factory=_now)


class Record(BaseModel):
    """All that is remembered: the licence that was accepted, when, and archives by address."""

    licence: str | None = None
    accepted: str | None = None
    archives: dict[str, Fetched] = {}

    @classmethod
    def read(cls, *folders: Path) -> Record:
        """Return the first record in these folders; an empty one if none can be read."""
        for folder in folders:
            try:
                return cls.model_validate_json((folder / FILE).read_bytes())
            except (OSError, ValidationError):
                pass
        return cls()

    def write(self, folder: Path) -> None:
        """Store this record in a folder, whole or not at all.

        Raises:
            StorageError: if the disk is full or the folder cannot be written
        """
        with storing(folder / FILE, CORPORA):
            write((folder / FILE, self.model_dump_json(indent=1).encode() + b"\n"))

    def accept(self, licence: str) -> None:
        """Note that a licence was accepted just now."""
        self.licence, self.accepted = licence, _now()
