"""What a leaderboard holds, before it is rendered: rows are corpora, columns are models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .published import Published
from .selection import Notice


@dataclass(frozen=True)
class Cell:
    """One model on one corpus.

    Attributes:
        model: canonical name
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
        published: published UAR by model
        cells: our results by model
    """

    corpus: str
    title: str
    chance: float
    human: float | None
    published: Mapping[str, Published]
    cells: Mapping[str, Cell]

    def best(self, score: str) -> set[str]:
        """Return the models whose comparable result is the best, as printed."""
        printed = {
            model: percent(cell.scores[score])
            for model, cell in self.cells.items()
            if cell.comparable
        }
        top = max(printed.values(), default=None)
        return {model for model, value in printed.items() if value == top}


@dataclass(frozen=True)
class Leaderboard:
    """The results of one protocol.

    Attributes:
        protocol: its name
        title: what it is, in a sentence
        caution: to be printed with its numbers, or ""
        rows: real corpora with results, in the order of the registry
        synthetic: synthetic corpora with results: never to be mixed with the others
        notices: what is on disk and not shown, and what is wrong with it
        elsewhere: other protocols that have results
    """

    protocol: str
    title: str
    caution: str
    rows: tuple[Row, ...]
    synthetic: tuple[Row, ...]
    notices: tuple[Notice, ...]
    elsewhere: tuple[str, ...] = ()


def percent(value: float) -> float:
    """Return a share in percent, as printed; the last bits of a mean do not tip the rounding."""
    return round(round(100 * value, 9), 1)
