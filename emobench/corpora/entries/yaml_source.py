"""Registry files as plain text values that remember on which line they stand.

Plain YAML would read `01` and `08` as a number and a string and `no` as false, and would let the
second of two equal keys win. Here every scalar is text, and a duplicate key is an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ...errors import SpecError

Location = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 20
_MOST_NODES = 100_000
_LONGEST = 10_000_000
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True)
class Entry:
    """One entry of a registry file, as it is written.

    Attributes:
        file: the file, as it was named
        name: key of the entry
        line: line of that key, from 1
        values: what stands below it: texts, lists and mappings
        lines: line of everything below, by its keys and positions
    """

    file: Path
    name: str
    line: int
    values: Any
    lines: Mapping[Location, int] = field(default_factory=dict, repr=False)

    def at(self, *location: str | int) -> str:
        """Return where something stands, such as `datasets.yaml, line 7: emo-db.pattern`."""
        known = location
        while known and known not in self.lines:
            known = known[:-1]
        line = self.lines.get(known, self.line)
        dotted = ".".join(str(part) for part in (self.name, *location))
        return f"{self.file}, line {line}: {dotted}"

    def overlaid(self, variant: str) -> Entry:
        """Return this entry with the keys of one of its variants in place of its own.

        A key of the variant replaces the whole value; an empty one removes it.
        """
        changes = self.values["variants"][variant] or {}
        merged = {**self.values, **changes}
        values = {key: value for key, value in merged.items() if value is not None}
        values.pop("variants")
        lines = {place: line for place, line in self.lines.items() if place[0] not in changes}
        stem = ("variants", variant)
        for place, line in self.lines.items():
            if place[:2] == stem and len(place) > len(stem):
                lines[place[2:]] = line
        line = self.lines[stem]
        return Entry(self.file, f"{self.name}:{variant}", line, values, lines)


def read(file: Path) -> list[Entry]:
    """Read a registry file.

    Args:
        file: YAML file whose top level maps names to entries

    Returns:
        its entries in order

    Raises:
        SpecError: if the file cannot be read, is not YAML, or holds a key twice
    """
    try:
        return parse(file.read_text(encoding="utf-8"), file)
    except OSError as error:
        raise SpecError(
            f"{file}: expected a registry file, found: {error.strerror}. Check --datasets."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SpecError(
            f"{file}, line {line}: expected UTF-8 text, found other bytes. Save the file as UTF-8."
        ) from error


def parse(text: str, file: Path) -> list[Entry]:
    """Read the text of a registry file.

    Args:
        text: YAML whose top level maps names to entries
        file: that it is, or will be, in

    Raises:
        SpecError: if it is not YAML, or holds a key twice
    """
    # File names are compared in composed Unicode, so what is compared with them is too.
    text = unicodedata.normalize("NFC", text)
    if len(text) > _LONGEST:
        raise SpecError(
            f"{file}: expected at most {_LONGEST:,} characters, found {len(text):,}. This is no "
            "registry file, or should be several."
        )
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise SpecError(_syntax_message(file, text, error)) from error
    except (RecursionError, ValueError) as error:
        what = "brackets nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SpecError(
            f"{file}: expected YAML, found: {what}. Check its brackets and quotes."
        ) from error
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise SpecError(
            f"{file}, line {_line(root)}: expected `name:` and the keys of a corpus below it, "
            f"found {_kind(root)}. `emobench corpora add` proposes an entry."
        )
    return [_entry(file, key, value) for key, value in _items(file, root, ())]


def _entry(file: Path, key: yaml.Node, value: yaml.Node) -> Entry:
    lines: dict[Location, int] = {}
    values = _plain(file, value, (), lines, top=key.value, left=[_MOST_NODES])
    return Entry(file, key.value, _line(key), values, lines)


def _plain(
    file: Path,
    node: yaml.Node,
    place: Location,
    lines: dict[Location, int],
    top: str,
    left: list[int],
) -> Any:
    """Return a node as texts, lists and dicts, and note the line of everything in it.

    Args:
        file: that it stands in
        node: any
        place: keys and positions that lead to it
        lines: filled
        top: name of the entry
        left: how many nodes may follow, counted down: aliases (*) multiply what is written once
    """
    left[0] -= 1
    if left[0] < 0:
        raise SpecError(
            f"{file}, line {_line(node)}: {top}: expected at most {_MOST_NODES:,} values in an "
            "entry, found more. Aliases (*) may repeat each other."
        )
    if len(place) > _DEEPEST:
        raise SpecError(
            f"{file}, line {_line(node)}: {top}: expected at most {_DEEPEST} levels, found more. "
            "An anchor (&) may contain itself."
        )
    if isinstance(node, yaml.MappingNode):
        values = {}
        for key, value in _items(file, node, (top, *place)):
            inside = (*place, key.value)
            lines[inside] = _line(key)
            values[key.value] = _plain(file, value, inside, lines, top, left)
        return values
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            lines[(*place, position)] = _line(item)
        return [
            _plain(file, item, (*place, position), lines, top, left)
            for position, item in enumerate(node.value)
        ]
    return None if node.tag == _NULL else node.value


def _items(
    file: Path, node: yaml.MappingNode, place: Location
) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Yield keys and values of a mapping.

    Raises:
        SpecError: if a key is not plain text, or stands there twice
    """
    seen: dict[str, int] = {}
    dotted = ".".join(map(str, place))
    where = f"{dotted}: " if dotted else ""
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise SpecError(
                f"{file}, line {_line(key)}: {where}expected a word as key, found {_kind(key)}. "
                "Write `key: value`."
            )
        if key.value in seen:
            raise SpecError(
                f"{file}, line {_line(key)}: {where}expected each key once, found '{key.value}' "
                f"again (first on line {seen[key.value]}). Remove or rename one of them."
            )
        seen[key.value] = _line(key)
        yield key, value


def _syntax_message(file: Path, text: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = (getattr(error, "problem", None) or str(error)).removeprefix("found ")
    where = str(file)
    if mark is not None:
        where = f"{file}, line {mark.line + 1}{_enclosing(text.splitlines()[: mark.line + 1])}"
    if isinstance(error, yaml.reader.ReaderError):
        line = text.encode()[: error.position].count(b"\n") + 1
        where, problem = f"{file}, line {line}", f"a control character ({error.character:#04x})"
    advice = "Check indentation and brackets."
    if "mapping values are not allowed" in problem:
        advice = "Put a text that holds ': ' into quotes, or write {key: value}."
    elif "cannot start any token" in problem:
        advice = "Put the text into quotes; indent with blanks, not tabs."
    elif "control character" in problem:
        advice = "Remove it."
    elif "another document" in problem:
        problem, advice = "another document (---)", "Leave out the line, or make two files of it."
    elif "escape" in problem:
        advice = "Write regular expressions without quotes or in single quotes."
    return f"{where}: expected YAML, found: {problem}. {advice}"


def _enclosing(lines: list[str]) -> str:
    """Return the entry and the key in which a file that is no YAML breaks off, as they look."""
    for line in reversed(lines):
        if match := re.match(r"([^\s#:{}\[\]]+):", line):
            key = re.match(r"\s+([\w-]+):", lines[-1])
            return f": {match[1]}.{key[1]}" if key else f": {match[1]}"
    return ""


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f"'{node.value}'"
    return "a mapping" if isinstance(node, yaml.MappingNode) else "a list"
