"""The published results, to be read beside ours.

`published.csv` holds them as printed, in percent: Table 3 of Keesing, Watson and Witbrock (ALTA
2020) with its human column, and the tables of the other papers whose models are here. What a
paper calls UA (unweighted accuracy) is UAR. Embeddings of 50 columns are Krishna and Reddy's
default; results with others carry the size behind the model's name.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HUMAN = "human"

_FILE = Path(__file__).parent.parent / "published.csv"


@dataclass(frozen=True)
class Published:
    """One published figure.

    Attributes:
        value: in percent
        protocol: whose protocol it was obtained with; "" for human listeners
    """

    value: float
    protocol: str


def uars(corpus: str) -> Mapping[str, Published]:
    """Return the published UAR of each model on a corpus (name without variant)."""
    return {
        row["model"]: Published(float(row["value"]), row["protocol"])
        for row in _rows()
        if row["corpus"] == corpus and row["metric"] == "uar"
    }


def human(corpus: str) -> float | None:
    """Return how often listeners were right on a corpus, in percent, as the paper prints it."""
    for row in _rows():
        if row["corpus"] == corpus and row["model"] == HUMAN:
            return float(row["value"])
    return None


@cache
def model_order() -> Mapping[str, int]:
    """Return the column of each published model, in the order of the papers' tables."""
    models = dict.fromkeys(row["model"] for row in _rows() if row["model"] != HUMAN)
    return {model: index for index, model in enumerate(models)}


@cache
def _rows() -> tuple[Mapping[str, str], ...]:
    with open(_FILE, encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))
