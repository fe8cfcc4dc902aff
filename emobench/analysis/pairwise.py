"""All models on a corpus, each against each."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..errors import StoreError
from ..results.gathering import Gathered
from ..results.lookup import Lookup
from ..results.result import Result
from .comparison import Comparison, told_by_speakers
from .paired_tests import LEVEL, holm


def by_corpus(
    gathered: Gathered, lookup: Lookup, corpora: Collection[str] = (), models: Collection[str] = ()
) -> dict[str, list[Result]]:
    """Return the results on sound as it is that a table shows, by corpus.

    Args:
        gathered: results of a protocol
        lookup: facts about corpora
        corpora: canonical names; empty for all that are not synthetic
        models: canonical names; empty for all

    Raises:
        StoreError: if there are none
    """
    found: dict[str, list[Result]] = {}
    for one in gathered.shown:
        wanted = one.corpus in corpora if corpora else not lookup.synthetic(one.corpus)
        if wanted and not one.condition and (not models or one.model in models):
            found.setdefault(one.corpus, []).append(one)
    if not found:
        raise StoreError(
            f"compare: expected complete results{' on ' if corpora else ''}{', '.join(corpora)}, "
            "found none. Add --partial for incomplete ones, or run some with `emobench run`."
        )
    return {name: found[name] for name in sorted(found, key=lookup.position)}


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
