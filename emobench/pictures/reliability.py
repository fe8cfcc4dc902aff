"""Accuracy against confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .drawing import Drawing, Scale, axes

if TYPE_CHECKING:
    from ..analysis.calibration import Calibration

_TICKS = (0, 25, 50, 75, 100)


def reliability(found: Calibration, title: str) -> Drawing:
    """Draw a reliability diagram: bars are accuracy, the diagonal is perfect calibration."""
    drawing = Drawing(330, 300, title)
    across, up = Scale(0, 100, 44, 316), Scale(0, 100, 250, 26)
    axes(
        drawing,
        across,
        up,
        titles=("confidence in percent", "right, in percent"),
        ticks=(_TICKS, _TICKS),
    )
    for one in found.bins:
        if one.accuracy is None or one.confidence is None:
            continue
        left, right, y = across(100 * one.low), across(100 * one.high), up(100 * one.accuracy)
        told = (
            f"{one.predictions:,} predictions with {100 * one.confidence:.0f} % confidence: "
            f"{100 * one.accuracy:.0f} % right"
        )
        drawing.box(left + 1, y, right - left - 2, up.start - y, "bar", told)
        drawing.marker(across(100 * one.confidence), y, 1, told, 3.5)
    drawing.line([(across(0), up(0)), (across(100), up(100))], "rule dashed")
    return drawing
