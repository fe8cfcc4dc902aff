"""Losses while networks were trained: a panel for each fold, a line for each repetition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .drawing import Drawing, Scale

if TYPE_CHECKING:
    from ..analysis.learning_curves import LearningCurve

_PANEL = (150, 104)
_IN_A_ROW = 5
_MOST_POINTS, _FEWEST_POINTS = 40, 8
_ALL_POINTS = 20_000
"""Points of a line, and of all lines of a page, which is to stay small."""
_NAMED = 2


def points_of(lines: int) -> int:
    """Return how many points each line may have on a page with so many of them."""
    return max(_FEWEST_POINTS, min(_MOST_POINTS, _ALL_POINTS // max(lines, 1)))


def curves(drawn: Sequence[LearningCurve], title: str, points: int = _ALL_POINTS) -> Drawing:
    """Draw learning curves.

    Args:
        drawn: at least one
        title: of the picture
        points: that a line may have
    """
    folds = sorted({curve.fold for curve in drawn})
    columns = min(_IN_A_ROW, len(folds))
    rows = -(-len(folds) // columns)
    width, height = _PANEL
    drawing = Drawing(34 + columns * width, 8 + rows * (height + 34), title)
    losses = [
        loss
        for curve in drawn
        for loss in (*curve.training, *curve.development)
        if math.isfinite(loss)
    ]
    top = max(losses, default=1) * 1.05 or 1
    last = max(max(curve.epochs, default=1) for curve in drawn)
    for place, fold in enumerate(folds):
        left, upper = 34 + place % columns * width, 20 + place // columns * (height + 34)
        across = Scale(0, last, left, left + width - 14)
        up = Scale(0, top, upper + height - 16, upper)
        own = [curve for curve in drawn if curve.fold == fold]
        _panel(drawing, own, across, up, points, first=place % columns == 0)
    drawing.explain("loss on training clips", "l s0")
    if any(curve.development for curve in drawn):
        drawing.explain("on development clips", "l s1 dashed")
    if any(curve.best is not None for curve in drawn):
        drawing.explain("epoch in use", "rule")
    return drawing


def _panel(
    drawing: Drawing,
    own: Sequence[LearningCurve],
    across: Scale,
    up: Scale,
    points: int,
    *,
    first: bool,
) -> None:
    held_out = own[0].held_out
    many = len(held_out) > _NAMED
    tested = f"{len(held_out)} tested" if many else ", ".join(held_out)
    drawing.text(across.start, up.end - 6, f"fold {own[0].fold} · {tested}"[:26], "t strong")
    for value in up.ticks(2):
        drawing.line([(across.start, up(value)), (across.end, up(value))], "grid")
        if first:
            drawing.text(across.start - 4, up(value) + 4, f"{value:g}", "t", "end")
    for value in across.ticks(2)[1:]:
        drawing.text(across(value), up.start + 13, f"{value:g}", "t", "end")
    drawing.line([(across.start, up.start), (across.end, up.start)], "axis")
    for curve in own:
        for kind, losses in (("l s0", curve.training), ("l s1 dashed", curve.development)):
            pairs = list(zip(curve.epochs, losses, strict=False))
            drawing.line(((across(x), up(y)) for x, y in _thinned(pairs, points)), kind)
        if curve.best is not None:
            drawing.line([(across(curve.best), up.start), (across(curve.best), up.end)], "rule")


def _thinned(pairs: Sequence[tuple[float, float]], most: int) -> Sequence[tuple[float, float]]:
    """Return about so many of some points, the last among them."""
    step = -(-len(pairs) // most) or 1
    return [*pairs[::step], *([] if (len(pairs) - 1) % step == 0 else pairs[-1:])]
