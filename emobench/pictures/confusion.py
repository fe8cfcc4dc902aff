"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .drawing import Drawing, ink_on, width_of

_CELL = (64, 46)


def confusion(counts: np.ndarray, labels: Sequence[str], title: str) -> Drawing:
    """Draw a confusion matrix: shares of each row, in percent, over the counts.

    Args:
        counts: clips of shape `(true classes, predicted classes)`
        labels: classes in the order of rows and columns
        title: of the picture
    """
    totals = counts.sum(axis=1)
    names = [f"{label} ({total:,})" for label, total in zip(labels, totals, strict=True)]
    left = 16 + max(map(width_of, names))
    width = max(_CELL[0], *(width_of(label) + 10 for label in labels))
    height, top = _CELL[1], 44
    drawing = Drawing(left + width * len(labels) + 8, top + height * len(labels) + 8, title)
    drawing.text(left + width * len(labels) / 2, 14, "predicted class", "t", "middle")
    drawing.text(left - 8, top - 10, "true class (clips)", "t", "end")
    for column, label in enumerate(labels):
        drawing.text(left + width * (column + 0.5), top - 10, label, "strong", "middle")
    for row, name in enumerate(names):
        drawing.text(left - 8, top + height * (row + 0.5) + 4, name, "strong", "end")
    for row, column in np.ndindex(counts.shape):
        x, y = left + width * column, top + height * row
        share = counts[row, column] / totals[row] if totals[row] else 0.0
        drawing.box(x, y, width, height, "heat", share=float(share))
        drawing.box(x, y, width, height, "frame")
        ink = ink_on(float(share))
        told = f"{100 * share:.0f} %" if totals[row] else "–"
        drawing.text(x + width / 2, y + height / 2 - 2, told, ink, "middle")
        drawing.text(x + width / 2, y + height / 2 + 14, f"{counts[row, column]:,}", ink, "middle")
    return drawing
