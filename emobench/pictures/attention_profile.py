"""Attention over the course of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .drawing import Drawing, Scale, axes

if TYPE_CHECKING:
    from ..analysis.attention_profile import Profile


def attention_profile(found: Profile, title: str) -> Drawing:
    """Draw the mean weight of each part of a clip, with its quartiles over clips."""
    drawing = Drawing(620, 260, title)
    across, up = Scale(0, 100, 44, 606), Scale(0, max(*found.high, *found.mean, 1.5), 210, 26)
    names = ("part of the clip, in percent", "weight; 1 is even attention")
    axes(drawing, across, up, titles=names)
    middles = [across(100 * (place + 0.5) / len(found.mean)) for place in range(len(found.mean))]
    low = [(x, up(value)) for x, value in zip(middles, found.low, strict=True)]
    high = [(x, up(value)) for x, value in zip(middles, found.high, strict=True)]
    drawing.area([*low, *reversed(high)], "veil s0")
    drawing.line([(across.start, up(1)), (across.end, up(1))], "rule dashed")
    drawing.line(zip(middles, map(up, found.mean), strict=True), "l s0")
    return drawing
