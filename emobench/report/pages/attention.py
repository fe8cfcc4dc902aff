"""What networks attend to, where records hold it."""

from __future__ import annotations

from ... import pictures
from ...analysis.attention_profile import profile
from ...errors import EmobenchError
from .. import addresses
from ..evidence import Evidence
from ..page import Page


def page(evidence: Evidence) -> Page:
    """Return the page of attention."""
    groups, refused = [], []
    for cell in evidence.cells:
        try:
            found = profile(cell.result)
        except EmobenchError as error:
            refused.append(str(error))
            continue
        if found:
            title = f"Attention of {cell.result.column.name} on {cell.row.title}"
            drawn = pictures.attention_profile(found, title)
            groups.append((cell, found, pictures.svg(drawn, len(groups) + 1)))
    content = {"groups": groups, "refused": refused, "cell_address": addresses.cell}
    return Page("attention.html", "attention.html", "Attention", content, section="leaderboard")
