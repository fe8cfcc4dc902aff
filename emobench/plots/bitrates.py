"""UAR against MP3 bitrate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..analysis.bitrates import Curve, Point

_PANELS_IN_A_ROW = 3
_PANEL = (5.2, 3.8)
_STYLES = {"test": "-", "training": "--", "both": "-."}
_HEARD = {
    "test": "tested on MP3",
    "training": "trained on MP3",
    "both": "trained and tested on MP3",
}


def bitrates(curves: Sequence[Curve]) -> Figure:
    """Draw UAR against MP3 bitrate: a panel a corpus, a line for each model and side.

    The dotted line of a colour is that model on sound as it is; a band is the curve's interval
    over speakers; the grey line is chance.

    Args:
        curves: what to draw, at least one
    """
    corpora = list(dict.fromkeys((curve.corpus, curve.title) for curve in curves))
    models = list(dict.fromkeys(curve.model for curve in curves))
    figure, panels = figures.grid(len(corpora), *_PANEL, _PANELS_IN_A_ROW)
    for panel, (corpus, title) in zip(panels, corpora, strict=True):
        panel.set_title(title)
        _draw(panel, [curve for curve in curves if curve.corpus == corpus], models)
    figure.suptitle(f"UAR against MP3 bitrate, protocol {curves[0].protocol}", fontsize="medium")
    return figure


def _draw(panel: Axes, curves: Sequence[Curve], models: Sequence[str]) -> None:
    """Draw the curves of one corpus."""
    colours = {
        model: figures.COLOURS[index % len(figures.COLOURS)] for index, model in enumerate(models)
    }
    for curve in curves:
        colour = colours[curve.model]
        marker = figures.MARKERS[models.index(curve.model) % len(figures.MARKERS)]
        rates = [point.kbps for point in curve.points]
        panel.plot(
            rates,
            [100 * point.uar for point in curve.points],
            label=_label(curve),
            color=colour,
            linestyle=_STYLES.get(curve.sides, ":"),
            marker=marker,
            markersize=4,
        )
        held = [point for point in curve.points if point.interval]
        panel.fill_between(
            [point.kbps for point in held],
            [100 * point.interval.low for point in held],
            [100 * point.interval.high for point in held],
            color=colour,
            alpha=0.12,
            linewidth=0,
        )
    for model, plain in {curve.model: curve.plain for curve in curves if curve.plain}.items():
        label = f"{model}, as it is{_unfinished([plain])}"
        panel.axhline(100 * plain.uar, color=colours[model], linestyle=":", label=label)
    panel.axhline(100 * curves[0].chance, color=figures.GREY, linewidth=0.8, label="chance")
    ticks = sorted({point.kbps for curve in curves for point in curve.points})
    panel.set_xscale("log", base=2)
    panel.set_xticks(ticks, labels=[str(tick) for tick in ticks])
    panel.minorticks_off()
    panel.set_xlabel("MP3 bitrate in kbit/s")
    panel.set_ylabel("UAR in percent")
    panel.set_ylim(0, 100)
    panel.grid(alpha=0.3)
    panel.legend(fontsize="x-small")


def _label(curve: Curve) -> str:
    heard = _HEARD.get(curve.sides, curve.sides)
    return f"{curve.model}, {heard}{_unfinished(curve.points)}"


def _unfinished(points: Sequence[Point]) -> str:
    """Return what to say of results that lack folds or repetitions."""
    least = min(points, key=lambda point: point.done / point.wanted)
    return "" if least.done == least.wanted else f" ({least.done} of {least.wanted} folds)"
