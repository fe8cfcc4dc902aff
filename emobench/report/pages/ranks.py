"""Models over corpora."""

from __future__ import annotations

from ..evidence import Evidence
from ..page import Page

FEWEST_CORPORA = 5


def page(evidence: Evidence) -> Page:
    """Return the page of mean ranks."""
    groups = []
    for board in evidence.boards:
        if board.ranked:
            rows = evidence.rows(board)
            corpora = {
                row.corpus.partition(":")[0]
                for row in rows
                if any(cell.comparable for cell in row.cells.values())
            }
            groups.append((board, len(corpora)))
    content = {"groups": groups, "fewest": FEWEST_CORPORA}
    return Page("ranks.html", "ranks.html", "Ranks", content, section="leaderboard")
