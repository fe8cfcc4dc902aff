"""What a table of a leaderboard is, and a result's figures as words in a cell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..analysis.intervals import of_result
from ..metric_table import Metric
from ..metrics import percent
from ..results.result import Result

ABSENT = "–"
INCOMPLETE = "†"

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


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


def item_of(cell: Result | None, metric: Metric, notes: dict[str, str]) -> Item:
    """Return our figure with its marks, or a dash.

    Args:
        cell: the result, or None
        metric: which of its scores
        notes: mark by footnote; takes in those of the result, numbered as they come up
    """
    if cell is None:
        return Item(ABSENT)
    marks = [] if cell.complete else [f"{INCOMPLETE}{cell.done}/{cell.wanted}"]
    for note in cell.notes:
        marks.append(mark(note, notes))
    return Item(_figure(cell, metric), " ".join(marks))


def mark(note: str, notes: dict[str, str]) -> str:
    """Return what points to a footnote, which is numbered as it comes up.

    Args:
        note: the footnote
        notes: mark by footnote; takes it in
    """
    return notes.setdefault(note, str(len(notes) + 1).translate(_SUPERSCRIPTS))


def _figure(cell: Result, metric: Metric) -> str:
    text = f"{percent(cell.scores[metric.key]):.1f}"
    deviation = cell.scores.get(metric.deviation)
    if deviation is None or not cell.complete:
        return text
    return f"{text} ± {percent(deviation):.1f}"


def interval_of(cell: Result) -> str:
    """Return the 95 % interval of UAR over speakers, or "" for too few of them."""
    held = of_result(cell)
    return f"[{percent(held.low):.1f}, {percent(held.high):.1f}]" if held else ""


def footnotes(shown: Sequence[Result], notes: dict[str, str]) -> tuple[str, ...]:
    """Return the lines below a table.

    Args:
        shown: the results in it
        notes: mark by footnote, as `item_of` gathered them
    """
    explained = f"{INCOMPLETE} incomplete: folds done / folds of all repetitions; "
    explained += "not to be compared with the others"
    marks = [] if all(cell.complete for cell in shown) else [explained]
    return (*marks, *(f"{mark} {text}" for text, mark in notes.items()))
