"""Losses while networks were trained, as their records tell them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import StoreError
from ..store import StoredExperiment


@dataclass(frozen=True)
class LearningCurve:
    """One training.

    Attributes:
        fold: index of the fold
        repetition: from 1
        held_out: speakers or sessions that the fold tests
        epochs: how many had passed at each point
        training: loss on the training clips, as long as `epochs`
        development: loss on the development clips after each point, or () where none was kept
        best: epoch whose weights were used, or None for the last
    """

    fold: int
    repetition: int
    held_out: tuple[str, ...]
    epochs: tuple[float, ...]
    training: tuple[float, ...]
    development: tuple[float, ...]
    best: float | None


def learning_curves(stored: StoredExperiment) -> tuple[LearningCurve, ...]:
    """Return the curves of all finished folds, by fold and repetition.

    Raises:
        StoreError: if no record tells losses, as those of estimators
    """
    found = [
        _curve(record)
        for record in stored.records
        if record["fold"] is not None and record.get("loss")
    ]
    if not found:
        raise StoreError(
            f"{stored.folder}: expected losses of a network, found none on file. "
            "Estimators are not trained in epochs; choose a network."
        )
    return tuple(sorted(found, key=lambda curve: (curve.fold, curve.repetition)))


def _curve(record: Mapping[str, Any]) -> LearningCurve:
    losses: Sequence[float] = record["loss"]
    share = record.get("epochs", len(losses)) / len(losses)
    return LearningCurve(
        fold=record["fold"],
        repetition=record["repetition"],
        held_out=tuple(record.get("held_out") or ()),
        epochs=tuple(share * (place + 1) for place in range(len(losses))),
        training=_numbers(losses),
        development=_numbers(record.get("development_loss") or ()),
        best=record.get("best_epoch", record.get("best_test_epoch")),
    )


def _numbers(losses: Sequence[float | None]) -> tuple[float, ...]:
    """Return losses; those that were no numbers, which JSON cannot hold, are gaps."""
    return tuple(math.nan if loss is None else loss for loss in losses)
