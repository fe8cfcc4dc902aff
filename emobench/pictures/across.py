"""How a model does on one corpus after training on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .drawing import Drawing
from .heat_map import Cell, Side, heat_map


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
    cells = {(rows.index(pair.trained), columns.index(pair.tested)): _cell(pair) for pair in pairs}
    return heat_map(title, Side("trained on", rows), Side("tested on", columns), cells)


def _cell(pair: Tested) -> Cell:
    held = pair.interval
    told = (f"[{100 * held[0]:.1f}, {100 * held[1]:.1f}]",) if held else ()
    return Cell(pair.way, (f"{100 * pair.uar:.1f}", *told, f"chance {100 * pair.chance:.1f}"))
