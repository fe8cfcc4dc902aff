"""Fetching corpora that may be fetched by a program: transfer, comparison, unpacking."""

from __future__ import annotations

from .archives import Limits, unpack
from .fetching import Delivery, download, is_complete
from .record import FILE, Record
from .transfer import Patience, Source, Transfer

__all__ = [
    "Delivery",
    "download",
    "is_complete",
    "FILE",
    "Limits",
    "Patience",
    "Record",
    "Source",
    "Transfer",
    "unpack",
]
