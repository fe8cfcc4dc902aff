"""The best result of a row, and those that speakers do not tell from it.

The best is the one with the highest figure, as a table prints it. Every other comparable result is
tested against it, speaker by speaker (`paired_tests.t_test`), and the p-values are corrected for
their number by Holm's method; what is not told to be worse is as good as the best. With fewer than
`intervals.FEWEST` speakers nothing is told apart. What may not be compared (`Result.barred`) takes
no part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..metric_table import Metric
from ..metrics import percent
from ..results.columns import Column
from ..results.result import Result
from .comparison import told_by_speakers
from .paired_tests import LEVEL, holm


@dataclass(frozen=True)
class Standing:
    """How the results of a row stand to the best of them.

    Attributes:
        best: the best one, and those that are not told from it
        p: Holm-corrected p of each other comparable result against the best
    """

    best: frozenset[Column] = frozenset()
    p: dict[Column, float] = field(default_factory=dict)


def standing(results: Iterable[Result], metric: Metric) -> Standing:
    """Return which results are the best by a metric.

    Args:
        results: of one corpus, under one protocol, each of another column
        metric: what they are compared by
    """
    held = sorted(
        (one for one in results if one.comparable),
        key=lambda one: (-one.scores[metric.key], one.column.position),
    )
    if not held:
        return Standing()
    top, *others = held
    compared = {one.column: told_by_speakers(top, one, metric) for one in others}
    raw = [found.p if found else 1.0 for found in compared.values()]
    p = dict(zip(compared, holm(raw), strict=True))
    best = {top.column}
    for one in others:
        found = compared[one.column]
        told = found is not None and p[one.column] < LEVEL and found.difference > 0
        if not told or _printed(one, metric) == _printed(top, metric):
            best.add(one.column)
    return Standing(frozenset(best), p)


def _printed(result: Result, metric: Metric) -> float:
    return percent(result.scores[metric.key])
