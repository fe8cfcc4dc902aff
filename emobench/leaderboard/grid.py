"""A leaderboard's figures as words, the same for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .board import Cell, Leaderboard, Row, percent
from .published import model_order

ABSENT = "–"
INCOMPLETE = "†"

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_REFERENCE = "keesing2020"
_SCORES = {
    "uar": "UAR in percent: mean over folds of the mean recall over classes",
    "uar_pooled": "Pooled UAR in percent: mean recall over classes of all predictions together",
    "wa": "WA in percent: share of clips that are right",
}


@dataclass(frozen=True)
class Item:
    """What stands in one cell.

    Attributes:
        own: our figure, or a dash
        mark: what points to a footnote, or ""
        published: the published figure beside it, or ""
        best: whether it is the best comparable figure of its row
    """

    own: str
    mark: str = ""
    published: str = ""
    best: bool = False


@dataclass(frozen=True)
class Grid:
    """One table.

    Attributes:
        caption: what the figures are
        header: of each column but the first
        rows: title and items of each row
        notes: footnotes
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Item, ...]], ...]
    notes: tuple[str, ...]


def tables(board: Leaderboard, rows: Sequence[Row], *, pooled: bool) -> list[Grid]:
    """Return the tables of some rows: UAR, and on request the pooled UAR and WA."""
    scores = ("uar", "uar_pooled", "wa") if pooled else ("uar",)
    return [_table(board, rows, score) for score in scores]


def empty(board: Leaderboard) -> str:
    """Return what to say where a protocol has nothing to show."""
    text = f"No complete results with today's configuration for the protocol {board.protocol}."
    if any(notice.kind == "incomplete" for notice in board.notices):
        text += " Incomplete ones are shown with --partial."
    if board.elsewhere:
        text += f" There are results for: {', '.join(board.elsewhere)}."
    return text


NOTHING = (
    "No results yet. `emobench run --model all --corpus all --data DIR` makes some; "
    "`emobench run --model svm-is09 --corpus demo --protocol smoke` needs no corpus."
)


def _table(board: Leaderboard, rows: Sequence[Row], score: str) -> Grid:
    beside = score == "uar"
    models = _models(board, rows, beside)
    notes: dict[str, str] = {}
    lines = []
    for row in rows:
        best = row.best(score)
        items = [_item(row, model, score, model in best, notes) for model in models]
        if score != "wa":
            items.append(Item(f"{row.chance:.1f}"))
        if beside and any(other.human is not None for other in rows):
            items.append(Item(ABSENT if row.human is None else f"{row.human:g}"))
        lines.append((row.title, tuple(items)))
    header = [*models, "chance", "human"][: len(lines[0][1])] if lines else models
    footnotes = [f"{mark} {text}" for text, mark in notes.items()]
    return Grid(
        caption=_caption(board, rows, models, score),
        header=tuple(header),
        rows=tuple(lines),
        notes=tuple(_marks_explained(rows) + footnotes + _human_explained(rows, beside)),
    )


def _item(row: Row, model: str, score: str, best: bool, notes: dict[str, str]) -> Item:
    printed = row.published.get(model) if score == "uar" else None
    beside = f"{printed.value:.1f}" if printed else ""
    cell = row.cells.get(model)
    if cell is None:
        return Item(ABSENT, published=beside)
    marks = [] if cell.complete else [f"{INCOMPLETE}{cell.done}/{cell.wanted}"]
    for note in cell.notes:
        marks.append(notes.setdefault(note, str(len(notes) + 1).translate(_SUPERSCRIPTS)))
    return Item(_figure(cell, score), " ".join(marks), beside, best)


def _figure(cell: Cell, score: str) -> str:
    text = f"{percent(cell.scores[score]):.1f}"
    deviation = cell.scores.get(f"{score}_sd")
    if deviation is None or not cell.complete:
        return text
    return f"{text} ± {percent(deviation):.1f}"


def _models(board: Leaderboard, rows: Sequence[Row], beside: bool) -> list[str]:
    """Return the columns: what has results, and what the protocol's paper has."""
    found = {model for row in rows for model in row.cells}
    if beside:
        found |= _reported(board, rows)
    order = model_order()
    return sorted(found, key=lambda model: (order.get(model, len(order)), model))


def _reported(board: Leaderboard, rows: Sequence[Row]) -> set[str]:
    """Return the models with published figures for this protocol, or else for Table 3's."""
    pairs = {(model, one.protocol) for row in rows for model, one in row.published.items()}
    own = {model for model, protocol in pairs if protocol == board.protocol}
    return own or {model for model, protocol in pairs if protocol == _REFERENCE}


def _caption(board: Leaderboard, rows: Sequence[Row], models: Sequence[str], score: str) -> str:
    text = _SCORES[score]
    if score != "uar":
        return text + "; mean over repetitions."
    text += ", mean ± standard deviation over repetitions"
    sources = sorted(
        {
            row.published[model].protocol
            for row in rows
            for model in models
            if model in row.published
        }
    )
    if not sources:
        return text + "."
    if sources == [board.protocol]:
        return text + "; in brackets the published value."
    return (
        f"{text}; in brackets the published value, which was obtained with another protocol "
        f"({', '.join(sources)})."
    )


def _marks_explained(rows: Sequence[Row]) -> list[str]:
    if all(cell.complete for row in rows for cell in row.cells.values()):
        return []
    return [
        f"{INCOMPLETE} incomplete: folds done / folds of all repetitions; "
        "not to be compared with the others"
    ]


def _human_explained(rows: Sequence[Row], beside: bool) -> list[str]:
    if not beside or all(row.human is None for row in rows):
        return []
    return [
        "human: recognition rates as printed in the paper's table, mostly shares of right answers "
        "from the corpora's own papers, not UAR"
    ]
