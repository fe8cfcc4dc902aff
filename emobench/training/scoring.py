"""From the probabilities of a fold's test clips to predictions and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .. import metrics
from ..experiments.dataset import Dataset
from ..spec import Fold, Job


def score(
    data: Dataset, fold: Fold, job: Job, classes: Sequence[str], probabilities: np.ndarray
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Score a fold.

    Args:
        data: the data set
        fold: whose test clips were predicted
        job: which repetition it is
        classes: labels in the order of the columns of `probabilities`
        probabilities: of shape `(test clips, classes)`

    Returns:
        scores with the numbers of clips, and the table of predictions
    """
    known = data.table.loc[list(fold.test)]
    columns = dict(zip(classes, probabilities.T, strict=True))
    # A class that training did not hold was not predicted.
    absent = np.zeros(len(known))
    ordered = np.stack([columns.get(label, absent) for label in data.labels], axis=1)
    ordered = ordered.astype(np.float32)
    predictions = pd.DataFrame(
        {
            "id": known.index.astype(str),
            "label": known["label"].to_numpy(),
            "predicted": np.asarray(data.labels, dtype=object)[ordered.argmax(axis=1)],
            **{f"p_{label}": ordered[:, index] for index, label in enumerate(data.labels)},
            **{name: known[name].to_numpy() for name in ("speaker", "group", "sex", "sentence")},
            "fold": job.fold,
            "repetition": job.repetition,
        }
    )
    facts = {
        "n_training": len(fold.training),
        "n_test": len(fold.test),
        **({"n_copies": len(fold.copies)} if fold.copies else {}),
        "held_out": list(fold.held_out),
        "scores": metrics.score(predictions, data.labels),
    }
    return facts, predictions
