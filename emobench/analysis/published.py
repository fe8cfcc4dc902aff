"""The published results, to be read beside ours.

`published.csv` holds them as printed, in percent: Table 3 of Keesing, Watson and Witbrock (ALTA
2020) with its human column, and the tables of the other papers whose models are here. What a
paper calls UA (unweighted accuracy) is UAR. A model is named as here, options included:
embeddings of 50 columns are Krishna and Reddy's default, and results with others carry the size.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..results.columns import Column

HUMAN = "human"

_FILE = Path(__file__).with_name("published.csv")
_RECOGNISED = " (ASR transcripts)"


@dataclass(frozen=True)
class Published:
    """One published figure.

    Attributes:
        value: in percent
        protocol: whose protocol it was obtained with; "" for human listeners
    """

    value: float
    protocol: str


def figures(corpus: str, metric: str = "uar") -> Mapping[str, Published]:
    """Return what was published of each model on a corpus (name without variant).

    Args:
        corpus: canonical name
        metric: name of one that papers print
    """
    return {
        row["model"]: Published(float(row["value"]), row["protocol"])
        for row in rows()
        if row["corpus"] == corpus and row["metric"] == metric
    }


def name_of(column: Column) -> str:
    """Return the name under which the results that a column reproduces were published.

    Texts from a file stand for a recogniser's; word vectors are what the papers have anyway.

    Examples:
        >>> name_of(Column("yoon2018-mdrea", transcripts="1a2b3c4d", vectors="5e6f7a8b"))
        'yoon2018-mdrea (ASR transcripts)'
    """
    return column.configured + (_RECOGNISED if column.transcripts else "")


def of_model(model: str) -> list[Mapping[str, str]]:
    """Return the published figures of a model: `corpus`, `protocol`, `metric` and `value`."""
    return [row for row in rows() if row["model"] == model]


def human(corpus: str) -> float | None:
    """Return how often listeners were right on a corpus, in percent, as the paper prints it."""
    for row in rows():
        if row["corpus"] == corpus and row["model"] == HUMAN:
            return float(row["value"])
    return None


def registered(name: str) -> str:
    """Return the name in the model registry of what was published under a name.

    Examples:
        >>> registered("yoon2018-mdrea (ASR transcripts)")
        'yoon2018-mdrea'
    """
    return name.removesuffix(_RECOGNISED)


@cache
def rows() -> tuple[Mapping[str, str], ...]:
    """Return every published figure as the file has it.

    `paper`, `model`, `corpus`, `protocol` ("" for listeners), `metric` ("recognition" of
    listeners, else one of `METRICS`), `value` as printed, and `sd`, which may be empty.
    """
    with open(_FILE, encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))
