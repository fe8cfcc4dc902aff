"""What a result from one corpus to another is held to: the same model inside the tested corpus."""

from __future__ import annotations

from collections.abc import Iterable

from .. import metrics
from ..results.result import Result


def uar_within(across: Result, shown: Iterable[Result]) -> float | None:
    """Return the UAR of the same model inside the tested corpus, over the labels of both.

    Its speakers are held out there as its protocol says. It chooses among all labels of that
    corpus: a clip that it takes for one that the other corpus lacks is wrong. Of a corpus that
    trains on words of its own there is none.

    Args:
        across: trained on one corpus and tested on another
        shown: results inside corpora, under the same protocol

    Returns:
        between 0 and 1, or None if there is no complete result to hold it to
    """
    place = (across.tested_on, across.column, across.condition, across.sides)
    for one in shown:
        if place == (one.corpus, one.column, one.condition, one.sides) and one.comparable:
            table = one.predictions
            kept = table[table["label"].isin(across.labels)]
            if kept.empty or not set(across.labels) <= set(one.labels):
                return None
            return metrics.summarise(kept, one.labels)["uar"]
    return None
