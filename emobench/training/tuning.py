"""Searching hyper-parameters of a network, and what a search on evaluation folds has found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from .. import folds
from ..errors import EmobenchError
from ..experiments import searches
from ..experiments.context import Context
from ..experiments.dataset import Dataset
from ..metrics import uar
from ..spec import Fold, Job
from ..store import Store


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        parameters: the best cell
        scores: every cell with its `score`, the mean UAR over the inner folds, and that of each
        kind: whether the two sides of the inner folds share a speaker
    """

    parameters: dict[str, Any]
    scores: list[dict[str, Any]]
    kind: folds.Kind


def on_evaluation_folds(
    parameters: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the record of a search on the folds that are later reported."""
    return {"parameters": parameters, "grid": scores, "tuned_on": "evaluation folds"}


def found_before(context: Context, store: Store) -> dict[str, Any] | None:
    """Return what was found on the evaluation folds, or None where nothing is searched there.

    Raises:
        EmobenchError: if that search has no record
    """
    if context.protocol.tuning != "evaluation" or not searches(context.model, context.protocol):
        return None
    if not store.done(context.experiment, [Job(None)]):
        raise EmobenchError("its tuning has no record. Run the same command again.")
    return store.record(context.experiment, Job(None))["parameters"]


def inner_folds(fold: Fold, data: Dataset) -> tuple[list[Fold], folds.Kind]:
    """Return folds of a fold's training clips, and whether their two sides share a speaker."""
    splits, kind = folds.inner_splits(fold, data.table)
    ids = data.table.index
    return [
        Fold(number, (), tuple(ids[training]), tuple(ids[held_out]))
        for number, (training, held_out) in enumerate(splits)
    ], kind


def search(
    grid: Mapping[str, Sequence[Any]],
    inner: Sequence[Fold],
    kind: folds.Kind,
    data: Dataset,
    predict: Callable[[Fold, Mapping[str, Any]], np.ndarray],
) -> Found:
    """Return the cell of a grid with the best mean UAR over inner folds; the first of equals.

    Args:
        grid: values by hyper-parameter
        inner: folds of the training clips
        kind: whether their two sides share a speaker
        data: the data set
        predict: from a fold and a cell to probabilities of the fold's test clips
    """
    labels = np.asarray(data.labels, dtype=object)
    cells = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    scores = []
    for cell in cells:
        reached = []
        for fold in inner:
            truth = data.targets[data.positions(fold.test)]
            predicted = predict(fold, cell).argmax(axis=1)
            reached.append(uar(list(labels[truth]), list(labels[predicted])))
        scores.append({**cell, "score": float(np.mean(reached)), "splits": reached})
    best = max(range(len(cells)), key=lambda index: scores[index]["score"])
    return Found(cells[best], scores, kind)
