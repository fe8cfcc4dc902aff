"""Which of the stored results a table shows, and why the others are not shown.

One result is shown for a model on a corpus, and results are never mixed: a cell is one experiment
with one configuration, on one set of clips, computed by one backend. What was run on texts or word
vectors from a file is a column of its own; what was run under a condition of the sound is kept
apart from the columns, and what was run on permuted labels is no result at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import count
from ..spec import Job
from .result import Result

Kind = Literal["incomplete", "alternative", "stale", "failed", "damaged", "control"]


@dataclass(frozen=True)
class Notice:
    """Something on disk that a table does not show, or a doubt about what it does.

    Attributes:
        kind: what is the matter
        text: in one line
        synthetic: whether it concerns a synthetic corpus
    """

    kind: Kind
    text: str
    synthetic: bool = False


def choose(
    results: Sequence[Result], *, partial: bool, synthetic: bool
) -> tuple[Result | None, list[Notice]]:
    """Choose what a cell shows.

    Args:
        results: those of one column on one corpus, under one condition, with today's
            configuration
        partial: whether an incomplete result will do
        synthetic: whether the corpus is synthetic

    Returns:
        the result to show, if any, and a notice for each of the others
    """
    shown, notices = None, []
    for result in sorted(results, key=Result.rank, reverse=True):
        whole = result.whole
        if shown is None and (whole or (partial and result.done)):
            shown = result
        elif result.done:
            kind = "alternative" if shown is not None or whole else "incomplete"
            notices.append(Notice(kind, _described(result), synthetic))
    return shown, notices


def failures(result: Result, synthetic: bool) -> list[Notice]:
    """Return a notice for each job that failed, with the first line of the reason."""
    notices = []
    for failure in result.stored.failures:
        job = Job(failure["fold"], failure["repetition"])
        what = "tuning" if job.fold is None else f"fold {job.fold} repetition {job.repetition}"
        reason = (str(failure.get("reason") or "").strip() or "no reason given").splitlines()[0]
        notices.append(Notice("failed", f"{result.name}: {what}: {reason}", synthetic))
    return notices


def repeated_clips(result: Result) -> list[str]:
    """Return the ids that are tested more than once in a repetition."""
    table = result.predictions
    if table.empty:
        return []
    return sorted(np.unique(table["id"][table.duplicated(["repetition", "id"])].astype(str)))


def _described(result: Result) -> str:
    facts = [f"{result.done} of {count(result.wanted, 'fold')}"]
    if result.clips is not None:
        facts.append(f"{result.clips} clips")
    if result.epochs is not None:
        facts.append(f"trained for {count(result.epochs, 'epoch')}")
    return f"{result.name}: {', '.join(facts)}, {result.backend}"
