"""Sentences that several formats share."""

from __future__ import annotations

from ..results.selection import Kind, Notice
from .board import Leaderboard

SYNTHETIC = "Synthetic voices: this shows that everything runs, and says nothing about emotions."

HEADINGS: dict[Kind, str] = {
    "damaged": "Damaged or contradictory files",
    "failed": "Failed, to be tried again by the next run",
    "incomplete": "Incomplete (`--partial` shows them)",
    "alternative": "Also on disk, beside what is shown",
    "stale": "Stale: not today's configuration",
}


def shown_notices(board: Leaderboard, kind: Kind, *, real: bool) -> list[Notice]:
    """Return notices of a kind; `real` leaves out those about synthetic corpora."""
    return [
        notice
        for notice in board.notices
        if notice.kind == kind and not (real and notice.synthetic)
    ]
