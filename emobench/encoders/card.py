"""The card of an encoder: what stands in `card.yaml` beside its model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

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
    format: Literal["onnx", "keras-hub"] = "onnx"
    """What lies beside the card: an ONNX model (`onnx`) or a preset of KerasHub (`keras-hub`)."""
    file: _Word = "model.onnx"
    """The ONNX model; a preset has names of its own."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of that file, in hexadecimal; of a preset, of the list that `sha256sum` prints."""
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
            f"{folder}: expected {CARD} beside the preset of KerasHub, found none. Write one with "
            f"`format: keras-hub`. {_KEYS}"
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
