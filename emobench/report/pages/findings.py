"""What speaks against results, and what is on disk and not shown."""

from __future__ import annotations

from collections.abc import Iterator

from ...audit import Audit, Finding
from ...leaderboard.phrases import HEADINGS
from ..evidence import Evidence
from ..page import Page

MOST = 100
"""Names or notices of a kind that are listed."""


def page(evidence: Evidence) -> Page:
    """Return the page of findings and notices."""
    notices = []
    for board in evidence.boards:
        by_kind = {
            heading.replace("`", ""): [one.text for one in board.notices if one.kind == kind]
            for kind, heading in HEADINGS.items()
        }
        shown = {heading: texts for heading, texts in by_kind.items() if texts}
        if shown:
            notices.append((board, shown))
    content = {
        "most": MOST,
        "audits": evidence.audits,
        "notices": notices,
        "boards": evidence.boards,
    }
    return Page("findings.html", "findings.html", "Findings", content, section="findings")


def about(evidence: Evidence, corpus: str) -> list[tuple[Audit, Finding]]:
    """Return the findings about results on a corpus."""
    return [
        (one, finding)
        for one in evidence.audits
        for finding in one.findings
        if any(_is_of(name, corpus) for name in _names(finding))
    ]


def _names(finding: Finding) -> Iterator[str]:
    """Yield names of results: they begin with the corpus."""
    yield finding.where
    yield from finding.evidence


def _is_of(name: str, corpus: str) -> bool:
    return name.startswith(f"{corpus} ") or f"/{corpus.replace(':', '+')}/" in f"/{name}"
