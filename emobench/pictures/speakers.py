"""UAR of each speaker: a dot, its colour and shape telling the sex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .drawing import Drawing, Scale, width_of

if TYPE_CHECKING:
    from ..analysis.intervals import Interval
    from ..analysis.speaker_scores import SpeakerScore

SEXES = ("female", "male", "unknown")
"""In the order of their series."""

_LINE, _LINE_OF_MANY, _MOST_NAMED = 18, 7, 50


def speakers(
    scores: Sequence[SpeakerScore],
    interval: Interval | None,
    chance: float,
    title: str,
    *,
    order: Sequence[str] = (),
    width: float = 620,
) -> Drawing:
    """Draw the speakers of a result, the lowest at the bottom.

    Args:
        scores: at least one
        interval: of the mean over speakers
        chance: UAR of guessing, between 0 and 1
        title: of the picture
        order: names of all speakers from above, those of other pictures too; by default by UAR
        width: in pixels
    """
    names = list(order) or ranked(scores)
    named = len(names) <= _MOST_NAMED
    line = _LINE if named else _LINE_OF_MANY
    left = 16 + min(110, max(map(width_of, names))) if named else 16
    height = line * len(names) + 12
    drawing = Drawing(width, height + 52, title)
    across = Scale(0, 100, left, width - 14)
    top, bottom = 6, height + 6
    if interval:
        low, high = (across(100 * end) for end in (interval.low, interval.high))
        drawing.box(low, top, high - low, height, "band")
    for value in across.ticks(5):
        drawing.line([(across(value), top), (across(value), bottom)], "grid")
        drawing.text(across(value), bottom + 16, f"{value:g}", "t", "middle")
    drawing.line([(across(100 * chance), top), (across(100 * chance), bottom)], "rule dashed")
    mean = sum(one.uar for one in scores) / len(scores)
    drawing.line([(across(100 * mean), top), (across(100 * mean), bottom)], "axis")
    found = {one.name: one for one in scores}
    for place, name in enumerate(names):
        y = top + 6 + line * (place + 0.5)
        if named:
            drawing.text(left - 8, y + 4, name[:18], "t", "end")
        if name in found:
            one = found[name]
            told = f"{name}: UAR {100 * one.uar:.1f} %, {one.clips} clips, {one.sex}"
            size = 4.5 if named else 3
            drawing.marker(across(100 * one.uar), y, SEXES.index(_sex(one)), told, size)
    drawing.text((across.start + across.end) / 2, bottom + 36, "UAR in percent", "t", "middle")
    for place, sex in enumerate(SEXES):
        if sex in {_sex(one) for one in scores}:
            drawing.explain(sex, series=place)
    drawing.explain("mean over speakers", "axis")
    if interval:
        drawing.explain("its 95 % interval", "band")
    drawing.explain("chance", "rule dashed")
    return drawing


def ranked(scores: Sequence[SpeakerScore]) -> list[str]:
    """Return the names of speakers, the highest UAR first."""
    return [one.name for one in sorted(scores, key=lambda one: (-round(one.uar, 9), one.name))]


def _sex(one: SpeakerScore) -> str:
    return one.sex if one.sex in SEXES else SEXES[-1]
