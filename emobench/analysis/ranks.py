"""Models over several corpora: mean ranks, and which of them differ.

J. Demšar, "Statistical comparisons of classifiers over multiple data sets" (JMLR 7, 2006): models
are ranked on each corpus, Friedman's test asks whether their mean ranks differ at all, Nemenyi's
which do. A corpus counts once, whatever its size.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import count
from ..metric_table import UAR
from ..results.columns import Column
from ..results.result import Result
from .paired_tests import LEVEL

FEWEST_CORPORA = 5
FEWEST_MODELS = 3
"""Of two models, pairs of results on each corpus tell more."""


@dataclass(frozen=True)
class ScoreTable:
    """Models with a comparable result on each of some corpora.

    Attributes:
        columns: the models
        corpora: the corpora, by canonical name
        scores: UAR between 0 and 1, of shape `(corpora, models)`
        left_out: models that lack a corpus
    """

    columns: tuple[Column, ...]
    corpora: tuple[str, ...]
    scores: np.ndarray
    left_out: tuple[Column, ...]

    @property
    def lacking(self) -> str:
        """Return why there are no mean ranks, or ""."""
        wanted = f"{FEWEST_CORPORA} corpora or more and {FEWEST_MODELS} models or more"
        if len(self.corpora) >= FEWEST_CORPORA and len(self.columns) >= FEWEST_MODELS:
            return ""
        models = count(len(self.columns), "model")
        corpora = "1 corpus" if len(self.corpora) == 1 else f"{len(self.corpora)} corpora"
        return (
            f"mean ranks need comparable results of the same models on {wanted}; "
            f"found {models} on {corpora}"
        )


@dataclass(frozen=True)
class Ranking:
    """What a critical-difference diagram shows.

    Attributes:
        table: what was ranked
        ranks: mean rank of each model, 1 for the best, in the order of the table
        statistic: of Friedman's test, chi-squared distributed under the hypothesis of no difference
        p: of Friedman's test
        critical: difference of mean ranks from which on Nemenyi's test tells two models apart
        p_pairs: of Nemenyi's test, of shape `(models, models)`
    """

    table: ScoreTable
    ranks: tuple[float, ...]
    statistic: float
    p: float
    critical: float
    p_pairs: np.ndarray

    @property
    def differ(self) -> bool:
        """Return whether Friedman's test finds a difference."""
        return self.p < LEVEL

    def order(self) -> list[int]:
        """Return the positions of the models, the best first."""
        return sorted(range(len(self.ranks)), key=lambda one: (self.ranks[one], one))

    def groups(self) -> list[tuple[Column, ...]]:
        """Return the largest groups of models that are not told apart: the bars of the diagram.

        Where Friedman's test finds no difference, all models are one group.
        """
        order = self.order()
        ascending = [self.ranks[index] for index in order]
        bars = cliques(ascending, self.critical if self.differ else math.inf)
        return [
            tuple(self.table.columns[index] for index in order[first : last + 1])
            for first, last in bars
        ]


def cliques(values: Sequence[float], critical_difference: float) -> list[tuple[int, int]]:
    """Return the runs of models whose ranks lie within the critical difference.

    Args:
        values: mean ranks, ascending
        critical_difference: by how much mean ranks differ that are told apart

    Returns:
        positions of the first and the last of each run of two or more that is part of no longer one

    Examples:
        >>> cliques([1.0, 1.5, 2.2, 4.0], 1.0)
        [(0, 1), (1, 2)]
    """
    found: list[tuple[int, int]] = []
    for first, value in enumerate(values):
        last = max(
            place for place, other in enumerate(values) if other - value <= critical_difference
        )
        if last > first and not (found and last <= found[-1][1]):
            found.append((first, last))
    return found


def score_table(results: Mapping[str, Sequence[Result]]) -> ScoreTable:
    """Return the models that can be ranked: those with most corpora, on all that they share.

    A model takes part if it has a comparable result on `FEWEST_CORPORA` corpora or more, or on all
    where there are fewer; a corpus if all of these have one on it. Of a corpus and its variants the
    first counts.

    Args:
        results: by corpus, one of each column
    """
    by_corpus: dict[str, dict[Column, Result]] = {}
    for corpus, own in results.items():
        if corpus.partition(":")[0] not in {known.partition(":")[0] for known in by_corpus}:
            by_corpus[corpus] = {one.column: one for one in own if one.comparable}
    by_corpus = {corpus: own for corpus, own in by_corpus.items() if own}
    found = sorted({column for own in by_corpus.values() for column in own}, key=_position)
    needed = min(FEWEST_CORPORA, len(by_corpus))
    columns = [
        column for column in found if sum(column in own for own in by_corpus.values()) >= needed
    ]
    corpora = [corpus for corpus, own in by_corpus.items() if all(one in own for one in columns)]
    scores = [[by_corpus[corpus][one].scores[UAR.key] for one in columns] for corpus in corpora]
    return ScoreTable(
        columns=tuple(columns),
        corpora=tuple(corpora),
        scores=np.array(scores, dtype=float).reshape(len(corpora), len(columns)),
        left_out=tuple(column for column in found if column not in columns),
    )


def ranking(table: ScoreTable) -> Ranking:
    """Rank models over corpora.

    Args:
        table: of `FEWEST_CORPORA` corpora and `FEWEST_MODELS` models or more
    """
    from scipy import stats

    n_corpora, n_models = table.scores.shape
    ranks = stats.rankdata(-table.scores, axis=1).mean(axis=0)
    alike = np.ptp(table.scores, axis=1).max() == 0  # the statistic would be 0 / 0
    statistic, p = (0.0, 1.0) if alike else stats.friedmanchisquare(*table.scores.T)
    unit = math.sqrt(n_models * (n_models + 1) / (6 * n_corpora))
    quantile = stats.studentized_range.ppf(1 - LEVEL, n_models, np.inf) / math.sqrt(2)
    p_pairs = np.ones((n_models, n_models))
    for first, second in itertools.combinations(range(n_models), 2):
        apart = math.sqrt(2) * abs(ranks[first] - ranks[second]) / unit
        pair = float(stats.studentized_range.sf(apart, n_models, np.inf))
        p_pairs[first, second] = p_pairs[second, first] = pair
    return Ranking(
        table=table,
        ranks=tuple(map(float, ranks)),
        statistic=float(statistic),
        p=float(p),
        critical=float(quantile * unit),
        p_pairs=p_pairs,
    )


def _position(column: Column) -> tuple:
    return column.position
