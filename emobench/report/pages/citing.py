"""How to cite what the site shows."""

from __future__ import annotations

from .. import citations
from ..evidence import Evidence
from ..page import Page

FILE = "citations.bib"


def bibliography(evidence: Evidence) -> str:
    """Return BibTeX of emobench, and of the models and corpora that the site shows."""
    corpora = [corpus for name in evidence.corpora if (corpus := evidence.corpus(name))]
    specs = [evidence.model(name) for name in evidence.models]
    found = citations.entries(corpora, [spec.citation for spec in specs if spec])
    return "\n\n".join(found) + "\n"


def page(evidence: Evidence) -> Page:
    """Return the page."""
    content = {"bibliography": bibliography(evidence), "file": FILE}
    return Page("cite.html", "cite.html", "How to cite", content, section="leaderboard")
