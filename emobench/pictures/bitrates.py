"""UAR against MP3 bitrate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .drawing import Drawing, Scale, axes, series

if TYPE_CHECKING:
    from ..analysis.bitrates import Curve, Point

_TICKS = (0, 20, 40, 60, 80, 100)
_HEARD = {
    "test": "tested on MP3",
    "training": "trained on MP3",
    "both": "trained and tested on MP3",
}


def bitrates(drawn: Sequence[Curve], title: str, names: Sequence[str] = ()) -> Drawing:
    """Draw curves of one corpus, a series each; sound as it is stands on the right.

    Args:
        drawn: at least one
        title: of the picture
        names: of all series, those of other pictures too, as `named` gives them
    """
    names = list(names) or list(dict.fromkeys(map(named, drawn)))
    drawing = Drawing(720, 340, title)
    rates = sorted({point.kbps for curve in drawn for point in curve.points if point.kbps})
    across = Scale(rates[0] / 1.15, rates[-1] * 1.15, 44, 610, logarithmic=True)
    up = Scale(0, 100, 290, 26)
    titles = ("MP3 bitrate in kbit/s (mono)", "UAR in percent")
    axes(drawing, across, up, titles=titles, ticks=(rates, _TICKS))
    chance = up(100 * drawn[0].chance)
    drawing.line([(across.start, chance), (across.end, chance)], "rule dashed")
    drawing.text(670, up.start + 16, "as it is", "t", "middle")
    for curve in drawn:
        place = names.index(named(curve))
        drawing.explain(_told(curve), f"l {series(place)}", place)
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
    drawing.explain("chance", "rule dashed")
    return drawing


def named(curve: Curve) -> str:
    """Return the name of the series that a curve is: its model, and what went through MP3."""
    return f"{curve.model}, {_HEARD.get(curve.sides, curve.sides)}"


def _told(curve: Curve) -> str:
    """Return the name of a curve, with what it lacks."""
    least = min(curve.points, key=lambda point: point.done / point.wanted)
    whole = least.done == least.wanted
    return named(curve) + ("" if whole else f" ({least.done} of {least.wanted} folds)")


def _point(drawing: Drawing, x: float, up: Scale, one: Point, place: int, curve: Curve) -> None:
    if one.interval:
        drawing.line(
            [(x, up(100 * one.interval.low)), (x, up(100 * one.interval.high))],
            f"l {series(place)}",
        )
    heard = f"{one.kbps} kbit/s" if one.kbps else "as it is"
    told = f"{curve.model}, {heard}: UAR {100 * one.uar:.1f} %"
    drawing.marker(x, up(100 * one.uar), place, told)
