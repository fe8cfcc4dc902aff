"""The card of an encoder: what stands in `card.yaml` beside the model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ..errors import SpecError, suggest

CARD = "card.yaml"

_PRESET = "metadata.json"
"""What a folder of KerasHub has beside its weights."""

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Card(BaseModel):
    """The keys of a card, each with what it means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Word
    """What tables call the encoder: letters, digits, `.`, `-` and `_`."""
    file: _Word = "model.onnx"
    """The ONNX model, beside the card."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of that file, in hexadecimal."""
    sampling_rate: Annotated[int, Field(ge=1_000, le=192_000)]
    """Of the waveform that it takes, in Hz."""
    layers: Annotated[int, Field(ge=1, le=1_000)]
    """How many layers it gives, the output of the convolutions included where it is one."""
    width: Annotated[int, Field(ge=1, le=100_000)]
    """Columns of each layer."""
    licence: _Text
    """Terms of use, in a few words."""
    citation: _Text
    """The paper that presents it."""
    training_corpora: tuple[_Text, ...]
    """Every corpus that it was trained or fine-tuned on; `[]` for none."""


def read_card(folder: Path) -> Card:
    """Read the card of an encoder.

    Args:
        folder: that holds it

    Raises:
        SpecError: if there is none, or a key is missing, unknown or wrong
    """
    path = Path(folder) / CARD
    try:
        status = path.stat()
    except OSError as error:
        raise SpecError(_without_card(Path(folder), error)) from error
    return _read(path, status.st_size, status.st_mtime_ns)


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
        SpecError: if it is another, or the file cannot be read
    """
    path = Path(folder) / card.file
    try:
        status = path.stat()
        found = _digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise SpecError(
            f"{path}: expected the ONNX model that {CARD} names, found: {error.strerror}. Put it "
            "beside the card, or correct `file`."
        ) from error
    if found != card.sha256:
        raise SpecError(
            f"{path}: expected the SHA-256 of {CARD}, {card.sha256}, found {found}. Get the file "
            "again or, if you have just exported it, write that into the card."
        )
    return found


@lru_cache(maxsize=8)  # a model is large, and every experiment asks for it
def _digest(path: Path, size: int, modified: int) -> str:
    """Return the SHA-256 of a file; size and time make a changed one another one."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@lru_cache(maxsize=8)
def _read(path: Path, size: int, modified: int) -> Card:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found = " ".join(str(error).split())
        raise SpecError(f"{path}: expected YAML in UTF-8, found: {found}.") from error
    if not isinstance(content, Mapping):
        raise SpecError(f"{path}: expected `key: value` lines, found none. {_KEYS}")
    try:
        return Card.model_validate(content)
    except ValidationError as error:
        raise SpecError(f"{path}: " + _told(error.errors()[0], content)) from error


def _told(wrong: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Return what is wrong with a key, in words."""
    key = ".".join(map(str, wrong["loc"]))
    if wrong["type"] == "missing":
        return f"expected the key {key}, found none. {_KEYS}"
    if wrong["type"] == "extra_forbidden":
        return f"expected one of the known keys, found '{key}'.{suggest(key, KEYS)} {_KEYS}"
    expected = wrong["msg"].removeprefix("Input should be ").removeprefix("String should ")
    return f"{key}: expected {expected}, found {str(wrong['input'])[:80]!r}. Correct it."


def _without_card(folder: Path, error: OSError) -> str:
    if not folder.is_dir():
        return f"{folder}: expected the folder of an encoder, found {error.strerror}."
    if (folder / _PRESET).exists():
        return (
            f"{folder}: expected {CARD} and an ONNX model, found a preset of KerasHub, which is "
            "not read. Export it to ONNX."
        )
    return f"{folder}: expected {CARD} and an ONNX model, found no {CARD}. {_KEYS}"


class _Loader(yaml.SafeLoader):
    """Every scalar is a text, as in the registry, and a key that stands twice is an error."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 -- PyYAML's own way

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping as a dict."""
        found = super().construct_mapping(node, deep)
        if len(found) < len(node.value):
            raise yaml.YAMLError(f"a key twice in {', '.join(map(str, found))}")
        return found


KEYS = tuple(Card.model_fields)
_KEYS = f"The keys of a card: {', '.join(KEYS)}."
