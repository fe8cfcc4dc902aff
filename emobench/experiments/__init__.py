"""What an experiment is made of, known alike to who plans it and to who runs a part of it."""

from __future__ import annotations

from .configuration import (
    again,
    configuration,
    controlled,
    current_fingerprint,
    extras,
    hears,
    parts,
)

__all__ = [
    "again",
    "configuration",
    "controlled",
    "current_fingerprint",
    "extras",
    "hears",
    "parts",
]
