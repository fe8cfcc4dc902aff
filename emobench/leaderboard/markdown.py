"""Leaderboards as Markdown: a file of their own, and the part that a README embeds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ..errors import SpecError
from . import tables
from .board import Leaderboard, Row
from .phrases import HEADINGS, SYNTHETIC, heading, shown_notices
from .tables import Grid, Item

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
    real = any(board.rows for board in boards)
    synthetic = any(board.synthetic for board in boards)
    parts = ["# Leaderboard"]
    if not real and synthetic:
        parts.append(f"**{SYNTHETIC}**")
    for board in boards:
        rows = board.rows if real or not synthetic else board.synthetic
        if rows or _notices(board, real or not synthetic):
            parts += _section(board, rows, metrics)
            parts += _notices(board, real or not synthetic)
    if len(parts) == 1:
        parts.append(tables.NOTHING)
    return "\n\n".join([*parts, _REGENERATE]) + "\n"


def fragment(boards: Sequence[Leaderboard], metrics: Sequence[str]) -> str:
    """Return the tables of real corpora and of sound as it is alone, as a README shows them."""
    parts = []
    for board in boards:
        if any(row.cells for row in board.rows):
            parts += _section(board, board.rows, metrics, level="###", conditions=False)
    return "\n\n".join(parts or ["No complete results yet."])


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


def _section(
    board: Leaderboard,
    rows: Sequence[Row],
    metrics: Sequence[str],
    *,
    level: str = "##",
    conditions: bool = True,
) -> list[str]:
    parts = [f"{level} Protocol `{board.protocol}`"]
    if board.title:
        parts.append(f"{board.title[:1].upper()}{board.title[1:]}.")
    if board.caution:
        parts.append(f"**Caution:** {board.caution}.")
    if not rows:
        return [*parts, tables.empty(board)]
    for group in tables.groups(board, rows, metrics, conditions=conditions):
        parts += [f"{level}# {group.title}"] if group.title else []
        for table in group.tables:
            parts += [table.caption, *map(_lines, _cut(table)), *_below(table)]
    return parts


def _cut(table: Grid) -> list[Grid]:
    """Cut a wide table into tables of about the same width, the corpora repeated in each."""
    columns = len(table.header)
    n_parts = max(1, -(-columns // _WIDEST))
    ends = [round(columns * part / n_parts) for part in range(n_parts + 1)]
    return [table.part(start, end) for start, end in itertools.pairwise(ends)]


def _below(table: Grid) -> list[str]:
    """Return what stands below a table, if anything does."""
    ranked = ["**Bold**: best complete result of the row."] if table.ranked else []
    lines = [*ranked, *map(_sentence, table.notes)]
    return ["\\\n".join(lines)] if lines else []


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def _lines(table: Grid) -> str:
    """Return a table whose source is aligned, too."""
    header = [table.corner, *(_heading(name) for name in table.header)]
    body = [[title, *map(_cell, items)] for title, items in table.rows]
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    rule = [":" + "-" * (width - 1) for width in widths[:1]]
    rule += [":" + "-" * (width - 2) + ":" for width in widths[1:]]
    lines = [header, rule, *body]
    return "\n".join(
        "| "
        + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def _heading(name: str) -> str:
    return "<br>".join(heading(name))


def _cell(item: Item) -> str:
    own = f"**{item.own}**" if item.best else item.own
    mark = f" {item.mark}" if item.mark else ""
    beside = f" ({item.published})" if item.published else ""
    return (own + mark + beside).replace("|", "\\|")


def _notices(board: Leaderboard, real: bool) -> list[str]:
    parts = []
    for kind, title in HEADINGS.items():
        lines = [notice.text for notice in shown_notices(board, kind, real=real)]
        if lines:
            parts += [f"{title}:", "\n".join(f"- {line}" for line in lines)]
    return parts
