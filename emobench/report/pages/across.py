"""How models do on one corpus after training on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...analysis.intervals import Interval, of_result
from ...leaderboard import Leaderboard, Row
from ...results.columns import Column
from ...results.result import Result
from .. import addresses
from ..evidence import Evidence
from ..page import Page


@dataclass(frozen=True)
class Pair:
    """One result.

    Attributes:
        result: trained on one corpus and tested on another
        interval: over the speakers that are tested, or None for too few
        chance: UAR of guessing, between 0 and 1
        within: UAR of the model inside the tested corpus over the same emotions, or None
    """

    result: Result
    interval: Interval | None
    chance: float
    within: float | None

    @property
    def way(self) -> float:
        """Return how far UAR is on the way from chance to 1; 0 below chance."""
        return max(0.0, (self.result.scores["uar"] - self.chance) / (1 - self.chance))


@dataclass(frozen=True)
class Matrix:
    """One model under one protocol.

    Attributes:
        board: the protocol
        column: the model
        tested: titles of the corpora that are tested
        lines: by the title of what is trained on, a pair or None for each that is tested
    """

    board: Leaderboard
    column: Column
    tested: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Pair | None, ...]], ...]


def page(evidence: Evidence) -> Page:
    """Return the page of results across corpora."""
    found = [one for board in evidence.boards for one in _matrices(evidence, board)]
    content = {"matrices": found, "cell_address": addresses.cell}
    return Page("across.html", "across.html", "Across corpora", content, section="leaderboard")


def _matrices(evidence: Evidence, board: Leaderboard) -> Iterator[Matrix]:
    rows = evidence.rows_across(board)
    columns = sorted({column for row in rows for column in row.cells}, key=lambda one: one.position)
    for column in columns:
        yield _matrix(evidence, board, column, [row for row in rows if column in row.cells])


def _matrix(evidence: Evidence, board: Leaderboard, column: Column, rows: Sequence[Row]) -> Matrix:
    position = evidence.lookup.position
    pairs = {
        (row.cells[column].trained_on, row.cells[column].tested_on): Pair(
            row.cells[column],
            of_result(row.cells[column]),
            row.chance / 100,
            row.within.get(column),
        )
        for row in rows
    }
    trained, tested = (sorted(set(side), key=position) for side in zip(*pairs, strict=True))
    title = evidence.lookup.title
    return Matrix(
        board,
        column,
        tuple(map(title, tested)),
        tuple((title(one), tuple(pairs.get((one, other)) for other in tested)) for one in trained),
    )
