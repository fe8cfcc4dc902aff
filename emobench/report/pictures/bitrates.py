"""UAR against MP3 bitrate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...analysis.bitrates import Curve, Point
from ..drawing import Drawing, Scale, axes, series

if TYPE_CHECKING:
    from markupsafe import Markup

_TICKS = (0, 20, 40, 60, 80, 100)


def bitrates(drawn: Sequence[Curve], title: str, number: int) -> Markup:
    """Draw curves of one corpus, a series each; sound as it is stands on the right.

    Args:
        drawn: at least one
        title: of the picture
        number: of the picture in its page
    """
    drawing = Drawing(720, 340, title, number)
    rates = sorted({point.kbps for curve in drawn for point in curve.points if point.kbps})
    across = Scale(rates[0] / 1.15, rates[-1] * 1.15, 44, 610, logarithmic=True)
    up = Scale(0, 100, 290, 26)
    names = ("MP3 bitrate in kbit/s (mono)", "UAR in percent")
    axes(drawing, across, up, titles=names, ticks=(rates, _TICKS))
    chance = up(100 * drawn[0].chance)
    drawing.line([(across.start, chance), (across.end, chance)], "rule dashed")
    drawing.text(670, up.start + 16, "as it is", "t", "middle")
    for place, curve in enumerate(drawn):
        held = [point for point in curve.points if point.interval]
        if len(held) > 1:
            edge = [(across(one.kbps), up(100 * one.interval.low)) for one in held]
            edge += [(across(one.kbps), up(100 * one.interval.high)) for one in reversed(held)]
            drawing.area(edge, f"veil {series(place)}")
        drawing.line(
            [(across(one.kbps), up(100 * one.uar)) for one in curve.points], f"l {series(place)}"
        )
        for one in curve.points:
            _point(drawing, across(one.kbps), up, one, place, curve)
        if curve.plain:
            _point(drawing, 670 + 8 * place, up, curve.plain, place, curve)
    return drawing.svg()


def _point(drawing: Drawing, x: float, up: Scale, one: Point, place: int, curve: Curve) -> None:
    if one.interval:
        drawing.line(
            [(x, up(100 * one.interval.low)), (x, up(100 * one.interval.high))],
            f"l {series(place)}",
        )
    heard = f"{one.kbps} kbit/s" if one.kbps else "as it is"
    told = f"{curve.model}, {heard}: UAR {100 * one.uar:.1f} %"
    drawing.marker(x, up(100 * one.uar), place, told)
