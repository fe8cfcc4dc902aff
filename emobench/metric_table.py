"""The table of metrics: what can be shown of a result, from which all else derives.

The functions that compute are in `metrics`; this table needs no package, so that the command line
can offer its names at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HEADLINE = "headline"
"""What stands for the metric that a protocol shows first."""


@dataclass(frozen=True)
class Metric:
    """One figure of a cross-validation.

    Attributes:
        name: as written after `--metric`
        title: what it is, for people
        score: which score of a confusion matrix it is made of, as `metrics.scores` names it
        over: what is scored: each fold, whose scores are averaged, or all clips of a repetition
            together; either way it is averaged over repetitions
        chance: whether guessing gives one over the number of classes
        published: whether papers print it, in `published.csv`
    """

    name: str
    title: str
    score: str
    over: Literal["folds", "clips"] = "clips"
    chance: bool = False
    published: bool = False

    @property
    def key(self) -> str:
        """Return its name among what `metrics.summarise` returns, and in tables for programs."""
        return f"{self.score}_{self.name}" if self.name == "pooled" else self.name

    @property
    def deviation(self) -> str:
        """Return the name of its standard deviation over repetitions, or "" where none is kept."""
        return f"{self.key}_sd" if self.over == "folds" else ""


UAR = Metric(
    "uar",
    "UAR in percent: mean over folds of the mean recall over classes",
    score="uar",
    over="folds",
    chance=True,
    published=True,
)

METRICS = (
    UAR,
    Metric(
        "pooled",
        "Pooled UAR in percent: mean recall over classes of all predictions together",
        score="uar",
        chance=True,
    ),
    Metric("wa", "WA in percent: share of clips that are right", score="wa", published=True),
    Metric(
        "macro_f1",
        "Macro F1 in percent: mean F1 over the classes that occur or are predicted",
        score="macro_f1",
    ),
    Metric(
        "wap",
        "WAP in percent: precision of each class, weighted by how many clips are of it",
        score="wap",
        published=True,
    ),
)

PUBLISHED = tuple(metric for metric in METRICS if metric.published)
SCORES = tuple(dict.fromkeys(metric.score for metric in METRICS))
"""Scores of a confusion matrix, each once."""

CHOICES = (HEADLINE, *(metric.name for metric in METRICS))
"""What can be written after `--metric`."""

USUAL = (HEADLINE, UAR.name)
"""What is shown unless something else is asked for."""

BESIDE = ("pooled", "wa")
"""What `--pooled` adds."""


def get(name: str) -> Metric:
    """Return a metric by name.

    Raises:
        KeyError: if there is none of that name
    """
    return {metric.name: metric for metric in METRICS}[name]
