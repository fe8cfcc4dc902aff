"""UAR against what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...analysis.speed import Speed
from ..drawing import Drawing, Scale, axes, width_of

if TYPE_CHECKING:
    from markupsafe import Markup

_TICKS = (0, 20, 40, 60, 80, 100)
_LINE = 13


def speed(drawn: Sequence[Speed], chance: float, title: str, number: int) -> Markup:
    """Draw UAR against clips a second; colour and shape tell the device.

    Args:
        drawn: at least one
        chance: UAR of guessing, between 0 and 1
        title: of the picture
        number: of the picture in its page
    """
    drawing = Drawing(720, 400, title, number)
    rates = [one.clips_per_second for one in drawn]
    across = Scale(min(rates) / 2, max(rates) * 2, 44, 620, logarithmic=True)
    up = Scale(0, 100, 350, 26)
    names = ("training clips a second of a whole fold", "UAR in percent")
    axes(drawing, across, up, titles=names, ticks=(across.ticks(), _TICKS))
    drawing.line([(across.start, up(100 * chance)), (across.end, up(100 * chance))], "rule dashed")
    devices = list(dict.fromkeys(one.device for one in drawn))
    taken: list[tuple[float, float, float]] = []
    for one in sorted(drawn, key=lambda one: (-one.uar, one.model)):
        x, y = across(one.clips_per_second), up(100 * one.uar)
        drawing.marker(x, y, devices.index(one.device), size=5)
        unfinished = "" if one.done == one.wanted else f" ({one.done}/{one.wanted})"
        _name(drawing, x, y, f"{one.model}{unfinished}", taken)
    return drawing.svg()


def _name(
    drawing: Drawing, x: float, y: float, words: str, taken: list[tuple[float, float, float]]
) -> None:
    """Write a name beside its point where it lies on no other name."""
    width = width_of(words)
    on_left = x + 10 + width > drawing.width
    left = x - 10 - width if on_left else x + 10
    level = y + 4
    while any(
        left < end and begin < left + width and abs(level - other) < _LINE
        for begin, end, other in taken
    ):
        level += _LINE
    taken.append((left, left + width, level))
    drawing.text(x - 10 if on_left else left, level, words, "t", "end" if on_left else "start")
