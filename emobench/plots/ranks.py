"""The critical-difference diagram of Demsar (JMLR 2006)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from . import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXIS = 4.0
_STEP = 0.28
_TOP = 1.0
_LETTER = 0.078
"""Inches: width of the line of ranks, height of a line of words, space above, and a letter."""


def ranks(
    mean_ranks: Mapping[str, float],
    critical_difference: float,
    groups: Sequence[Collection[str]],
    title: str,
) -> Figure:
    """Draw mean ranks on a line, the best on the left; bars join models that are not told apart.

    Args:
        mean_ranks: of each model, 1 the best; two models or more
        critical_difference: by how much mean ranks differ that are told apart
        groups: models that are not told apart, a bar each
        title: of the picture
    """
    ordered = sorted(mean_ranks.items(), key=lambda item: (item[1], item[0]))
    bars = sorted(
        (min(ranks_of), max(ranks_of))
        for ranks_of in ([mean_ranks[name] for name in group] for group in groups)
    )
    most, left = len(ordered), (len(ordered) + 1) // 2
    inch = (most - 1) / _AXIS
    below = _STEP * (left + len(bars)) + 0.15
    sides = [
        0.5 + _LETTER * (6 + max(len(name) for name, _ in part))
        for part in (ordered[:left], ordered[left:])
    ]
    figure, (panel,) = figures.new(_AXIS + sum(sides), _TOP + below + 0.3)
    panel.set_xlim(1 - sides[0] * inch, most + sides[1] * inch)
    panel.set_ylim(-below, _TOP)
    panel.axis("off")
    _axis(panel, most, critical_difference)
    for place, (low, high) in enumerate(bars):
        level = -_STEP * (place + 0.6)
        reach = 0.05 * inch
        ends = [low - reach, high + reach]
        panel.plot(ends, [level, level], color="black", linewidth=4, solid_capstyle="butt")
    for place, (name, rank) in enumerate(ordered):
        on_left = place < left
        row = place if on_left else most - 1 - place
        level = -_STEP * (len(bars) + row + 1)
        edge = 1 - 0.3 * inch if on_left else most + 0.3 * inch
        panel.plot([rank, rank, edge], [0, level, level], color=figures.COLOURS[0], linewidth=0.9)
        words = f"{name}  {rank:.2f}" if on_left else f"{rank:.2f}  {name}"
        style = {"ha": "right" if on_left else "left", "va": "center", "fontsize": "small"}
        panel.text(edge + (-0.05 if on_left else 0.05) * inch, level, words, **style)
    figure.suptitle(figures.titled(title, _AXIS + sum(sides)), fontsize="medium")
    return figure


def _axis(panel: Axes, most: int, critical_difference: float) -> None:
    """Draw the line of ranks, and how long the critical difference is above it."""
    panel.plot([1, most], [0, 0], color="black", linewidth=1)
    for rank in range(1, most + 1):
        panel.plot([rank, rank], [0, 0.07], color="black", linewidth=1)
        panel.text(rank, 0.1, str(rank), ha="center", va="bottom", fontsize="small")
    ends, above = [1, 1 + critical_difference], 0.52
    panel.plot(ends, [above, above], color="black", linewidth=1.5)
    for end in ends:
        panel.plot([end, end], [above - 0.04, above + 0.04], color="black", linewidth=1.5)
    words = f"critical difference {critical_difference:.2f}"
    panel.text(sum(ends) / 2, above + 0.06, words, ha="center", va="bottom", fontsize="x-small")
