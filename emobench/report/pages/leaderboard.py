"""The first page: models by corpora, a table for each protocol."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
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

MOST_RESULTS = 1_000
"""Of the first page, which stays quick to open; what is beyond has pages of its own."""

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


@dataclass(frozen=True, eq=False)
class Table:
    """One protocol."""

    board: Leaderboard
    rows: tuple[Row, ...]
    parts: tuple[Part, ...]

    @property
    def results(self) -> int:
        """Return how many results of ours it shows."""
        return sum(len(row.cells) for row in self.rows)


def pages(evidence: Evidence) -> Iterator[Page]:
    """Yield the leaderboard, and a page for each protocol for which it has no room."""
    first, others = _shared_out(list(_tables(evidence)))
    yield _page(evidence, addresses.INDEX, "Leaderboard", first, others)
    for table in others:
        title = f"Protocol {table.board.protocol}"
        yield _page(evidence, addresses.protocol(table.board.protocol), title, [table], [])


def _shared_out(tables: Sequence[Table]) -> tuple[list[Table], list[Table]]:
    """Return the tables of the first page, and those that get one of their own."""
    first: list[Table] = []
    others: list[Table] = []
    for table in tables:
        room = MOST_RESULTS - sum(one.results for one in first)
        (first if not first or table.results <= room else others).append(table)
    return first, others


def _page(
    evidence: Evidence, address: str, title: str, shown: Sequence[Table], others: Sequence[Table]
) -> Page:
    every = [*shown, *others]
    return Page(
        address,
        "leaderboard.html",
        title,
        {
            "first": address == addresses.INDEX,
            "tables": shown,
            "main": [table for table in every if not table.board.leaks],
            "apart": [table for table in every if table.board.leaks],
            "apart_title": APART,
            "apart_why": WHY_APART,
            "best_rule": BEST.replace("of the row", "of the corpus"),
            "synthetic": SYNTHETIC if evidence.synthetic else "",
            "metrics": METRICS,
            "corpora": _corpora(shown),
            "papers": _papers(shown),
            "inputs": sorted(
                {
                    name
                    for one in shown
                    for part in one.parts
                    for line in part.lines
                    for name in line.inputs
                }
            ),
            "cell_address": addresses.cell,
            "model_address": addresses.model,
            "corpus_address": addresses.corpus,
            "protocol_address": addresses.protocol,
            "incomplete": INCOMPLETE,
        },
        data=_Data(evidence, {table.board.protocol for table in shown}).plain(),
        section="leaderboard",
    )


def _tables(evidence: Evidence) -> Iterator[Table]:
    """Yield the protocols that have results, those that may be compared first."""
    for board in itertools.chain(*parts(evidence.boards)):
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

    Attributes:
        shown: protocols of the page
    """

    evidence: Evidence
    shown: Collection[str]
    notes: dict[str, int] = field(default_factory=dict)
    protocols: dict[str, int] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return all of it as JSON values: by protocol and model a cell or 0 for each corpus."""
        boards: dict[str, dict[str, Any]] = {}
        best: dict[int, list[frozenset[Column]]] = {}
        for cell in self.evidence.plain_cells():
            if cell.board.protocol not in self.shown:
                continue
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
