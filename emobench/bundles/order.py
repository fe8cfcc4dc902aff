"""What bundle is to be made: small, and enough for a process that trains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """A bundle that is to be made of an experiment's model.

    Attributes:
        folder: where the bundle is to lie
        unverified: whether it is written though its network predicts something else than the
            stored predictions of its fold
    """

    folder: Path
    unverified: bool = False
