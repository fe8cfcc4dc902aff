"""Attention over the course of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...analysis.attention_profile import PARTS, Profile
from ..drawing import Drawing, Scale, axes

if TYPE_CHECKING:
    from markupsafe import Markup


def attention(found: Profile, title: str, number: int) -> Markup:
    """Draw the mean weight of each part of a clip, with its quartiles over clips."""
    drawing = Drawing(620, 260, title, number)
    across, up = Scale(0, 100, 44, 606), Scale(0, max(*found.high, *found.mean, 1.5), 210, 26)
    names = ("part of the clip, in percent", "weight; 1 is even attention")
    axes(drawing, across, up, titles=names)
    middles = [across(100 * (place + 0.5) / PARTS) for place in range(PARTS)]
    low = [(x, up(value)) for x, value in zip(middles, found.low, strict=True)]
    high = [(x, up(value)) for x, value in zip(middles, found.high, strict=True)]
    drawing.area([*low, *reversed(high)], "veil s0")
    drawing.line([(across.start, up(1)), (across.end, up(1))], "rule dashed")
    drawing.line(zip(middles, map(up, found.mean), strict=True), "l s0")
    return drawing.svg()
