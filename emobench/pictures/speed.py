"""UAR against what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .drawing import Drawing, Scale, axes, width_of

if TYPE_CHECKING:
    from ..analysis.speed import Speed

_TICKS = (0, 20, 40, 60, 80, 100)
_LINE, _DOT = 13, 6
_MOVES = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
"""Where a name is tried, in lines below its point."""

_Taken = tuple[float, float, float]
"""Left and right end and level of a name, in pixels."""


def speed(drawn: Sequence[Speed], chance: float, title: str) -> Drawing:
    """Draw UAR against clips a second; colour and shape tell the device.

    Args:
        drawn: at least one
        chance: UAR of guessing, between 0 and 1
        title: of the picture
    """
    drawing = Drawing(720, 400, title)
    rates = [one.clips_per_second for one in drawn]
    across = Scale(min(rates) / 2, max(rates) * 2, 44, 620, logarithmic=True)
    up = Scale(0, 100, 350, 26)
    names = ("training clips a second of a whole fold", "UAR in percent")
    axes(drawing, across, up, titles=names, ticks=(across.ticks(), _TICKS))
    drawing.line([(across.start, up(100 * chance)), (across.end, up(100 * chance))], "rule dashed")
    devices = list(dict.fromkeys(one.device for one in drawn))
    for place, name in enumerate(devices):
        drawing.explain(name, series=place)
    drawing.explain("chance", "rule dashed")
    places = {one: (across(one.clips_per_second), up(100 * one.uar)) for one in drawn}
    taken: list[_Taken] = []
    for one in sorted(drawn, key=lambda one: (-one.uar, one.model)):
        x, y = places[one]
        drawing.marker(x, y, devices.index(one.device), size=5)
        unfinished = "" if one.done == one.wanted else f" ({one.done}/{one.wanted})"
        dots = [(a - _DOT, a + _DOT, b + 4) for a, b in places.values() if (a, b) != (x, y)]
        _name(drawing, x, y, f"{one.model}{unfinished}", taken, dots)
    return drawing


def _name(
    drawing: Drawing, x: float, y: float, words: str, taken: list[_Taken], dots: Sequence[_Taken]
) -> None:
    """Write a name beside its point, as near as it lies on no other name and on no point."""
    width = width_of(words)
    on_left = x + 10 + width > drawing.width
    left = x - 10 - width if on_left else x + 10
    levels = [y + 4 + _LINE * move for move in _MOVES]
    level = next((at for at in levels if _is_free(left, width, at, [*taken, *dots])), levels[0])
    taken.append((left, left + width, level))
    drawing.text(x - 10 if on_left else left, level, words, "t", "end" if on_left else "start")


def _is_free(left: float, width: float, level: float, taken: Sequence[_Taken]) -> bool:
    return not any(
        left < end and begin < left + width and abs(level - other) < _LINE
        for begin, end, other in taken
    )
