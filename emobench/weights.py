"""Sample weights that give every emotion the same total weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np


def balanced(labels: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return inverse-frequency weights: `w_i = N / (K n_{y_i})` for the K classes present.

    Every class then weighs `N / K` in all, and the mean weight is 1.

    Args:
        labels: label of each clip, of shape `(clips,)`

    Returns:
        float64 of shape `(clips,)`

    Examples:
        >>> balanced(["anger", "anger", "anger", "fear"])
        array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    classes, index, count = np.unique(
        np.asarray(labels, dtype=str), return_inverse=True, return_counts=True
    )
    return len(index) / (len(classes) * count[index]) if len(index) else np.zeros(0)


def for_fold(
    labels: Sequence[str] | np.ndarray,
    training: np.ndarray,
    weights: Literal["training", "corpus", "none"],
) -> np.ndarray:
    """Return the sample weights of the training clips of a fold.

    Args:
        labels: label of every clip, of shape `(clips,)`
        training: positions of the training clips
        weights: whose classes are counted: those of the "training" clips, of the whole "corpus"
            (test clips too, as published by Keesing et al. 2020), or "none" for equal weights

    Returns:
        float64 of shape `(training clips,)`

    Raises:
        ValueError: if `weights` is none of these
    """
    labels, training = np.asarray(labels, dtype=str), np.asarray(training)
    if weights == "training":
        return balanced(labels[training])
    if weights == "corpus":
        return balanced(labels)[training]
    if weights == "none":
        return np.ones(len(labels[training]))
    raise ValueError(f"weights: expected 'training', 'corpus' or 'none', found {weights!r}.")
