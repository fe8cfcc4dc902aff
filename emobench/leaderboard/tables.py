"""The tables of a leaderboard, the same for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .. import metric_table, models, papers
from ..metric_table import HEADLINE, UAR, Metric
from ..papers import Paper
from ..results.columns import BASELINE, Column
from .board import Leaderboard, Row
from .further_tables import between, under_conditions
from .grid import ABSENT, Grid, Group, Item, footnotes, interval_of, item_of

NOTHING = (
    "No results yet. `emobench run --model all --corpus all --data DIR` makes some; "
    "`emobench run --model svm-is09 --corpus demo --protocol smoke` needs no corpus."
)


def groups(
    board: Leaderboard,
    rows: Sequence[Row],
    metrics: Sequence[str],
    *,
    conditions: bool = True,
    across: Sequence[Row] = (),
) -> list[Group]:
    """Return the tables of some rows.

    Args:
        board: whose rows they are
        rows: corpora
        metrics: names, a table for each in this order
        conditions: add results under conditions of the sound
        across: rows between corpora

    Returns:
        a group for each paper with results, the one whose protocol this is first, then one of
        results under conditions and one of results between corpora, where there are any
    """
    named = [board.headline if name == HEADLINE else metric_table.get(name) for name in metrics]
    wanted = list(dict.fromkeys(named))
    shown = _papers(board, rows)
    found = [
        Group(
            paper.title if len(shown) > 1 else "",
            tuple(_table(board, _rows_of(board, paper, rows), paper, metric) for metric in wanted),
        )
        for paper in shown
    ]
    if conditions:
        tables = under_conditions(rows, wanted[0])
        found += [Group("Under conditions", tables)] if tables else []
    tables = (between(board, across),) if any(row.cells for row in across) else ()
    return [*found, Group("Across corpora", tables)] if tables else found


def empty(board: Leaderboard) -> str:
    """Return what to say where a protocol has nothing to show."""
    text = f"No complete results with today's configuration for the protocol {board.protocol}."
    if any(notice.kind == "incomplete" for notice in board.notices):
        text += " Incomplete ones are shown with --partial."
    if board.elsewhere:
        text += f" There are results for: {', '.join(board.elsewhere)}."
    return text


def _papers(board: Leaderboard, rows: Sequence[Row]) -> list[Paper]:
    """Return the papers to draw tables for; the baseline alone is shown in the home paper's."""
    found = {column for row in rows for column in row.cells}
    drawn = {column.paper for column in found if column != BASELINE}
    if BASELINE in found and not (drawn and board.paper != papers.FIRST):
        drawn.add(board.paper)
    return sorted(drawn, key=lambda paper: (paper != board.paper, papers.position(paper)))


def _rows_of(board: Leaderboard, paper: Paper, rows: Sequence[Row]) -> list[Row]:
    """Return the rows with a result of the paper, or of the baseline in the home paper's table."""
    return [
        row
        for row in rows
        if any(column.paper == paper and column != BASELINE for column in row.cells)
        or (paper == board.paper and BASELINE in row.cells)
    ]


def _table(board: Leaderboard, rows: Sequence[Row], paper: Paper, metric: Metric) -> Grid:
    columns = _columns(rows, paper, metric)
    chance = metric.chance
    human = metric is UAR and paper == papers.FIRST and any(row.human is not None for row in rows)
    beside = [*(["chance"] if chance else []), *(["human"] if human else [])]
    notes: dict[str, str] = {}
    lines = []
    for row in rows:
        best = row.standing(metric, columns).best
        items = [_item(row, column, paper, metric, column in best, notes) for column in columns]
        items += [Item(f"{row.chance:.1f}")] if chance else []
        items += [Item(ABSENT if row.human is None else f"{row.human:g}")] if human else []
        lines.append((row.title, tuple(items)))
    shown = [row.cells[column] for row in rows for column in columns if column in row.cells]
    return Grid(
        caption=_caption(board, rows, columns, paper, metric),
        header=(*(column.heading() for column in columns), *((word,) for word in beside)),
        rows=tuple(lines),
        notes=(*footnotes(shown, notes), *(_HUMAN if human else ())),
        ranked=board.ranked,
    )


def _columns(rows: Sequence[Row], paper: Paper, metric: Metric) -> list[Column]:
    """Return what has results, what the paper reports, and the baseline where it was run."""
    found = {column for row in rows for column in row.cells}
    own = {column for column in found if column.paper == paper}
    reported = {
        Column(name)
        for row in rows
        for name, printed in row.published.get(metric.name, {}).items()
        if name in models.of_paper(paper.name) and printed.protocol == paper.name
    }
    columns = sorted(own | reported, key=lambda column: column.position)
    return [*columns, BASELINE] if BASELINE in found - set(columns) else columns


def _item(
    row: Row, column: Column, paper: Paper, metric: Metric, best: bool, notes: dict[str, str]
) -> Item:
    printed = row.printed(column, metric) if column.paper == paper else None
    beside = f"{printed.value:.1f}" if printed else ""
    cell = row.cells.get(column)
    held = interval_of(cell) if cell and metric is UAR else ""
    return replace(item_of(cell, metric, notes), interval=held, published=beside, best=best)


def _caption(
    board: Leaderboard, rows: Sequence[Row], columns: Sequence[Column], paper: Paper, metric: Metric
) -> str:
    deviation = ", mean ± standard deviation" if metric.deviation else "; mean"
    interval = " [95 % interval over speakers]" if metric is UAR else ""
    text = f"{metric.title}{deviation} over repetitions{interval}"
    printed = [
        row.printed(column, metric) for row in rows for column in columns if column.paper == paper
    ]
    sources = sorted({one.protocol for one in printed if one})
    if not sources:
        return text + "."
    if sources == [board.protocol]:
        return text + "; in round brackets the published value."
    return (
        f"{text}; in round brackets the published value, which was obtained with another protocol "
        f"({', '.join(sources)})."
    )


_HUMAN = (
    "human: recognition rates as printed in the paper's table, mostly shares of right answers "
    "from the corpora's own papers, not UAR",
)
