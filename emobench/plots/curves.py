"""Losses while networks were trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..analysis.learning_curves import LearningCurve

_PANELS_IN_A_ROW = 5
_PANEL = (2.3, 2.0)
_PANEL_OF_FEW = (4.2, 3.0)
_FEW = 2
_SEVERAL = 4


def curves(drawn: Sequence[LearningCurve], title: str) -> Figure:
    """Draw training and development losses against epochs: a panel a fold, a line a repetition.

    Args:
        drawn: what to draw, at least one
        title: of the picture
    """
    folds = sorted({curve.fold for curve in drawn})
    size = _PANEL if len(folds) > _FEW else _PANEL_OF_FEW
    figure, panels = figures.grid(len(folds), *size, _PANELS_IN_A_ROW, shared=True)
    for panel, fold in zip(panels, folds, strict=True):
        _draw(panel, [curve for curve in drawn if curve.fold == fold])
    panels[0].set_ylim(bottom=0)
    figure.supylabel("loss", fontsize="small")
    columns = panels[0].get_gridspec().ncols
    for panel in panels[-columns:]:
        panel.set_xlabel("epoch", fontsize="small")
    named = figures.legend_of(panels)
    figure.legend(
        named.values(), named, loc="outside lower center", ncols=len(named), fontsize="x-small"
    )
    figure.suptitle(figures.titled(title, figure.get_figwidth()), fontsize="medium")
    return figure


def _draw(panel: Axes, drawn: Sequence[LearningCurve]) -> None:
    for curve in drawn:
        line = {"linewidth": 1, "alpha": 0.8}
        panel.plot(
            curve.epochs, curve.training, color=figures.COLOURS[0], label="training clips", **line
        )
        if curve.development:
            panel.plot(
                curve.epochs[: len(curve.development)],
                curve.development,
                color=figures.COLOURS[1],
                linestyle="--",
                label="development clips",
                **line,
            )
        if curve.best is not None:
            panel.axvline(
                curve.best, color=figures.GREY, linestyle=":", linewidth=1, label="epoch in use"
            )
    panel.set_title(f"fold {drawn[0].fold} ({_held_out(drawn[0].held_out)})", fontsize="x-small")
    panel.tick_params(labelsize="x-small")
    panel.grid(alpha=0.3)


def _held_out(names: Sequence[str]) -> str:
    """Return who is tested, or how many where they are many."""
    if len(names) > _SEVERAL:
        return f"{len(names)} tested"
    return f"{', '.join(names)} tested" if names else "all others trained on"
