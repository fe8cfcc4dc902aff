"""Recall class by class, and how far it would move with other speakers."""

from __future__ import annotations

from dataclasses import dataclass

from ..results import speakers
from ..results.result import Result
from .intervals import Interval, over_speakers


@dataclass(frozen=True)
class ClassRecall:
    """One class of a result.

    Attributes:
        label: the class
        recall: share of its clips, over all folds and repetitions, that were recognised; None
            where no clip is of it
        interval: 95 % interval of the mean over speakers of each one's recall; None for fewer
            than `intervals.FEWEST` that have clips of the class
        speakers: how many have clips of it
        clips: how many there are, in one repetition
    """

    label: str
    recall: float | None
    interval: Interval | None
    speakers: int
    clips: int


def class_recalls(result: Result) -> tuple[ClassRecall, ...]:
    """Return the recall of each class, in the order of the classes."""
    table = result.predictions
    label = table["label"].astype(str)
    who = speakers.names(table)
    right = label == table["predicted"].astype(str)
    each = right.groupby([label, who]).mean()
    clips = table["id"].groupby(label).nunique()
    found = []
    for name, recall in result.scores["recall"].items():
        own = each.loc[name].to_numpy() if recall is not None else ()
        found.append(
            ClassRecall(
                label=name,
                recall=recall,
                interval=over_speakers(own),
                speakers=len(own),
                clips=int(clips.get(name, 0)),
            )
        )
    return tuple(found)
