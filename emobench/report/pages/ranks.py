"""Models over corpora: mean ranks, and which are told apart."""

from __future__ import annotations

from ... import pictures
from ...analysis.ranks import ranking, score_table
from ..evidence import Evidence
from ..page import Page


def page(evidence: Evidence) -> Page:
    """Return the page of mean ranks."""
    groups = []
    for board in evidence.boards:
        if not board.ranked:
            continue
        rows = evidence.rows(board)
        table = score_table({row.corpus: [*row.cells.values()] for row in rows})
        if table.lacking:
            groups.append((board, table, None, ""))
            continue
        found = ranking(table)
        title = f"Mean ranks over {len(table.corpora)} corpora, protocol {board.protocol}"
        picture = pictures.svg(pictures.ranks(found, title), len(groups) + 1)
        groups.append((board, table, found, picture))
    content = {"groups": groups, "title_of": evidence.lookup.title}
    return Page("ranks.html", "ranks.html", "Ranks", content, section="leaderboard")
