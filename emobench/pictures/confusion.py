"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .drawing import Drawing
from .heat_map import Cell, Side, heat_map


def confusion(counts: np.ndarray, labels: Sequence[str], title: str) -> Drawing:
    """Draw a confusion matrix: shares of each row, in percent, over the counts.

    Args:
        counts: clips of shape `(true classes, predicted classes)`
        labels: classes in the order of rows and columns
        title: of the picture
    """
    totals = counts.sum(axis=1)
    names = [f"{label} ({total:,})" for label, total in zip(labels, totals, strict=True)]
    cells = {}
    for row, column in np.ndindex(counts.shape):
        count, total = counts[row, column], totals[row]
        share = float(count / total) if total else 0.0
        told = f"{100 * share:.0f} %" if total else "–"
        cells[row, column] = Cell(share, (told, f"{count:,}"))
    return heat_map(
        title, Side("true class (clips)", names), Side("predicted class", labels), cells
    )
