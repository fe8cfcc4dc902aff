"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL = 0.72
_SMALLEST = 2.6
_MARGIN = (2.6, 1.5)
_DARK = 0.179
"""Relative luminance below which white letters have more contrast than black ones: 4.6 or more."""


def confusion(counts: np.ndarray, labels: Sequence[str], title: str, note: str = "") -> Figure:
    """Draw a confusion matrix: shares of each row, in percent, over the counts.

    Args:
        counts: clips of shape `(true classes, predicted classes)`
        labels: classes in the order of rows and columns
        title: of the picture
        note: what the counts are of, if it needs to be said
    """
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    size = max(_SMALLEST, _CELL * len(labels))
    figure, (panel,) = figures.new(size + _MARGIN[0], size + _MARGIN[1])
    image = panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    places = range(len(labels))
    panel.set_xticks(places, labels=labels, rotation=40, ha="right", rotation_mode="anchor")
    panel.set_yticks(
        places, labels=[f"{label} ({n:,})" for label, n in zip(labels, rows[:, 0], strict=True)]
    )
    panel.set_xlabel("predicted class")
    panel.set_ylabel("true class (clips)")
    for row, column in np.ndindex(counts.shape):
        colour = "white" if _luminance(image.to_rgba(shares[row, column])) < _DARK else "black"
        share = f"{100 * shares[row, column]:.0f} %" if rows[row, 0] else "–"
        style = {"color": colour, "ha": "center"}
        panel.text(column, row - 0.04, share, va="bottom", fontsize="small", **style)
        number = f"{counts[row, column]:,}"
        panel.text(column, row + 0.06, number, va="top", fontsize="x-small", **style)
    figure.suptitle(figures.titled(title, size + _MARGIN[0]), fontsize="medium")
    bar = figure.colorbar(image, ax=panel, shrink=0.8, format=lambda share, _: f"{100 * share:.0f}")
    bar.set_label("percent of the row")
    if note:
        figure.supxlabel(note, fontsize="x-small", color=figures.GREY)
    return figure


def _luminance(colour: Sequence[float]) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    part = np.asarray(colour[:3])
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
