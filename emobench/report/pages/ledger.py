"""The ledger of published numbers as a page."""

from __future__ import annotations

from ...analysis.ledger import NEAREST, VERDICTS, Line, counts
from ...leaderboard.ledger import RULE
from ...papers import PAPERS, Paper
from .. import addresses
from ..evidence import Cell, Evidence
from ..page import Page

_CITED = Paper("cited", "Cited by these papers")


def page(evidence: Evidence) -> Page:
    """Return the page of published numbers."""
    lines = evidence.lines
    by_paper: dict[Paper, list[Line]] = {}
    for line in lines:
        known = (paper for paper in PAPERS if paper.name == line.paper)
        by_paper.setdefault(next(known, _CITED), []).append(line)
    content = {
        "rule": RULE.replace("*", ""),
        "papers": by_paper,
        "counts": {paper: counts(own) for paper, own in by_paper.items()},
        "total": counts(lines),
        "verdicts": VERDICTS,
        "nearest": NEAREST,
        "corpora": {line.corpus: line.title for line in lines},
        "cells": cells_of(evidence),
        "known": {*evidence.models},
        "cell_address": addresses.cell,
        "corpus_address": addresses.corpus,
        "model_address": addresses.model,
    }
    return Page("ledger.html", "ledger.html", "Published numbers", content, section="ledger")


def cells_of(evidence: Evidence) -> dict[str, Cell]:
    """Return the cell of each result on sound as it is, by its fingerprint."""
    return {cell.result.fingerprint: cell for cell in evidence.plain_cells()}
