"""An entry of the registry whose types and meaning are right, or all its mistakes in our words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ...errors import SpecError, suggest
from .items import Drop, Expect, Listing, SideTable, TextFiles, ValueMap
from .rules import Mistake, mistakes
from .schema import Entry
from .yaml_source import Entry as Source
from .yaml_source import Location

_MOST_MISTAKES = 5
_ITEMS = {"tables": SideTable, "drop": Drop, "values": ValueMap}
_NESTED = {"expect": Expect, "texts": TextFiles}


def validated(source: Source) -> Entry:
    """Return an entry whose types and meaning are right.

    Raises:
        SpecError: with one line for each mistake
    """
    if not isinstance(source.values, dict):
        raise SpecError(
            f"{source.at()}: expected keys such as title and pattern below the name, found "
            f"{shown(source.values)}. Indent them by two blanks."
        )
    found: list[Mistake] = []
    entry = None
    try:
        entry = Entry.model_validate(source.values)
    except ValidationError as error:
        found = [_mistake(item) for item in error.errors()]
    if entry is not None:
        found = list(mistakes(entry))
    if found:
        raise SpecError(_told(source, found))
    return entry


def _told(source: Source, found: Iterable[Mistake]) -> str:
    lines = []
    for mistake in found:
        where = source.at(*mistake.place)
        text = f"{where}: expected {mistake.expected}, found {mistake.found}. "
        lines.append((text + mistake.advice.strip()).strip())
    if len(lines) > _MOST_MISTAKES:
        lines[_MOST_MISTAKES:] = [f"… and {len(lines) - _MOST_MISTAKES} more in this entry."]
    return "\n".join(lines)


def _mistake(error: Mapping[str, Any]) -> Mistake:
    """Return what pydantic complains of, in our words."""
    place: Location = tuple(part for part in error["loc"] if part != "[key]")
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "extra_forbidden":
        known = _keys_at(place)
        close = suggest(str(place[-1]), known).strip()
        if place[-1] == "<<":
            close = "Entries cannot be merged: repeat the keys, or make it a variant."
        expected = f"one of the keys {', '.join(known)}"
        return Mistake(place, expected, f"'{place[-1]}'", close or "Remove it.")
    if kind == "missing":
        expected = f"the key '{place[-1]}'"
        return Mistake(place[:-1], expected, "nothing", f"Add `{place[-1]}:`.")
    if kind == "expected":
        return Mistake(place, context["expected"], shown(value), context["advice"])
    if kind == "literal_error":
        words = re.findall(r"'([^']+)'", context["expected"])
        advice = suggest(str(value), words).strip() or "Choose one."
        return Mistake(place, f"one of {', '.join(words)}", shown(value), advice)
    expected = _EXPECTED.get(kind, error["msg"].lower())
    if kind in ("greater_than_equal", "less_than_equal"):
        expected = error["msg"].lower().removeprefix("input should be ")
        expected = f"a number {expected}"
    return Mistake(place, expected, shown(value), _ADVICE.get(kind, "Correct it."))


_EXPECTED = {
    "string_type": "a text",
    "string_too_short": "a text",
    "string_too_long": "a single character",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping {name: value}",
    "model_type": "a mapping {key: value}",
    "model_attributes_type": "a mapping {key: value}",
    "tuple_type": "a list [a, b]",
    "too_short": "at least one of them",
}
_ADVICE = {
    "string_type": "Write a single text; remove brackets, or the key if there is nothing to say.",
    "string_too_short": "Fill it in, or remove the key.",
    "dict_type": "Write `{name: value}`, or one `name: value` a line, indented.",
    "model_type": "Write `{key: value}`, or one `key: value` a line, indented.",
    "tuple_type": "Write `- ` before each, one a line, or brackets around them.",
    "too_short": "Fill it in, or remove the key.",
}


def _keys_at(place: Location) -> list[str]:
    """Return the keys that are known where an unknown one stands."""
    model: type[BaseModel] = Entry
    if place[0] == "drop" and "listed" in place[:-1]:
        model = Listing
    elif place[0] in _ITEMS and len(place) > 2:
        model = _ITEMS[place[0]]
    elif place[0] in _NESTED and len(place) > 1:
        model = _NESTED[place[0]]
    return [spec.alias or name for name, spec in model.model_fields.items()]


def shown(value: Any) -> str:
    """Return what was found in an entry, short enough for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        texts = [f"{{{key}: {text}}}" for key, text in value.items() if isinstance(text, str)]
        return texts[0] if len(value) == len(texts) == 1 else "a mapping"
    text = str(value)
    return f"'{text if len(text) <= 60 else text[:57] + '…'}'"
