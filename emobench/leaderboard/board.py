"""What a leaderboard holds, before it is rendered: rows are corpora, columns are models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..analysis.published import Published, name_of
from ..results.selection import Notice


@dataclass(frozen=True)
class Cell:
    """One model on one corpus.

    Attributes:
        model: canonical name
        column: name of the model with the files that it was given beside audio
        condition: what the sound went through, or "" for sound as it is
        sides: which clips went through it, or ""
        files: digest of each such file by kind, "" where there was none
        labels: the classes, in the order of the confusion matrix
        scores: as `metrics.summarise` returns them, between 0 and 1
        done: number of folds, over all repetitions, that are there
        wanted: number of folds, over all repetitions, of a complete result
        backend: what computed it
        fingerprint: of the experiment
        clips: on how many clips
        notes: what sets the result apart from the others of the table
        comparable: whether it is complete and was trained as the protocol says
    """

    model: str
    column: str
    condition: str
    sides: str
    files: Mapping[str, str]
    labels: tuple[str, ...]
    scores: Mapping[str, Any]
    done: int
    wanted: int
    backend: str
    fingerprint: str
    clips: int | None
    notes: tuple[str, ...]
    comparable: bool

    @property
    def complete(self) -> bool:
        """Return whether every fold and repetition is there."""
        return self.done == self.wanted


@dataclass(frozen=True)
class Row:
    """One corpus.

    Attributes:
        corpus: canonical name, with its variant
        title: name for people
        chance: UAR of guessing, in percent
        human: published recognition rate of listeners, in percent
        published: published figures by metric and model
        cells: our results on sound as it is, by column
        conditions: our results under conditions
    """

    corpus: str
    title: str
    chance: float
    human: float | None
    published: Mapping[str, Mapping[str, Published]]
    cells: Mapping[str, Cell]
    conditions: tuple[Cell, ...] = ()

    def printed(self, column: str, metric: str = "uar") -> Published | None:
        """Return the published figure that a column reproduces, if there is one."""
        return self.published.get(metric, {}).get(name_of(column))

    def best(self, score: str, columns: Collection[str] | None = None) -> set[str]:
        """Return the columns, of some or of all, whose comparable result is the best, as printed.

        Results under conditions are not among them.
        """
        figures = {
            column: percent(cell.scores[score])
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
        headline: score that is shown first
        rows: real corpora with results, in the order of the registry
        synthetic: synthetic corpora with results: never to be mixed with the others
        notices: what is on disk and not shown, and what is wrong with it
        elsewhere: other protocols that have results
    """

    protocol: str
    title: str
    caution: str
    headline: str
    rows: tuple[Row, ...]
    synthetic: tuple[Row, ...]
    notices: tuple[Notice, ...]
    elsewhere: tuple[str, ...] = ()


def percent(value: float) -> float:
    """Return a share in percent, as printed; the last bits of a mean do not tip the rounding."""
    return round(round(100 * value, 9), 1)
