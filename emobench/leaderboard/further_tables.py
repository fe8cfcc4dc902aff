"""Tables beside those of the corpora: under conditions of the sound, and between corpora."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..metric_table import UAR, Metric
from ..metrics import percent
from .assembly import condition_position
from .board import Leaderboard, Row
from .grid import Grid, Item, footnotes, interval_of, item_of

_SIDES = {
    "test": "models were trained on sound as it is and tested on what went through the condition "
    "of the column",
    "training": "models were trained on what went through the condition of the column and tested "
    "on sound as it is",
    "both": "models were trained and tested on what went through the condition of the column",
}
_AS_IT_IS = "as it is"


def under_conditions(rows: Sequence[Row], metric: Metric) -> tuple[Grid, ...]:
    """Return the tables of what was run under conditions, one for each side of the folds."""
    sides = {cell.sides for row in rows for cell in row.conditions}
    return tuple(_under(rows, side, metric) for side in sorted(sides, key=_side_position))


def _under(rows: Sequence[Row], sides: str, metric: Metric) -> Grid:
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
            items = tuple(item_of(cell, metric, notes) for cell in cells)
            lines.append((f"{row.title}, {column.name}", items))
    return Grid(
        caption=f"{metric.title}; {_SIDES.get(sides, sides)}.",
        header=((_AS_IT_IS,), *((condition,) for condition in conditions)),
        rows=tuple(lines),
        notes=footnotes(shown, notes),
        corner="corpus, model",
        ranked=False,
    )


def between(board: Leaderboard, rows: Sequence[Row]) -> Grid:
    """Return the table of what was trained on one corpus and tested on another."""
    columns = sorted({column for row in rows for column in row.cells}, key=lambda one: one.position)
    notes: dict[str, str] = {}
    lines = []
    for row in (row for row in rows if row.cells):
        best = row.standing(UAR).best
        items = [
            replace(
                item_of(cell, UAR, notes),
                interval=interval_of(cell) if cell else "",
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
        notes=footnotes(shown, notes),
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
