"""How a model does on one corpus after training on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .drawing import Drawing, ink_on, width_of

_CELL = (92, 64)


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

    @property
    def way(self) -> float:
        """How far the UAR is on its way from chance to 1, 0 below chance."""
        return max((self.uar - self.chance) / (1 - self.chance), 0.0)


def across(pairs: Sequence[Tested], title: str) -> Drawing:
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
    found = {(pair.trained, pair.tested): pair for pair in pairs}
    left = 16 + max(map(width_of, (*rows, "trained on")))
    width = max(_CELL[0], *(width_of(name) + 10 for name in columns))
    height, top = _CELL[1], 44
    drawing = Drawing(left + width * len(columns) + 8, top + height * len(rows) + 8, title)
    drawing.text(left + width * len(columns) / 2, 14, "tested on", "t", "middle")
    drawing.text(left - 8, top - 10, "trained on", "t", "end")
    for column, name in enumerate(columns):
        drawing.text(left + width * (column + 0.5), top - 10, name, "strong", "middle")
    for row, trained_on in enumerate(rows):
        drawing.text(left - 8, top + height * (row + 0.5) + 4, trained_on, "strong", "end")
        for column, tested_on in enumerate(columns):
            x, y = left + width * column, top + height * row
            _cell(drawing, x, y, width, found.get((trained_on, tested_on)))
    return drawing


def _cell(drawing: Drawing, x: float, y: float, width: float, pair: Tested | None) -> None:
    height, middle = _CELL[1], x + width / 2
    if pair is None:
        drawing.box(x, y, width, height, "frame")
        drawing.text(middle, y + height / 2 + 4, "–", "t", "middle")
        return
    drawing.box(x, y, width, height, "heat", share=pair.way)
    drawing.box(x, y, width, height, "frame")
    told = [f"{100 * pair.uar:.1f}"]
    if pair.interval:
        low, high = pair.interval
        told.append(f"[{100 * low:.1f}, {100 * high:.1f}]")
    told.append(f"chance {100 * pair.chance:.1f}")
    ink = ink_on(pair.way)
    for place, words in enumerate(told):
        level = y + height / 2 + 4 + 16 * (place - (len(told) - 1) / 2)
        drawing.text(middle, level, words, ink, "middle")
