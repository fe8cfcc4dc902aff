"""The critical-difference diagram of Demšar (JMLR 2006)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .drawing import Drawing, Scale, width_of

if TYPE_CHECKING:
    from ..analysis.ranks import Ranking

_LINE = 19
_AXIS = 300
_TOP = 62


def ranks(found: Ranking, title: str) -> Drawing:
    """Draw mean ranks on a line, the best on the left; bars join models that are not told apart.

    Args:
        found: of two models or more
        title: of the picture
    """
    order = found.order()
    names = [found.table.columns[index].name for index in order]
    values = [found.ranks[index] for index in order]
    half = (len(names) + 1) // 2
    margin = 60 + max(map(width_of, names))
    bars = [[names.index(column.name) for column in group] for group in found.groups()]
    height = _TOP + 20 + _LINE * (half + 1) + 10 * len(bars)
    drawing = Drawing(2 * margin + _AXIS, height, title)
    across = Scale(1, len(names), margin, margin + _AXIS)
    _axis(drawing, across, len(names), found.critical)
    for place, group in enumerate(bars):
        level = _TOP + 12 + 10 * place
        ends = [across(values[group[0]]) - 4, across(values[group[-1]]) + 4]
        drawing.line([(x, level) for x in ends], "thick")
    below = _TOP + 20 + 10 * len(bars)
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        on_left = place < half
        level = below + _LINE * ((place if on_left else len(names) - 1 - place) + 0.5)
        edge = margin - 8 if on_left else margin + _AXIS + 8
        drawing.line([(across(value), _TOP), (across(value), level), (edge, level)], "rule")
        words = f"{name}  {value:.2f}" if on_left else f"{value:.2f}  {name}"
        drawing.text(
            edge - 4 if on_left else edge + 4, level + 4, words, at="end" if on_left else "start"
        )
    return drawing


def _axis(drawing: Drawing, across: Scale, most: int, critical: float) -> None:
    """Draw the line of ranks, and above it how long the critical difference is."""
    drawing.line([(across(1), _TOP), (across(most), _TOP)], "axis")
    for rank in range(1, most + 1):
        drawing.line([(across(rank), _TOP - 5), (across(rank), _TOP)], "axis")
        drawing.text(across(rank), _TOP - 9, str(rank), "t", "middle")
    end = across(1) + (across(2) - across(1)) * critical
    drawing.line([(across(1), 24), (across(1), 30), (end, 30), (end, 24)], "axis")
    drawing.text(across(1), 16, f"critical difference {critical:.2f}", "t")
