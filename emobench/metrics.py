"""Scores of predictions; every figure shown anywhere is one of these.

The headline, UAR, is the mean recall over the classes *present in the truth*. A corpus is scored
fold by fold and averaged (what Keesing et al. 2020 report), with the pooled value beside it: on
speakers that lack a class the two differ.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .metric_table import METRICS

if TYPE_CHECKING:
    import pandas as pd


def percent(share: float) -> float:
    """Return a share in percent, as printed; the last bits of a mean do not tip the rounding."""
    return round(round(100 * share, 9), 1)


def signed(share: float) -> str:
    """Return a difference of shares in points, with its sign.

    Examples:
        >>> signed(0.0241), signed(-0.00001)
        ('+2.4', '+0.0')
    """
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def confusion(truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Count how often each class was taken for each.

    Args:
        truth: true label of each clip
        predicted: predicted label of each clip
        labels: classes in the order of rows and columns; must cover both

    Returns:
        counts of shape `(true classes, predicted classes)`

    Raises:
        ValueError: if a label is not among `labels`, or the lengths differ

    Examples:
        >>> confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]).tolist()
        [[1, 1], [0, 1]]
    """
    if len(truth) != len(predicted):
        raise ValueError(f"predicted: expected {len(truth)} labels, found {len(predicted)}.")
    position = {label: index for index, label in enumerate(labels)}
    _insist_on({*truth, *predicted}, position)
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(matrix, ([position[t] for t in truth], [position[p] for p in predicted]), 1)
    return matrix


