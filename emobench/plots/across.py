"""How a model does on one corpus after training on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL = 1.1
_SMALLEST = 2.8
_MARGIN = (2.8, 1.5)
_PALE = 0.6
"""Of the way from chance to 1, from which white letters have more contrast than black ones."""


@dataclass(frozen=True)
class Tested:
    """One pair of corpora.

    Attributes:
        trained: title of what was trained on
        tested: title of what was tested
        uar: between 0 and 1
        chance: UAR of guessing, one over the number of common emotions
        interval: of the UAR over the tested speakers, or None for too few
    """

    trained: str
    tested: str
    uar: float
    chance: float
    interval: tuple[float, float] | None = None


def across(pairs: Sequence[Tested], title: str) -> Figure:
    """Draw a heat map: rows are trained on, columns are tested.

    The colour is how far UAR is on its way from chance to 1, so that pairs with more or fewer
    common emotions can be seen beside each other.

    Args:
        pairs: each once, in the order of rows
        title: of the picture
    """
    trained, tested = ({getattr(pair, side) for pair in pairs} for side in ("trained", "tested"))
    # In one order on both sides, so that what is not tried on itself is the diagonal.
    names = dict.fromkeys([pair.trained for pair in pairs] + [pair.tested for pair in pairs])
    rows = [name for name in names if name in trained]
    columns = [name for name in names if name in tested]
    shades = np.full((len(rows), len(columns)), np.nan)
    for pair in pairs:
        way = (pair.uar - pair.chance) / (1 - pair.chance)
        shades[rows.index(pair.trained), columns.index(pair.tested)] = max(way, 0.0)
    width, height = (max(_SMALLEST, _CELL * len(side)) for side in (columns, rows))
    figure, (panel,) = figures.new(width + _MARGIN[0], height + _MARGIN[1])
    image = panel.imshow(shades, cmap="Blues", vmin=0, vmax=1)
    panel.set_xticks(range(len(columns)), labels=columns, rotation=40, ha="right")
    panel.set_yticks(range(len(rows)), labels=rows)
    panel.set_xlabel("tested on")
    panel.set_ylabel("trained on")
    for row, column in np.argwhere(np.isnan(shades)):
        panel.text(column, row, "–", ha="center", va="center", color=figures.GREY)
    for pair in pairs:
        row, column = rows.index(pair.trained), columns.index(pair.tested)
        colour = "white" if shades[row, column] > _PALE else "black"
        style = {"ha": "center", "va": "center", "color": colour}
        panel.text(column, row - 0.12, f"{100 * pair.uar:.1f}", **style)
        below = f"chance {100 * pair.chance:.1f}"
        if pair.interval:
            low, high = pair.interval
            below = f"[{100 * low:.1f}, {100 * high:.1f}]\n{below}"
        panel.text(column, row + 0.16, below, fontsize="x-small", **style)
    figure.suptitle(figures.titled(title, width + _MARGIN[0]), fontsize="medium")
    bar = figure.colorbar(image, ax=panel, shrink=0.8, format=lambda way, _: f"{100 * way:.0f}")
    bar.set_label("percent of the way from chance to 100")
    return figure
