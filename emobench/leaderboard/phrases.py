"""Sentences that several formats share."""

from __future__ import annotations

from collections.abc import Sequence

from ..results.selection import Kind, Notice
from .board import Leaderboard

SYNTHETIC = "Synthetic voices: this shows that everything runs, and says nothing about emotions."

APART = "As published, not comparable"
WHY_APART = (
    "Results under protocols that let test clips into tuning, class weights or the choice of an "
    "epoch, or test speakers that were trained on: to be read beside what was published, and "
    "nothing else. None is bold."
)

BEST = (
    "best comparable result of the row, and all that are not told from it (paired t-test over "
    "speakers, p of 0.05 or more with Holm's correction)"
)

HEADINGS: dict[Kind, str] = {
    "control": "Negative controls, on labels that were permuted within each speaker",
    "damaged": "Damaged or contradictory files",
    "failed": "Failed, to be tried again by the next run",
    "incomplete": "Incomplete (`--partial` shows them)",
    "alternative": "Also on disk, beside what is shown",
    "stale": "Stale: not today's configuration",
}


def parts(boards: Sequence[Leaderboard]) -> tuple[list[Leaderboard], list[Leaderboard]]:
    """Return the leaderboards of the main part, and those that are not comparable."""
    return (
        [board for board in boards if not board.leaks],
        [board for board in boards if board.leaks],
    )


def shown_notices(board: Leaderboard, kind: Kind, *, real: bool) -> list[Notice]:
    """Return notices of a kind; `real` leaves out those about synthetic corpora."""
    return [
        notice
        for notice in board.notices
        if notice.kind == kind and not (real and notice.synthetic)
    ]
