"""Frozen encoders: networks that others have trained on speech, read from a folder on this machine.

A folder holds an ONNX model or a preset of KerasHub, and `card.yaml`, which says what it is, what
it takes and gives, and which corpora it has heard. Nothing is fetched and nothing is trained.
"""

from __future__ import annotations

from .card import Card, read_card
from .identity import described, identity
from .model import Encoder, accelerator, missing_package, open_encoder

__all__ = [
    "Card",
    "Encoder",
    "accelerator",
    "described",
    "identity",
    "missing_package",
    "open_encoder",
    "read_card",
]
