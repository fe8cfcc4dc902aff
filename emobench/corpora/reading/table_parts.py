"""What a table is, however it is written."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Line = tuple[int, Sequence[str]]
"""Number of a line, from 1, and its cells."""

MOST_BYTES = 300_000_000
MOST_CELLS = 5_000_000


class Unreadable(Exception):
    """Content that is no table.

    Attributes:
        expected: instead, such as "a workbook"
        found: what is there
        advice: what to do
    """

    def __init__(self, found: object, advice: str, expected: str = "a table") -> None:
        super().__init__(f"expected {expected}, found {found}. {advice}")
        self.expected, self.found, self.advice = expected, str(found), advice


@dataclass(frozen=True)
class Form:
    """How a table is written, as far as the name of its file does not say.

    Attributes:
        separator: between columns; None for a comma in `.csv` and else a tab
        encoding: of text
        skip: lines before the header
        sheet: sheets of a workbook; none for all of them
        header: names of the columns; none where the first line tells them
    """

    separator: str | None = None
    encoding: str = "utf-8"
    skip: int = 0
    sheet: tuple[str, ...] = ()
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A table that a file holds: all of it, or a sheet of a workbook.

    Attributes:
        header: names of the columns; one without a name is called `Unnamed: ` and its position
        lines: the lines below, with their numbers
        where: what the numbers count: "line", "row of sheet 'female'" or "record"
        sheet: name of the sheet
    """

    header: Sequence[str]
    lines: Sequence[Line]
    where: str = "line"
    sheet: str | None = None


def decoded(content: bytes, form: Form) -> str:
    """Return text in composed Unicode.

    Raises:
        Unreadable: if it is not in the encoding of its form
    """
    encoding = "utf-8-sig" if form.encoding.lower() in ("utf-8", "utf8") else form.encoding
    try:
        return unicodedata.normalize("NFC", content.decode(encoding))
    except (UnicodeDecodeError, LookupError) as error:
        advice = "Correct `encoding:`, for instance to latin-1 or cp1252."
        raise Unreadable(error, advice, f"a table in {form.encoding}") from error


def named(header: Sequence[str]) -> list[str]:
    """Return names of columns, with one for each that has none, as pandas calls it."""
    return [name or f"Unnamed: {place}" for place, name in enumerate(header)]


def headed(
    lines: Sequence[Line], form: Form, where: str = "line"
) -> tuple[list[str], Sequence[Line]]:
    """Return the names of columns, and the lines below them.

    Args:
        lines: that hold anything
        form: which may name the columns
        where: what the lines are, for messages

    Raises:
        Unreadable: if a form names more or fewer columns than there are
    """
    if not form.header:
        return named([cell.strip() for cell in lines[0][1]] if lines else []), lines[1:]
    header, expected = [name.strip() for name in form.header], len(form.header)
    widths = [(_filled(cells), number) for number, cells in lines]
    most, number = max(widths, key=lambda width: width[0], default=(expected, 0))
    present = max((len(cells) for _, cells in lines), default=expected)
    if most > expected or present < expected:
        raise Unreadable(
            f"{max(most, min(present, expected - 1))} in {where} {number}",
            "Correct `header:`, `separator:` or `sheet:`.",
            f"as many columns as `header:` has names ({expected})",
        )
    return header, [(at, [*cells, *[""] * expected][:expected]) for at, cells in lines]


def _filled(cells: Sequence[str]) -> int:
    """Return the number of cells up to the last that is not blank."""
    return max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)


def shown(value: Any) -> str:
    """Return what a cell shows: a whole number without a decimal point, an empty one as ""."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFC", " ".join(str(value).split()))
