"""A leaderboard's figures as words, the same for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .. import metric_table, models, papers
from ..analysis.intervals import of_result
from ..metric_table import HEADLINE, UAR, Metric
from ..metrics import percent
from ..papers import Paper
from ..results.columns import BASELINE, Column
from ..results.result import Result
from .assembly import condition_position
from .board import Leaderboard, Row

ABSENT = "–"
INCOMPLETE = "†"

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIDES = {
    "test": "models were trained on sound as it is and tested on what went through the condition "
    "of the column",
    "training": "models were trained on what went through the condition of the column and tested "
    "on sound as it is",
    "both": "models were trained and tested on what went through the condition of the column",
}
_AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Item:
    """What stands in one cell.

    Attributes:
        own: our figure, or a dash
        mark: what points to a footnote, or ""
        interval: over speakers, in brackets, or ""
        published: the published figure beside it, or ""
        best: whether it is the best comparable figure of its row, or not told from it
    """

    own: str
    mark: str = ""
    interval: str = ""
    published: str = ""
    best: bool = False


@dataclass(frozen=True)
class Grid:
    """One table.

    Attributes:
        caption: what the figures are
        header: lines of the heading of each column but the first
        rows: title and items of each row
        notes: footnotes
        corner: header of the first column
        ranked: whether the best of a row is marked
    """

    caption: str
    header: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, tuple[Item, ...]], ...]
    notes: tuple[str, ...]
    corner: str = "corpus"
    ranked: bool = True

    def part(self, start: int, end: int) -> Grid:
        """Return a table of some of the columns."""
        rows = tuple((title, items[start:end]) for title, items in self.rows)
        return replace(self, header=self.header[start:end], rows=rows)


@dataclass(frozen=True)
class Group:
    """Tables under one heading.

    Attributes:
        title: heading, or "" where there is nothing to tell apart
        tables: of one score each, or of one side of a condition
    """

    title: str
    tables: tuple[Grid, ...]


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
        sides = sorted({cell.sides for row in rows for cell in row.conditions}, key=_side_position)
        tables = tuple(_under_conditions(rows, side, wanted[0]) for side in sides)
        found += [Group("Under conditions", tables)] if tables else []
    tables = (_between(board, across),) if any(row.cells for row in across) else ()
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
        notes=(*_footnotes(shown, notes), *(_HUMAN if human else ())),
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
    held = _interval(cell) if cell and metric is UAR else ""
    return replace(_own(cell, metric, notes), interval=held, published=beside, best=best)


def _own(cell: Result | None, metric: Metric, notes: dict[str, str]) -> Item:
    """Return our figure with its marks; notes are numbered as they come up."""
    if cell is None:
        return Item(ABSENT)
    marks = [] if cell.complete else [f"{INCOMPLETE}{cell.done}/{cell.wanted}"]
    for note in cell.notes:
        marks.append(notes.setdefault(note, str(len(notes) + 1).translate(_SUPERSCRIPTS)))
    return Item(_figure(cell, metric), " ".join(marks))


def _figure(cell: Result, metric: Metric) -> str:
    text = f"{percent(cell.scores[metric.key]):.1f}"
    deviation = cell.scores.get(metric.deviation)
    if deviation is None or not cell.complete:
        return text
    return f"{text} ± {percent(deviation):.1f}"


def _interval(cell: Result) -> str:
    """Return the 95 % interval of UAR over speakers, or "" for too few of them."""
    held = of_result(cell)
    return f"[{percent(held.low):.1f}, {percent(held.high):.1f}]" if held else ""


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


def _under_conditions(rows: Sequence[Row], sides: str, metric: Metric) -> Grid:
    """Return the table of what was run under conditions on some clips, beside sound as it is."""
    found = {cell.condition for row in rows for cell in row.conditions if cell.sides == sides}
    conditions = sorted(found, key=condition_position)
    notes: dict[str, str] = {}
    lines, shown = [], []
    for row in rows:
        columns = dict.fromkeys(cell.column for cell in row.conditions if cell.sides == sides)
        for column in columns:
            heard = {
                cell.condition: cell
                for cell in row.conditions
                if (cell.column, cell.sides) == (column, sides)
            }
            cells = [row.cells.get(column), *map(heard.get, conditions)]
            shown += [cell for cell in cells if cell]
            items = tuple(_own(cell, metric, notes) for cell in cells)
            lines.append((f"{row.title}, {column.name}", items))
    return Grid(
        caption=f"{metric.title}; {_SIDES.get(sides, sides)}.",
        header=((_AS_IT_IS,), *((condition,) for condition in conditions)),
        rows=tuple(lines),
        notes=_footnotes(shown, notes),
        corner="corpus, model",
        ranked=False,
    )


def _between(board: Leaderboard, rows: Sequence[Row]) -> Grid:
    """Return the table of what was trained on one corpus and tested on another."""
    columns = sorted({column for row in rows for column in row.cells}, key=lambda one: one.position)
    notes: dict[str, str] = {}
    lines = []
    for row in (row for row in rows if row.cells):
        best = row.standing(UAR).best
        items = [
            replace(
                _own(cell, UAR, notes),
                interval=_interval(cell) if cell else "",
                published=f"{percent(row.within[column]):.1f}" if column in row.within else "",
                best=column in best,
            )
            for column, cell in ((column, row.cells.get(column)) for column in columns)
        ]
        lines.append((row.title, (*items, Item(f"{row.chance:.1f}"))))
    shown = [cell for row in rows for cell in row.cells.values()]
    beside = _WITHIN if any(row.within for row in rows) else ""
    return Grid(
        caption=f"{_BETWEEN}{beside}.",
        header=(*(column.heading() for column in columns), ("chance",)),
        rows=tuple(lines),
        notes=_footnotes(shown, notes),
        corner="trained on → tested on",
        ranked=board.ranked,
    )


_BETWEEN = (
    "UAR in percent on all speakers of one corpus, after training on all speakers of another, over "
    "their common emotions: mean recall over classes, mean ± standard deviation over repetitions "
    "[95 % interval over the speakers that are tested]"
)
_WITHIN = (
    "; in round brackets the UAR of the same model inside the tested corpus, over the same "
    "emotions, where it chooses among all of that corpus"
)


def _side_position(sides: str) -> tuple[int, str]:
    known = list(_SIDES)
    return (known.index(sides) if sides in known else len(known), sides)


def _footnotes(shown: Sequence[Result], notes: dict[str, str]) -> tuple[str, ...]:
    explained = f"{INCOMPLETE} incomplete: folds done / folds of all repetitions; "
    explained += "not to be compared with the others"
    marks = [] if all(cell.complete for cell in shown) else [explained]
    return (*marks, *(f"{mark} {text}" for text, mark in notes.items()))


_HUMAN = (
    "human: recognition rates as printed in the paper's table, mostly shares of right answers "
    "from the corpora's own papers, not UAR",
)
