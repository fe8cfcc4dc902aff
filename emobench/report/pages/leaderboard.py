"""The first page: models by corpora, a table for each protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ... import papers
from ...errors import count
from ...leaderboard import Leaderboard, Row
from ...leaderboard.phrases import APART, BEST, SYNTHETIC, WHY_APART, parts
from ...metric_table import METRICS, PUBLISHED, Metric
from ...papers import Paper
from ...results.columns import Column
from .. import addresses
from ..evidence import Cell, Evidence
from ..page import Page
from ..templating import points

INCOMPLETE = "†"
FACTS = (*("95 % interval of UAR", "speakers", "incomplete", "clips", "repetitions"),)
"""What is told of a cell beside its figures."""


@dataclass(frozen=True)
class Shown:
    """One cell of the table.

    Attributes:
        corpus: canonical name of its column
        cell: our result, or None
        figure: its headline and the standard deviation over repetitions, or nothing
        published: published value beside it, or ""
        reproduced: whether it counts as reproduced
        best: whether the result is the best of its corpus, or not told from it
    """

    corpus: str
    cell: Cell | None
    figure: tuple[str, ...]
    published: str
    reproduced: bool
    best: bool


@dataclass(frozen=True)
class Line:
    """One model of the table."""

    column: Column
    cells: tuple[Shown, ...]
    inputs: tuple[str, ...]

    @property
    def run(self) -> bool:
        """Return whether there is a result of ours."""
        return any(shown.cell for shown in self.cells)


@dataclass(frozen=True)
class Part:
    """The models of one paper."""

    paper: Paper
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """One protocol."""

    board: Leaderboard
    rows: tuple[Row, ...]
    parts: tuple[Part, ...]


def page(evidence: Evidence) -> Page:
    """Return the leaderboard."""
    main, apart = (list(_tables(evidence, boards)) for boards in parts(evidence.boards))
    tables = [*main, *apart]
    return Page(
        addresses.INDEX,
        "leaderboard.html",
        "Leaderboard",
        {
            "main": main,
            "apart": apart,
            "apart_title": APART,
            "apart_why": WHY_APART,
            "best_rule": BEST.replace("of the row", "of the corpus"),
            "synthetic": SYNTHETIC if evidence.synthetic else "",
            "metrics": METRICS,
            "corpora": _corpora(tables),
            "papers": _papers(tables),
            "inputs": sorted(
                {
                    name
                    for one in tables
                    for part in one.parts
                    for line in part.lines
                    for name in line.inputs
                }
            ),
            "cell_address": addresses.cell,
            "model_address": addresses.model,
            "corpus_address": addresses.corpus,
            "incomplete": INCOMPLETE,
        },
        data=_Data(evidence).plain(),
        section="leaderboard",
    )


def _tables(evidence: Evidence, boards: Sequence[Leaderboard]) -> Iterator[Table]:
    for board in boards:
        rows = tuple(row for row in evidence.rows(board) if row.cells)
        if rows:
            yield Table(board, rows, tuple(_parts(evidence, board, rows)))


def _parts(evidence: Evidence, board: Leaderboard, rows: Sequence[Row]) -> Iterator[Part]:
    """Yield papers with results, or whose results were published with this very protocol."""
    found = {column for row in rows for column in row.cells}
    shown = {column.paper for column in found} | {board.paper}
    best = {row.corpus: row.standing(board.headline).best for row in rows}
    for paper in sorted(shown, key=lambda paper: (paper != board.paper, papers.position(paper))):
        reported = {
            Column(name)
            for row in rows
            for name, printed in row.published.get(board.headline.name, {}).items()
            if name in evidence.models
            and Column(name).paper == paper
            and printed.protocol == paper.name
        }
        columns = reported | {column for column in found if column.paper == paper}
        # What was run stands above what was only published.
        ordered = sorted(columns, key=lambda column: (column not in found, column.position))
        lines = tuple(_line(evidence, board, rows, column, best) for column in ordered)
        if lines:
            yield Part(paper, lines)


def _line(
    evidence: Evidence,
    board: Leaderboard,
    rows: Sequence[Row],
    column: Column,
    best: dict[str, frozenset[Column]],
) -> Line:
    spec = evidence.model(column.configured)
    return Line(
        column=column,
        cells=tuple(
            _shown(evidence, board, row, column, column in best[row.corpus]) for row in rows
        ),
        inputs=tuple(sorted({wanted.feature for wanted in spec.inputs.values()})) if spec else (),
    )


def _shown(evidence: Evidence, board: Leaderboard, row: Row, column: Column, best: bool) -> Shown:
    result = row.cells.get(column)
    cell = evidence.cell_of[result] if result else None
    printed = row.printed(column, board.headline)
    return Shown(
        corpus=row.corpus,
        cell=cell,
        figure=figure(cell, board.headline) if cell else (),
        published=f"{printed.value:.1f}" if printed else "",
        reproduced=bool(result) and evidence.reproduced(result, board.headline),
        best=best,
    )


@dataclass
class _Data:
    """What the page's script shows of each cell, in few bytes.

    Figures, and positions of those by which a cell is the best, are in the order of `METRICS`,
    other facts in that of `FACTS`; notes and protocols of publications stand once, cells say which.
    """

    evidence: Evidence
    notes: dict[str, int] = field(default_factory=dict)
    protocols: dict[str, int] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return all of it as JSON values: by protocol and model a cell or 0 for each corpus."""
        boards: dict[str, dict[str, Any]] = {}
        best: dict[int, list[frozenset[Column]]] = {}
        for cell in self.evidence.plain_cells():
            row = cell.row
            if id(row) not in best:
                best[id(row)] = [row.standing(metric).best for metric in METRICS]
            protocol, corpus, model = addresses.parts(cell.result)
            own = boards.setdefault(protocol, {"corpora": [], "cells": {}})
            if corpus not in own["corpora"]:
                own["corpora"].append(corpus)
            line = own["cells"].setdefault(model, [])
            line += [0] * (own["corpora"].index(corpus) - len(line))
            line.append(self._cell(cell, best[id(row)]))
        return {
            "metrics": [metric.name for metric in METRICS],
            "facts": FACTS,
            "boards": boards,
            "notes": list(self.notes),
            "protocols": list(self.protocols),
        }

    def _cell(self, cell: Cell, best: Sequence[frozenset[Column]]) -> list[Any]:
        held = enumerate(best)
        told = [
            " ".join("±".join(filter(None, figure(cell, metric))) for metric in METRICS),
            "|".join(_facts(cell)),
            "".join(str(place) for place, columns in held if cell.result.column in columns),
            list(self._published(cell)),
            [self.notes.setdefault(note, len(self.notes)) for note in cell.result.notes],
        ]
        while not told[-1]:
            del told[-1]
        return told

    def _published(self, cell: Cell) -> Iterator[list[Any]]:
        """Yield place of the metric, value, whether it is reproduced, place of the protocol."""
        for place, metric in enumerate(METRICS):
            printed = cell.row.printed(cell.result.column, metric) if metric in PUBLISHED else None
            if printed:
                reproduced = int(self.evidence.reproduced(cell.result, metric))
                by = self.protocols.setdefault(printed.protocol, len(self.protocols))
                yield [place, f"{printed.value:.1f}", reproduced, by]


def figure(cell: Cell, metric: Metric) -> tuple[str, str]:
    """Return a figure and its standard deviation over repetitions, as tables print them."""
    scores = cell.result.scores
    deviation = scores.get(metric.deviation)
    known = deviation is not None and cell.result.complete
    return points(scores[metric.key]), points(deviation) if known else ""


def _facts(cell: Cell) -> Iterator[str]:
    """Yield what is told of a cell beside its figures, in the order of `FACTS`; may be empty."""
    result, held = cell.result, cell.interval
    yield f"{points(held.low)} to {points(held.high)}" if held else ""
    yield str(held.speakers) if held else ""
    yield "" if result.complete else f"{result.done} of {count(result.wanted, 'fold')}"
    yield f"{result.scores['clips']:,}"
    yield str(result.scores["repetitions"])


def _corpora(tables: Sequence[Table]) -> dict[str, str]:
    return {row.corpus: row.title for table in tables for row in table.rows}


def _papers(tables: Sequence[Table]) -> list[Paper]:
    found = {part.paper for table in tables for part in table.parts}
    return sorted(found, key=papers.position)
