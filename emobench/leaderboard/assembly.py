"""From stored predictions to a leaderboard; no figure is taken from a record's scores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import gate, metric_table, papers, protocols
from ..analysis import controls, published
from ..analysis.within import uar_within
from ..metric_table import PUBLISHED, UAR
from ..results.gathering import (
    COLUMNS,
    Current,
    Gathered,
    gather,
    protocol_name,
    protocols_on_disk,
)
from ..results.lookup import Lookup
from ..results.result import Result
from ..results.selection import Notice
from .board import Leaderboard, Row

if TYPE_CHECKING:
    from ..corpora import Registry

_BITRATE = re.compile(r"mp3:(\d+)k")


def build(
    results: Path,
    *,
    protocol: str,
    current: Current,
    partial: bool = False,
    registry: Registry | None = None,
    columns: Sequence[str] = COLUMNS,
) -> Leaderboard:
    """Build the table of a protocol from the predictions in a results folder.

    Args:
        results: folder that runs wrote to
        protocol: whose results to show
        current: tells today's configuration fingerprint of an experiment; results with another
            are stale and not shown
        partial: show incomplete results too, and those of other numbers of epochs
        registry: corpora, for order and titles; None for the one that commands use
        columns: of the predictions that results hold; figures are computed from `COLUMNS`

    Returns:
        the table

    Raises:
        StoreError: if there is no such folder
        SpecError: if the protocol is neither known nor on disk
    """
    elsewhere = protocols_on_disk(results)
    name = protocol_name(protocol, elsewhere)
    if registry is None:
        from ..corpora import load_registry

        registry = load_registry()
    gathered = gather(
        results,
        protocol=name,
        current=current,
        partial=partial,
        registry=registry,
        columns=columns,
    )
    lookup = Lookup(registry)
    rows, across = _rows(gathered.shown, lookup), _rows_across(gathered, lookup)
    known = protocols.get(name) if name in protocols.names() else None
    return Leaderboard(
        protocol=name,
        title=known.title if known else "",
        caution=known.caution if known else "",
        leaks=gate.leaks(known),
        ranked=not gate.leaks(known) and not gate.cut_short(known),
        paper=papers.get(known.paper) if known and known.paper else papers.FIRST,
        headline=metric_table.get(known.headline) if known else UAR,
        rows=tuple(row for row in rows if not lookup.synthetic(row.corpus)),
        synthetic=tuple(row for row in rows if lookup.synthetic(row.corpus)),
        notices=(*gathered.notices, *_judged(gathered.controls, lookup)),
        elsewhere=tuple(other for other in elsewhere if other != name),
        across=tuple(row for row in across if not lookup.synthetic(row.corpus)),
        synthetic_across=tuple(row for row in across if lookup.synthetic(row.corpus)),
    )


def _judged(results: Sequence[Result], lookup: Lookup) -> Iterator[Notice]:
    """Yield whether runs on permuted labels came out at chance."""
    for result in sorted(results, key=lambda one: one.name):
        try:
            found = controls.describe(controls.judge(result.predictions))
        except ValueError:
            found = "too few speakers for an interval"
        whole = "" if result.complete else f"; {result.done} of {result.wanted} folds"
        text = f"{result.name}: {found}{whole}"
        yield Notice("control", text, lookup.synthetic(result.corpus))


def build_all(
    results: Path,
    *,
    current: Current,
    partial: bool = False,
    registry: Registry | None = None,
    columns: Sequence[str] = COLUMNS,
) -> list[Leaderboard]:
    """Build a table for each protocol that has results, comparable ones first; see `build`.

    Variants that price a leaky practice are left to the price list.
    """
    priced = {protocol.name for protocol in protocols.variants()}
    boards = [
        build(
            results,
            protocol=name,
            current=current,
            partial=partial,
            registry=registry,
            columns=columns,
        )
        for name in protocols_on_disk(results)
        if name not in priced
    ]
    return sorted(boards, key=lambda board: bool(board.leaks))


def condition_position(condition: str) -> tuple[bool, int, str]:
    """Return a sorting key of conditions: MP3 from the highest bitrate down, then the others."""
    found = _BITRATE.fullmatch(condition)
    return (found is None, -int(found[1]) if found else 0, condition)


def _rows(shown: Sequence[Result], lookup: Lookup) -> list[Row]:
    by_corpus: dict[str, list[Result]] = {}
    for result in shown:
        by_corpus.setdefault(result.corpus, []).append(result)
    return [
        _row(corpus, by_corpus[corpus], lookup) for corpus in sorted(by_corpus, key=lookup.position)
    ]


def _rows_across(gathered: Gathered, lookup: Lookup) -> list[Row]:
    """Return a row for each corpus that was trained on and each that was tested after it."""
    by_sides: dict[tuple[str, str], list[Result]] = {}
    for result in gathered.across:
        by_sides.setdefault((result.trained_on, result.tested_on), []).append(result)
    return [
        _row_across(sides, by_sides[sides], gathered.shown, lookup)
        for sides in sorted(by_sides, key=lambda sides: tuple(map(lookup.position, sides)))
    ]


def _row_across(
    sides: tuple[str, str], cells: Sequence[Result], shown: Sequence[Result], lookup: Lookup
) -> Row:
    ordered = _ordered(cells)
    own = {cell.column: cell for cell in ordered if not cell.condition}
    within = {column: uar_within(cell, shown) for column, cell in own.items()}
    return Row(
        corpus=ordered[0].corpus,
        title=" → ".join(map(lookup.title, sides)),
        chance=_chance(cells),
        human=None,
        published={one.name: {} for one in PUBLISHED},
        cells=own,
        conditions=tuple(cell for cell in ordered if cell.condition),
        within={column: uar for column, uar in within.items() if uar is not None},
    )


def _row(corpus: str, cells: Sequence[Result], lookup: Lookup) -> Row:
    base = corpus.partition(":")[0]
    ordered = _ordered(cells)
    return Row(
        corpus=corpus,
        title=lookup.title(corpus),
        chance=_chance(cells),
        human=published.human(base),
        published={one.name: published.figures(base, one.name) for one in PUBLISHED},
        cells={cell.column: cell for cell in ordered if not cell.condition},
        conditions=tuple(cell for cell in ordered if cell.condition),
    )


def _ordered(cells: Sequence[Result]) -> list[Result]:
    return sorted(
        cells,
        key=lambda cell: (cell.column.position, cell.sides, condition_position(cell.condition)),
    )


def _chance(cells: Sequence[Result]) -> float:
    """Return the UAR of guessing, in percent."""
    return 100 / max(1, *(len(cell.labels) for cell in cells))
