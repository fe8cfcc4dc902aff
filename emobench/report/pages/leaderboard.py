"""The first page: models by corpora, a table for each protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
        data={
            "metrics": [metric.name for metric in METRICS],
            "facts": FACTS,
            "cells": dict(_data(evidence)),
        },
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


def _data(evidence: Evidence) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the page's script shows of each cell, by its address, in few bytes.

    Figures, and positions of those by which it is the best, are in the order of `METRICS`, other
    facts in that of `FACTS`.
    """
    best: dict[int, list[frozenset[Column]]] = {}
    for cell in evidence.plain_cells():
        row = cell.row
        if id(row) not in best:
            best[id(row)] = [row.standing(metric).best for metric in METRICS]
        held = enumerate(best[id(row)])
        published = _published(evidence, cell)
        facts = {
            "figures": [_short(figure(cell, metric)) for metric in METRICS],
            "facts": list(_facts(cell)),
            "best": [place for place, columns in held if cell.result.column in columns],
            **({"published": published} if published else {}),
            **({"notes": list(cell.result.notes)} if cell.result.notes else {}),
        }
        yield addresses.cell(cell.result).removeprefix("results/").removesuffix(".html"), facts


def _short(told: tuple[str, str]) -> str | tuple[str, str]:
    return told if told[1] else told[0]


def figure(cell: Cell, metric: Metric) -> tuple[str, str]:
    """Return a figure and its standard deviation over repetitions, as tables print them."""
    scores = cell.result.scores
    deviation = scores.get(metric.deviation)
    known = deviation is not None and cell.result.complete
    return points(scores[metric.key]), points(deviation) if known else ""


def _published(evidence: Evidence, cell: Cell) -> dict[str, list[Any]]:
    found = {}
    for metric in PUBLISHED:
        printed = cell.row.printed(cell.result.column, metric)
        if printed:
            reproduced = evidence.reproduced(cell.result, metric)
            found[metric.name] = [f"{printed.value:.1f}", reproduced, printed.protocol]
    return found


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
