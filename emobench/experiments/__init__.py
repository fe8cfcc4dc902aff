"""What an experiment is made of, known alike to who plans it and to who runs a part of it."""

from __future__ import annotations

from .applicability import baseline, obstacle
from .configuration import (
    again,
    configuration,
    controlled,
    current_fingerprint,
    decided_while_training,
    extras,
    parts,
    searches,
    takes_audio,
    takes_encoder,
)

__all__ = [
    "again",
    "baseline",
    "configuration",
    "controlled",
    "current_fingerprint",
    "decided_while_training",
    "extras",
    "obstacle",
    "parts",
    "searches",
    "takes_audio",
    "takes_encoder",
]