def uar(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the unweighted average recall over the classes present in the truth.

    A class that is predicted but absent from the truth lowers no recall but those of the clips
    it was predicted for (scikit-learn's `balanced_accuracy_score`; not its macro recall).

    Raises:
        ValueError: if there are no clips

    Examples:
        >>> uar(["a", "a", "b"], ["a", "c", "b"])
        0.75
    """
    return scores(_own_confusion(truth, predicted))["uar"]


def accuracy(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the share of clips that were predicted right (weighted average recall).

    Raises:
        ValueError: if there are no clips
    """
    return scores(_own_confusion(truth, predicted))["wa"]


def macro_f1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the mean F1 over the classes found in the truth or in the predictions.

    Raises:
        ValueError: if there are no clips
    """
    return scores(_own_confusion(truth, predicted))["macro_f1"]


def wap(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the precision averaged with the class sizes; 0 for a class never predicted.

    The metric of Yoon, Byun and Jung (SLT 2018).

    Raises:
        ValueError: if there are no clips
    """
    return scores(_own_confusion(truth, predicted))["wap"]


def recalls(
    truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> dict[str, float | None]:
    """Return the recall of each class, None where the truth does not hold it."""
    return _recalls(confusion(truth, predicted, labels), labels)


def score(predictions: pd.DataFrame, labels: Sequence[str]) -> dict[str, Any]:
    """Score one fold, or any set of predictions taken together.

    Args:
        predictions: columns `label` and `predicted`
        labels: classes in canonical order

    Returns:
        `uar`, `wa`, `macro_f1` and `wap` between 0 and 1, `recall` by class, and `confusion` as
        rows of counts: plain JSON values

    Raises:
        ValueError: if there are no predictions, or a label is not among `labels`
    """
    matrix = confusion(_words(predictions, "label"), _words(predictions, "predicted"), labels)
    recall = _recalls(matrix, labels)
    return {**scores(matrix), "recall": recall, "confusion": matrix.tolist()}


def summarise(predictions: pd.DataFrame, labels: Sequence[str] | None = None) -> dict[str, Any]:
    """Score a cross-validation with its repetitions.

    Args:
        predictions: columns `fold`, `repetition`, `label`, `predicted`, one row for each clip
            and repetition
        labels: classes in canonical order; sorted names when left out

    Returns:
        the figures of `metric_table.METRICS`, each a mean over repetitions; of what is averaged
        over folds also the standard deviation of the repetitions (n - 1; None for a single one)
        and the value of each, as `uar_sd` and `uar_repetitions`; `recall` and `confusion` from all
        predictions together; `repetitions` and `clips` (of one repetition) as counts

    Raises:
        ValueError: if there are no predictions
    """
    if predictions.empty:
        raise ValueError("predictions: expected at least one row, found none.")
    if labels is None:
        labels = sorted({*_words(predictions, "label"), *_words(predictions, "predicted")})
    folds = confusions(predictions, labels)
    repetitions = sorted({repetition for repetition, _ in folds})
    own = [[folds[key] for key in sorted(folds) if key[0] == number] for number in repetitions]
    total = np.sum(list(folds.values()), axis=0)
    return {
        **_figures(own),
        "recall": _recalls(total, labels),
        "confusion": total.tolist(),
        "repetitions": len(repetitions),
        "clips": len(predictions) // len(repetitions),
    }


def _figures(repetitions: Sequence[Sequence[np.ndarray]]) -> dict[str, Any]:
    """Return the figures of the table of metrics from the confusion matrices of all folds."""
    folds = [[scores(matrix) for matrix in part] for part in repetitions]
    pooled = [scores(np.sum(part, axis=0)) for part in repetitions]
    found: dict[str, Any] = {}
    for metric in METRICS:
        if metric.over == "folds":
            values = [float(np.mean([each[metric.score] for each in part])) for part in folds]
            found[metric.deviation] = float(np.std(values, ddof=1)) if len(values) > 1 else None
            found[f"{metric.key}_repetitions"] = values
        else:
            values = [part[metric.score] for part in pooled]
        found[metric.key] = float(np.mean(values))
    return found


def confusions(
    predictions: pd.DataFrame, labels: Sequence[str]
) -> dict[tuple[int, int], np.ndarray]:
    """Count how often each class was taken for each, in every fold of every repetition.

    Args:
        predictions: columns `fold`, `repetition`, `label`, `predicted`
        labels: classes in the order of rows and columns; must cover both

    Returns:
        by repetition and fold, counts of shape `(true classes, predicted classes)`

    Raises:
        ValueError: if a label is not among `labels`
    """
    size = len(labels)
    pairs = _codes(predictions, "label", labels) * size + _codes(predictions, "predicted", labels)
    fold, folds = predictions["fold"].factorize(sort=True)
    repetition, repetitions = predictions["repetition"].factorize(sort=True)
    cells = (len(repetitions), len(folds), size, size)
    flat = (repetition * len(folds) + fold) * size**2 + pairs
    counts = np.bincount(flat, minlength=math.prod(cells)).reshape(cells)
    return {
        (int(number), int(name)): counts[first, second]
        for first, number in enumerate(repetitions)
        for second, name in enumerate(folds)
        if counts[first, second].any()
    }


def _codes(predictions: pd.DataFrame, column: str, labels: Sequence[str]) -> np.ndarray:
    """Return the position of each clip's label among `labels`."""
    codes, found = predictions[column].factorize(use_na_sentinel=False)
    position = {label: index for index, label in enumerate(labels)}
    words = [str(label) for label in found]
    _insist_on(words, position)
    return np.array([position[word] for word in words], dtype=np.int64)[codes]


def _insist_on(words: Iterable[str], labels: Collection[str]) -> None:
    unknown = sorted(set(words) - set(labels))
    if unknown:
        raise ValueError(f"labels: expected to cover every label, found also {unknown}.")


def _words(predictions: pd.DataFrame, column: str) -> list[str]:
    return predictions[column].astype(str).tolist()


def _own_confusion(truth: Sequence[str], predicted: Sequence[str]) -> np.ndarray:
    return confusion(truth, predicted, sorted({*truth, *predicted}))


def _recalls(matrix: np.ndarray, labels: Sequence[str]) -> dict[str, float | None]:
    support = matrix.sum(axis=1)
    return {
        label: float(matrix[index, index] / support[index]) if support[index] else None
        for index, label in enumerate(labels)
    }


def scores(matrix: np.ndarray) -> Mapping[str, float]:
    """Return the scores of a confusion matrix: `uar`, `wa`, `macro_f1` and `wap`.

    Raises:
        ValueError: if there are no clips
    """
    support, chosen, right = matrix.sum(axis=1), matrix.sum(axis=0), np.diag(matrix)
    if not support.sum():
        raise ValueError("predictions: expected at least one clip, found none.")
    present, used = support > 0, (support + chosen) > 0
    precision = right / np.maximum(chosen, 1)
    return {
        "uar": float(np.mean(right[present] / support[present])),
        "wa": float(right.sum() / support.sum()),
        "macro_f1": float(np.mean(2 * right[used] / (support + chosen)[used])),
        "wap": float(precision @ support / support.sum()),
    }
