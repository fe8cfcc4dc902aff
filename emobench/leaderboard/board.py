"""What a leaderboard holds, before it is rendered: rows are corpora, columns are models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..analysis.published import Published, name_of
from ..analysis.ties import Standing, standing
from ..metric_table import Metric
from ..papers import Paper
from ..results.columns import Column
from ..results.result import Result
from ..results.selection import Notice


@dataclass(frozen=True)
class Row:
    """One corpus, or one that is tested after training on another.

    Attributes:
        corpus: canonical name, with its variant
        title: name for people
        chance: UAR of guessing, in percent
        human: published recognition rate of listeners, in percent
        published: published figures, by name of the metric and model
        cells: our results on sound as it is, by column
        conditions: our results under conditions
        within: UAR of a column inside the tested corpus, over the labels of both, between 0 and 1;
            only of a row between corpora
    """

    corpus: str
    title: str
    chance: float
    human: float | None
    published: Mapping[str, Mapping[str, Published]]
    cells: Mapping[Column, Result]
    conditions: tuple[Result, ...] = ()
    within: Mapping[Column, float] = field(default_factory=dict)

    def printed(self, column: Column, metric: Metric) -> Published | None:
        """Return the published figure that a column reproduces, if there is one."""
        return self.published.get(metric.name, {}).get(name_of(column))

    def standing(self, metric: Metric, columns: Collection[Column] | None = None) -> Standing:
        """Return which of the results, in some columns or in all, are the best by a metric.

        Results under conditions are not among them.
        """
        inside = (
            cell for column, cell in self.cells.items() if columns is None or column in columns
        )
        return standing(inside, metric)


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
        across: what was trained on one corpus and tested on another; never among the rows
        synthetic_across: the same, where one of them is synthetic
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
    across: tuple[Row, ...] = ()
    synthetic_across: tuple[Row, ...] = ()

    @property
    def real(self) -> bool:
        """Return whether there is any result on speech."""
        return bool(self.rows or self.across)
