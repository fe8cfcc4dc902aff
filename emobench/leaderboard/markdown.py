"""Leaderboards as Markdown: a file of their own, and the part that a README embeds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from ..errors import SpecError
from . import tables
from .board import Leaderboard, Row
from .grid import Grid, Item
from .markdown_table import aligned
from .phrases import APART, BEST, HEADINGS, SYNTHETIC, WHY_APART, parts, shown_notices

_WIDEST = 12
"""Columns of a table beside the first."""

_REGENERATE = (
    "Every figure is computed from the predictions stored in this folder. Regenerate: "
    "`emobench leaderboard --format markdown`, or `make leaderboard` in the repository."
)


def to_markdown(boards: Sequence[Leaderboard], metrics: Sequence[str]) -> str:
    """Render leaderboards as a Markdown document.

    Synthetic corpora appear only where there is nothing else, under a heading that says so.
    """
    made_up = any(board.synthetic or board.synthetic_across for board in boards)
    real = any(board.real for board in boards) or not made_up

    def drawn(some: Sequence[Leaderboard], level: str) -> list[str]:
        lines = []
        for board in some:
            rows, notices = board.rows if real else board.synthetic, _notices(board, real)
            across = board.across if real else board.synthetic_across
            if rows or across or notices:
                section = _section(board, rows, metrics, level=level, across=across)
                lines += [*section, *notices]
        return lines

    body = _in_parts(boards, drawn, "##") or [tables.NOTHING]
    warning = [] if real else [f"**{SYNTHETIC}**"]
    return "\n\n".join(["# Leaderboard", *warning, *body, _REGENERATE]) + "\n"


def fragment(boards: Sequence[Leaderboard], metrics: Sequence[str]) -> str:
    """Return the tables of real corpora and of sound as it is alone, as a README shows them."""

    def drawn(some: Sequence[Leaderboard], level: str) -> list[str]:
        lines = []
        for board in some:
            if any(row.cells for row in board.rows):
                lines += _section(board, board.rows, metrics, level=level, conditions=False)
        return lines

    return "\n\n".join(_in_parts(boards, drawn, "###") or ["No complete results yet."])


def embed(text: str, table: str, name: str = "leaderboard") -> str:
    """Replace what stands between the markers of a document.

    Args:
        text: the document, with one `<!-- leaderboard:start -->` and, behind it, one
            `<!-- leaderboard:end -->`
        table: what to put there
        name: of the markers

    Returns:
        the document with the table

    Raises:
        SpecError: if the markers are not there
    """
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    if text.count(start) != 1 or text.count(end) != 1 or text.index(start) > text.index(end):
        raise SpecError(
            f"--readme: expected one line '{start}' and a later one '{end}', found "
            f"{text.count(start)} and {text.count(end)}. Add them where the table is to stand."
        )
    before, rest = text.split(start)
    _, after = rest.split(end)
    return f"{before}{start}\n\n{table.strip()}\n\n{end}{after}"


def _in_parts(
    boards: Sequence[Leaderboard],
    drawn: Callable[[Sequence[Leaderboard], str], list[str]],
    level: str,
) -> list[str]:
    """Return the main part, then under a heading what is not comparable, a level deeper."""
    main, apart = parts(boards)
    below = drawn(apart, f"{level}#")
    heading = [f"{level} {APART}", WHY_APART] if below else []
    return [*drawn(main, level), *heading, *below]


def _section(
    board: Leaderboard,
    rows: Sequence[Row],
    metrics: Sequence[str],
    *,
    level: str,
    conditions: bool = True,
    across: Sequence[Row] = (),
) -> list[str]:
    lines = [f"{level} Protocol `{board.protocol}`"]
    if board.title:
        lines.append(f"{board.title[:1].upper()}{board.title[1:]}.")
    if board.leaks:
        lines.append(f"**Not comparable:** {'; '.join(board.leaks)}.")
    if board.caution:
        lines.append(f"**Caution:** {board.caution}.")
    if not rows and not across:
        return [*lines, tables.empty(board)]
    for group in tables.groups(board, rows, metrics, conditions=conditions, across=across):
        lines += [f"{level}# {group.title}"] if group.title else []
        for table in group.tables:
            lines += [table.caption, *map(_lines, _cut(table)), *_below(table)]
    return lines


def _cut(table: Grid) -> list[Grid]:
    """Cut a wide table into tables of about the same width, the corpora repeated in each."""
    columns = len(table.header)
    n_parts = max(1, -(-columns // _WIDEST))
    ends = [round(columns * part / n_parts) for part in range(n_parts + 1)]
    return [table.part(start, end) for start, end in itertools.pairwise(ends)]


def _below(table: Grid) -> list[str]:
    """Return what stands below a table, if anything does."""
    ranked = [f"**Bold**: {BEST}."] if table.ranked else []
    lines = [*ranked, *map(_sentence, table.notes)]
    return ["\\\n".join(lines)] if lines else []


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def _lines(table: Grid) -> str:
    header = [table.corner, *("<br>".join(lines) for lines in table.header)]
    body = [[title, *map(_cell, items)] for title, items in table.rows]
    return aligned(header, body)


def _cell(item: Item) -> str:
    own = f"**{item.own}**" if item.best else item.own
    mark = f" {item.mark}" if item.mark else ""
    interval = f" {item.interval}" if item.interval else ""
    beside = f" ({item.published})" if item.published else ""
    return (own + mark + interval + beside).replace("|", "\\|")


def _notices(board: Leaderboard, real: bool) -> list[str]:
    parts = []
    for kind, title in HEADINGS.items():
        lines = [notice.text for notice in shown_notices(board, kind, real=real)]
        if lines:
            parts += [f"{title}:", "\n".join(f"- {line}" for line in lines)]
    return parts
