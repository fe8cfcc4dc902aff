"""What a leaderboard holds, before it is rendered: rows are corpora, columns are models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..analysis.published import Published, name_of
from ..metric_table import Metric
from ..papers import Paper
from ..results.columns import Column
from ..results.result import Result
from ..results.selection import Notice


@dataclass(frozen=True)
class Row:
    """One corpus.

    Attributes:
        corpus: canonical name, with its variant
        title: name for people
        chance: UAR of guessing, in percent
        human: published recognition rate of listeners, in percent
        published: published figures, by name of the metric and model
        cells: our results on sound as it is, by column
        conditions: our results under conditions
    """

    corpus: str
    title: str
    chance: float
    human: float | None
    published: Mapping[str, Mapping[str, Published]]
    cells: Mapping[Column, Result]
    conditions: tuple[Result, ...] = ()

    def printed(self, column: Column, metric: Metric) -> Published | None:
        """Return the published figure that a column reproduces, if there is one."""
        return self.published.get(metric.name, {}).get(name_of(column))

    def best(self, metric: Metric, columns: Collection[Column] | None = None) -> set[Column]:
        """Return the columns, of some or of all, whose comparable result is the best, as printed.

        Results under conditions are not among them.
        """
        figures = {
            column: percent(cell.scores[metric.key])
            for column, cell in self.cells.items()
            if cell.comparable and (columns is None or column in columns)
        }
        top = max(figures.values(), default=None)
        return {column for column, value in figures.items() if value == top}


@dataclass(frozen=True)
class Leaderboard:
    """The results of one protocol.

    Attributes:
        protocol: its name
        title: what it is, in a sentence
        caution: to be printed with its numbers, or ""
        leaks: why its numbers are not comparable, as `gate.leaks` says; empty in the main part
        ranked: whether a result of it can be the best
        paper: whose table comes first
        headline: metric that is shown first
        rows: real corpora with results, in the order of the registry
        synthetic: synthetic corpora with results: never to be mixed with the others
        notices: what is on disk and not shown, and what is wrong with it
        elsewhere: other protocols that have results
    """

    protocol: str
    title: str
    caution: str
    leaks: tuple[str, ...]
    ranked: bool
    paper: Paper
    headline: Metric
    rows: tuple[Row, ...]
    synthetic: tuple[Row, ...]
    notices: tuple[Notice, ...]
    elsewhere: tuple[str, ...] = ()


def percent(value: float) -> float:
    """Return a share in percent, as printed; the last bits of a mean do not tip the rounding."""
    return round(round(100 * value, 9), 1)
