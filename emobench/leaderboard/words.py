"""Sentences that several formats share."""

from __future__ import annotations

from .board import Leaderboard
from .selection import Kind, Notice

SYNTHETIC = "Synthetic voices: this shows that everything runs, and says nothing about emotions."

_ONE_LINE = 12

HEADINGS: dict[Kind, str] = {
    "damaged": "Damaged or contradictory files",
    "failed": "Failed, to be tried again by the next run",
    "incomplete": "Incomplete (`--partial` shows them)",
    "alternative": "Also on disk, beside what is shown",
    "stale": "Stale: not today's configuration",
}


def heading(model: str) -> tuple[str, str]:
    """Return a model's name in two lines, or a short one in the lower."""
    family, hyphen, rest = model.partition("-")
    return (f"{family}-", rest) if hyphen and len(model) > _ONE_LINE else ("", model)


def shown_notices(board: Leaderboard, kind: Kind, *, real: bool) -> list[Notice]:
    """Return notices of a kind; `real` leaves out those about synthetic corpora."""
    return [
        notice
        for notice in board.notices
        if notice.kind == kind and not (real and notice.synthetic)
    ]
