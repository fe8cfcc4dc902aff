"""Leaderboards for a terminal, or for any place with letters of one width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import tables
from .board import Leaderboard, Row
from .phrases import HEADINGS, SYNTHETIC, heading, shown_notices
from .tables import Grid, Item

_GAP = "   "
_PROSE = 100
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True)
class _Style:
    """What a terminal can show.

    Attributes:
        colour: whether letters can be bold or dim
        width: columns, or None for no limit
    """

    colour: bool
    width: int | None

    def prose(self, text: str, indent: str = "") -> list[str]:
        width = max(40, min(self.width or _PROSE, _PROSE))
        return textwrap.wrap(
            text,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def bold(self, text: str) -> str:
        return f"{_BOLD}{text}{_PLAIN}" if self.colour and text.strip() else text

    def dim(self, text: str) -> str:
        return f"{_DIM}{text}{_PLAIN}" if self.colour and text.strip() else text


def to_text(
    boards: Sequence[Leaderboard],
    metrics: Sequence[str],
    *,
    colour: bool = False,
    width: int | None = None,
) -> str:
    """Render leaderboards as plain text.

    Args:
        boards: one for each protocol
        metrics: a table for each
        colour: use the terminal's bold and dim letters
        width: columns of the terminal; wider tables are cut into several. None for no limit

    Returns:
        lines, ending in a line break
    """
    style = _Style(colour, width)
    if not boards:
        return tables.NOTHING + "\n"
    return "\n\n".join("\n".join(_board(board, metrics, style)) for board in boards) + "\n"


def _board(board: Leaderboard, metrics: Sequence[str], style: _Style) -> Iterator[str]:
    yield style.bold(f"Protocol {board.protocol}")
    yield from style.prose(f"{board.title[:1].upper()}{board.title[1:]}." if board.title else "")
    yield from style.prose(f"Caution: {board.caution}." if board.caution else "")
    if board.rows:
        yield from _section(board, board.rows, metrics, style)
    if board.synthetic:
        yield ""
        yield style.bold(SYNTHETIC)
        yield from _section(board, board.synthetic, metrics, style)
    if not board.rows and not board.synthetic:
        yield ""
        yield from style.prose(tables.empty(board))
    for kind, title in HEADINGS.items():
        lines = [notice.text for notice in shown_notices(board, kind, real=False)]
        if lines:
            yield ""
            yield f"{title.replace('`', '')}:"
            for line in lines:
                yield from style.prose(f"  {line}", "    ")


def _section(
    board: Leaderboard, rows: Sequence[Row], metrics: Sequence[str], style: _Style
) -> Iterator[str]:
    for group in tables.groups(board, rows, metrics):
        if group.title:
            yield ""
            yield style.bold(group.title)
        for table in group.tables:
            yield from _table(table, style)


def _table(table: Grid, style: _Style) -> Iterator[str]:
    yield ""
    yield from style.prose(table.caption)
    for part in _cut(table, style.width):
        yield ""
        yield from _lines(part, style)
    yield ""
    legend = ["* best complete result of the row"] if table.ranked else []
    legend += ["– no result"] if _has_gaps(table) else []
    if legend:
        yield "; ".join(legend)
    for note in table.notes:
        yield from style.prose(note, "  ")


def _has_gaps(table: Grid) -> bool:
    return any(item.own == tables.ABSENT for _, items in table.rows for item in items)


def _lines(table: Grid, style: _Style) -> Iterator[str]:
    """Yield a table: two lines a row where something published stands below our figure."""
    names = [heading(name) for name in table.header]
    widths = _widths(table)
    first = _first_width(table)
    height = max(map(len, names))
    for line in range(height):
        cells = []
        for name, size in zip(names, widths, strict=True):
            lines = ("",) * (height - len(name)) + name
            cells.append(f" {lines[line]}".ljust(size))
        corner = table.corner if line == height - 1 else ""
        yield (corner.ljust(first) + _GAP + _GAP.join(cells)).rstrip()
    yield "─" * (first + sum(len(_GAP) + size for size in widths))
    for title, items in table.rows:
        own = [_own(item).ljust(size) for item, size in zip(items, widths, strict=True)]
        own = [
            style.bold(text) if item.best else text for item, text in zip(items, own, strict=True)
        ]
        yield (title.ljust(first) + _GAP + _GAP.join(own)).rstrip()
        below = [_below(item).ljust(size) for item, size in zip(items, widths, strict=True)]
        if any(text.strip() for text in below):
            yield style.dim((" " * first + _GAP + _GAP.join(below)).rstrip())


def _cut(table: Grid, width: int | None) -> Iterator[Grid]:
    """Cut a table into tables that fit, the corpora repeated in each."""
    first, widths = _first_width(table), _widths(table)
    start, used = 0, first
    for end, size in enumerate(widths):
        used += len(_GAP) + size
        if width is not None and used > width and end > start:
            yield table.part(start, end)
            start, used = end, first + len(_GAP) + size
    yield table.part(start, len(widths))


def _first_width(table: Grid) -> int:
    return max([len(table.corner), *(len(title) for title, _ in table.rows)])


def _widths(table: Grid) -> list[int]:
    return [
        max(
            *(len(part) + 1 for part in heading(name)),
            *(len(_own(items[column])) for _, items in table.rows),
            *(len(_below(items[column])) for _, items in table.rows),
        )
        for column, name in enumerate(table.header)
    ]


def _own(item: Item) -> str:
    mark = f" {item.mark}" if item.mark else ""
    return ("*" if item.best else " ") + item.own + mark


def _below(item: Item) -> str:
    return f"({item.published})" if item.published else ""
