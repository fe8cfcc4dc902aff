"""Leaderboards for a terminal, or for any place with letters of one width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import tables
from .board import Leaderboard, Row
from .grid import ABSENT, Grid, Item
from .phrases import APART, BEST, HEADINGS, SYNTHETIC, WHY_APART, parts, shown_notices

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
    main, apart = parts(boards)
    heading = [style.bold(APART), *style.prose(WHY_APART)]
    drawn = [
        *("\n".join(_board(board, metrics, style)) for board in main),
        *(["\n".join(heading)] if apart else []),
        *("\n".join(_board(board, metrics, style)) for board in apart),
    ]
    return "\n\n".join(drawn) + "\n"


def _board(board: Leaderboard, metrics: Sequence[str], style: _Style) -> Iterator[str]:
    yield style.bold(f"Protocol {board.protocol}")
    yield from style.prose(f"{board.title[:1].upper()}{board.title[1:]}." if board.title else "")
    yield from style.prose(f"Not comparable: {'; '.join(board.leaks)}." if board.leaks else "")
    yield from style.prose(f"Caution: {board.caution}." if board.caution else "")
    made_up = bool(board.synthetic or board.synthetic_across)
    if board.real:
        yield from _section(board, board.rows, board.across, metrics, style)
    if made_up:
        yield ""
        yield style.bold(SYNTHETIC)
        yield from _section(board, board.synthetic, board.synthetic_across, metrics, style)
    if not board.real and not made_up:
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
    board: Leaderboard,
    rows: Sequence[Row],
    across: Sequence[Row],
    metrics: Sequence[str],
    style: _Style,
) -> Iterator[str]:
    for group in tables.groups(board, rows, metrics, across=across):
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
    yield from style.prose(f"* {BEST}" if table.ranked else "", "  ")
    yield from style.prose("– no result" if _has_gaps(table) else "")
    for note in table.notes:
        yield from style.prose(note, "  ")


def _has_gaps(table: Grid) -> bool:
    return any(item.own == ABSENT for _, items in table.rows for item in items)


def _lines(table: Grid, style: _Style) -> Iterator[str]:
    """Yield a table: below our figures stand their intervals, then what was published."""
    widths = _widths(table)
    first = _first_width(table)
    height = max(map(len, table.header))
    for line in range(height):
        cells = []
        for heading, size in zip(table.header, widths, strict=True):
            lines = ("",) * (height - len(heading)) + heading
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
        for texts in zip(*map(_below, items), strict=True):
            below = [text.ljust(size) for text, size in zip(texts, widths, strict=True)]
            if any(texts):
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
            *(len(part) + 1 for part in heading),
            *(len(_own(items[column])) for _, items in table.rows),
            *(len(text) for _, items in table.rows for text in _below(items[column])),
        )
        for column, heading in enumerate(table.header)
    ]


def _own(item: Item) -> str:
    mark = f" {item.mark}" if item.mark else ""
    return ("*" if item.best else " ") + item.own + mark


def _below(item: Item) -> tuple[str, str]:
    return item.interval, f"({item.published})" if item.published else ""
