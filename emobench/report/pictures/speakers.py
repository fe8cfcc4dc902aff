"""UAR of each speaker: a dot, its colour and shape telling the sex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...analysis.intervals import Interval
from ...analysis.speaker_scores import SpeakerScore
from ..drawing import Drawing, Scale, width_of

if TYPE_CHECKING:
    from markupsafe import Markup

SEXES = ("female", "male", "unknown")
"""In the order of their series."""

_LINE, _LINE_OF_MANY, _MOST_NAMED = 18, 7, 50


def speakers(
    scores: Sequence[SpeakerScore],
    interval: Interval | None,
    chance: float,
    title: str,
    number: int,
) -> Markup:
    """Draw the speakers of a result, the lowest at the bottom.

    Args:
        scores: at least one
        interval: of the mean over speakers
        chance: UAR of guessing, between 0 and 1
        title: of the picture
        number: of the picture in its page
    """
    ranked = sorted(scores, key=lambda one: (-round(one.uar, 9), one.name))
    named = len(ranked) <= _MOST_NAMED
    line = _LINE if named else _LINE_OF_MANY
    left = 16 + min(110, max(width_of(one.name) for one in ranked)) if named else 16
    height = line * len(ranked) + 12
    drawing = Drawing(620, height + 52, title, number)
    across = Scale(0, 100, left, 606)
    top, bottom = 6, height + 6
    if interval:
        low, high = (across(100 * end) for end in (interval.low, interval.high))
        drawing.box(low, top, high - low, height, "band")
    for value in across.ticks(5):
        drawing.line([(across(value), top), (across(value), bottom)], "grid")
        drawing.text(across(value), bottom + 16, f"{value:g}", "t", "middle")
    drawing.line([(across(100 * chance), top), (across(100 * chance), bottom)], "rule dashed")
    mean = sum(one.uar for one in ranked) / len(ranked)
    drawing.line([(across(100 * mean), top), (across(100 * mean), bottom)], "axis")
    for place, one in enumerate(ranked):
        y = top + 6 + line * (place + 0.5)
        if named:
            drawing.text(left - 8, y + 4, one.name[:18], "t", "end")
        told = f"{one.name}: UAR {100 * one.uar:.1f} %, {one.clips} clips, {one.sex}"
        drawing.marker(across(100 * one.uar), y, SEXES.index(_sex(one)), told, 4.5 if named else 3)
    drawing.text((across.start + across.end) / 2, bottom + 36, "UAR in percent", "t", "middle")
    return drawing.svg()


def _sex(one: SpeakerScore) -> str:
    return one.sex if one.sex in SEXES else SEXES[-1]
