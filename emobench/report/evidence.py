"""What the pages are made of, read once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .. import audit, leaderboard, models
from ..analysis import ledger, speaker_scores
from ..analysis.intervals import Interval, of_result
from ..errors import SpecError
from ..leaderboard import Leaderboard, Row
from ..leaderboard.price_list import PriceList
from ..metric_table import Metric
from ..results.columns import Column
from ..results.gathering import COLUMNS, Current
from ..results.lookup import Lookup
from ..results.result import Result
from ..spec import ModelSpec, Places

if TYPE_CHECKING:
    from ..corpora import Corpus, Registry


@dataclass(frozen=True, eq=False)
class Cell:
    """One result where the leaderboard shows it.

    Attributes:
        board: the protocol's
        row: the corpus'
        result: what is shown
    """

    board: Leaderboard
    row: Row
    result: Result

    @cached_property
    def interval(self) -> Interval | None:
        """Return the 95 % interval of UAR over speakers; None if incomplete or of too few."""
        return of_result(self.result)

    @property
    def chance(self) -> float:
        """Return the UAR of guessing, between 0 and 1."""
        return 1 / max(1, len(self.result.labels))


@dataclass(frozen=True)
class Evidence:
    """Everything that a site shows.

    Attributes:
        results: folder that runs wrote to
        registry: today's corpora
        boards: the leaderboard of each protocol, incomplete results among them
        lines: the ledger of published numbers
        audits: what speaks against the results of each protocol
        prices: what leaky practices add, where that was run
    """

    results: Path
    registry: Registry
    boards: tuple[Leaderboard, ...]
    lines: tuple[ledger.Line, ...]
    audits: tuple[audit.Audit, ...]
    prices: tuple[PriceList, ...] = ()

    @cached_property
    def lookup(self) -> Lookup:
        """Return what tells titles and positions of corpora."""
        return Lookup(self.registry)

    @property
    def synthetic(self) -> bool:
        """Return whether nothing but synthetic voices has results."""
        real = any(board.real for board in self.boards)
        return not real and any(board.synthetic or board.synthetic_across for board in self.boards)

    def rows(self, board: Leaderboard) -> tuple[Row, ...]:
        """Return the rows that are shown: real corpora, or synthetic ones if nothing else is."""
        return board.synthetic if self.synthetic else board.rows

    def rows_across(self, board: Leaderboard) -> tuple[Row, ...]:
        """Return the rows between corpora that are shown, as `rows` does."""
        return board.synthetic_across if self.synthetic else board.across

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Return every result inside a corpus that is shown, in the order of the leaderboard."""
        return tuple(_cells((board, row) for board in self.boards for row in self.rows(board)))

    @cached_property
    def cells_across(self) -> tuple[Cell, ...]:
        """Return every result from one corpus to another that is shown."""
        return tuple(
            _cells((board, row) for board in self.boards for row in self.rows_across(board))
        )

    def plain_cells(self) -> Iterator[Cell]:
        """Yield the results on sound as it is."""
        yield from (cell for cell in self.cells if not cell.result.condition)

    @cached_property
    def cell_of(self) -> Mapping[Result, Cell]:
        """Return the cell of each result."""
        return {cell.result: cell for cell in self.cells}

    @cached_property
    def _reproduced(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (line.ours.fingerprint, line.metric)
            for line in self.lines
            if line.ours and line.verdict == "reproduced"
        )

    def reproduced(self, result: Result, metric: Metric) -> bool:
        """Return whether a published number counts as reproduced by this very result."""
        return (result.fingerprint, metric.key) in self._reproduced

    @cached_property
    def corpora(self) -> tuple[str, ...]:
        """Return the corpora with a page: those of the registry, then others with results."""
        shown = [row.corpus for board in self.boards for row in self.rows(board)]
        real = [name for name in self.registry.names() if not self.lookup.synthetic(name)]
        return tuple(sorted({*real, *shown}, key=self.lookup.position))

    def corpus(self, name: str) -> Corpus | None:
        """Return a corpus as the registry has it, or None; a variant that is gone is its base."""
        return self.lookup.known(name)

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Return the models with a page: those of the registry, then others with results."""
        shown = {cell.result.column.model for cell in self.cells}
        return tuple(sorted({*models.names(), *shown}, key=lambda name: Column(name).position))

    def model(self, name: str) -> ModelSpec | None:
        """Return a model, or None if this version does not know it."""
        try:
            return models.get(name)
        except SpecError:
            return None


def _cells(rows: Iterable[tuple[Leaderboard, Row]]) -> Iterator[Cell]:
    for board, row in rows:
        for result in (*row.cells.values(), *row.conditions):
            yield Cell(board, row, result)


def read(results: Path, *, registry: Registry, current: Current) -> Evidence:
    """Read everything that a site shows.

    Args:
        results: folder that runs wrote to
        registry: today's corpora
        current: tells today's configuration fingerprint of an experiment

    Raises:
        StoreError: if there is no such folder
    """
    reading = {"registry": registry, "current": current}
    boards = leaderboard.build_all(
        results, partial=True, columns=(*COLUMNS, *speaker_scores.COLUMNS), **reading
    )
    # A site is of stored results alone: what corpora and caches this machine has is not looked at.
    with tempfile.TemporaryDirectory() as nothing:
        places = Places(results, cache=Path(nothing), data=Path(nothing))
        audits = tuple(audit.of_results(places, **reading))
    return Evidence(
        results=results,
        registry=registry,
        boards=tuple(boards),
        lines=ledger.build(results, **reading),
        audits=audits,
        prices=tuple(leaderboard.build_price_lists(results, **reading)),
    )
