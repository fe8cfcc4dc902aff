"""Sentences that several formats share."""

from __future__ import annotations

import re

from ..results.selection import Kind, Notice
from .board import Leaderboard

SYNTHETIC = "Synthetic voices: this shows that everything runs, and says nothing about emotions."

_ONE_LINE = 12
_BREAKS = re.compile(r"(?<=[:,])|(?=\+)")

HEADINGS: dict[Kind, str] = {
    "control": "Negative controls, on labels that were permuted within each speaker",
    "damaged": "Damaged or contradictory files",
    "failed": "Failed, to be tried again by the next run",
    "incomplete": "Incomplete (`--partial` shows them)",
    "alternative": "Also on disk, beside what is shown",
    "stale": "Stale: not today's configuration",
}


def heading(column: str) -> tuple[str, ...]:
    """Return a column's name in the lines of a narrow heading, or a short one in one line.

    Examples:
        >>> heading("wang2020-dual:time_fit=pad"), heading("latif2019")
        (('wang2020-', 'dual:', 'time_fit=pad'), ('latif2019',))
    """
    if len(column) <= _ONE_LINE:
        return (column,)
    model, *more = _BREAKS.split(column)
    family, hyphen, rest = model.partition("-")
    return (family + hyphen, rest, *more) if hyphen else (model, *more)


def shown_notices(board: Leaderboard, kind: Kind, *, real: bool) -> list[Notice]:
    """Return notices of a kind; `real` leaves out those about synthetic corpora."""
    return [
        notice
        for notice in board.notices
        if notice.kind == kind and not (real and notice.synthetic)
    ]
