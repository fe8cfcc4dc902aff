"""From stored predictions to a leaderboard; no figure is taken from a record's scores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import gate, metric_table, papers, protocols
from ..analysis import published
from ..metric_table import PUBLISHED, UAR
from ..results.gathering import Current, gather, protocol_name, protocols_on_disk
from ..results.lookup import Lookup
from ..results.result import Result
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
) -> Leaderboard:
    """Build the table of a protocol from the predictions in a results folder.

    Args:
        results: folder that runs wrote to
        protocol: whose results to show
        current: tells today's configuration fingerprint of an experiment; results with another
            are stale and not shown
        partial: show incomplete results too, and those of other numbers of epochs
        registry: corpora, for order and titles; None for the one that commands use

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
    gathered = gather(results, protocol=name, current=current, partial=partial, registry=registry)
    lookup = Lookup(registry)
    rows = _rows(gathered.shown, lookup)
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
        notices=gathered.notices,
        elsewhere=tuple(other for other in elsewhere if other != name),
    )


def build_all(
    results: Path, *, current: Current, partial: bool = False, registry: Registry | None = None
) -> list[Leaderboard]:
    """Build a table for each protocol that has results, comparable ones first; see `build`."""
    boards = [
        build(results, protocol=name, current=current, partial=partial, registry=registry)
        for name in protocols_on_disk(results)
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


def _row(corpus: str, cells: Sequence[Result], lookup: Lookup) -> Row:
    base = corpus.partition(":")[0]
    ordered = sorted(
        cells,
        key=lambda cell: (
            cell.column.position,
            cell.sides,
            condition_position(cell.condition),
        ),
    )
    return Row(
        corpus=corpus,
        title=lookup.title(corpus),
        chance=100 / max(1, *(len(cell.labels) for cell in cells)),
        human=published.human(base),
        published={one.name: published.figures(base, one.name) for one in PUBLISHED},
        cells={cell.column: cell for cell in ordered if not cell.condition},
        conditions=tuple(cell for cell in ordered if cell.condition),
    )
