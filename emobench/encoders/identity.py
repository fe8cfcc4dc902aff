"""What tells encoders apart: the content of their models, and how they are fed and read."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import SpecError
from . import preset
from .card import CARD, Card, read_card

_AGAIN = "Get it again or, if you have just made it, write that into the card."


def identity(folder: Path) -> dict[str, Any]:
    """Return what an encoder's values depend on: the model's content, and how it is fed and read.

    Args:
        folder: that holds card and model

    Raises:
        SpecError: if the card is wrong, or the model is not the one that it speaks of
    """
    card = read_card(folder)
    digest_of(folder, card)
    return {key: getattr(card, key) for key in ("sha256", "sampling_rate", "layers", "width")}


def described(folder: Path) -> dict[str, Any]:
    """Return what the configuration of an experiment says of an encoder; its path is no part of it.

    Args:
        folder: that holds card and model

    Raises:
        SpecError: as `identity` does
    """
    card = read_card(folder)
    heard = sorted(card.training_corpora)
    return {"name": card.name, **identity(folder), "training_corpora": heard}


def digest_of(folder: Path, card: Card) -> str:
    """Return the SHA-256 of an encoder's model, which is the one that its card names.

    Raises:
        SpecError: if it is another, or a file cannot be read
    """
    folder = Path(folder)
    if card.format == "onnx":
        where, what = folder / card.file, f"the ONNX model that {CARD} names"
        found = _of_file(where, what, "Put it beside the card, or correct `file`.")
    else:
        where = folder
        what = "a file of the preset"
        lines = [
            f"{_of_file(file, what, 'Get the preset again.')}  {file.name}\n"
            for file in preset.files(folder)
        ]  # as `sha256sum` prints them
        found = hashlib.sha256("".join(lines).encode()).hexdigest()
    if found != card.sha256:
        raise SpecError(
            f"{where}: expected the SHA-256 of {CARD}, {card.sha256}, found {found}. {_AGAIN}"
        )
    return found


def _of_file(path: Path, what: str, advice: str) -> str:
    try:
        status = path.stat()
        return _digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise SpecError(f"{path}: expected {what}, found: {error.strerror}. {advice}") from error


@lru_cache(maxsize=64)  # a model is large, and every experiment asks for it
def _digest(path: Path, size: int, modified: int) -> str:
    """Return the SHA-256 of a file; size and time make a changed one another one."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
