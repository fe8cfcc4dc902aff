"""All models on a corpus, each against each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ..results.result import Result
from .comparison import Comparison, told_by_speakers
from .paired_tests import LEVEL, holm


@dataclass(frozen=True)
class Pair:
    """Two results on one corpus.

    Attributes:
        first: one result
        second: another
        comparison: speaker by speaker, or None for too few speakers
        p: of the paired t-test with Holm's correction over all pairs of the corpus; 1 for too few
            speakers
    """

    first: Result
    second: Result
    comparison: Comparison | None
    p: float

    @property
    def told_apart(self) -> bool:
        """Return whether one of them is better."""
        return self.p < LEVEL


@dataclass(frozen=True)
class Matrix:
    """Every pair of results on one corpus.

    Attributes:
        corpus: canonical name
        title: for people
        results: of one column each, the highest UAR first
        pairs: each of them with each that follows it
    """

    corpus: str
    title: str
    results: tuple[Result, ...]
    pairs: tuple[Pair, ...]


def matrix(corpus: str, title: str, results: Sequence[Result]) -> Matrix:
    """Compare each result on a corpus with each other one.

    Args:
        corpus: canonical name
        title: for people
        results: of one column each, on sound as it is, under one protocol
    """
    ordered = sorted(results, key=lambda one: (-one.scores["uar"], one.column.position))
    couples = list(itertools.combinations(ordered, 2))
    compared = [told_by_speakers(first, second) for first, second in couples]
    corrected = holm([found.p if found else 1.0 for found in compared])
    pairs = (
        Pair(first, second, found, p)
        for (first, second), found, p in zip(couples, compared, corrected, strict=True)
    )
    return Matrix(corpus, title, tuple(ordered), tuple(pairs))
