"""Figures, drawn without a screen; Matplotlib is loaded by the function that draws."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import SpecError
from .storage import output, overwrite, storing

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .analysis.attention import Attended
    from .analysis.bitrates import Curve, Point

SUFFIXES = (".png", ".pdf", ".svg")
"""Kinds of figures."""

_PANELS_IN_A_ROW = 3
_PANEL = (5.2, 3.8)
"""Width and height in inches."""

_CLIP = (8.0, 4.0)
_FRAME_STEP = 0.010
_FRAME_MIDDLE = 0.0125
"""In seconds: frames of 25 ms every 10 ms, as all front-ends of networks that attend have."""

_STYLES = {"test": "-", "training": "--", "both": "-."}
_HEARD = {
    "test": "tested on MP3",
    "training": "trained on MP3",
    "both": "trained and tested on MP3",
}


def bitrates(curves: Sequence[Curve], file: Path) -> None:
    """Draw UAR against MP3 bitrate: a panel a corpus, a line for each model and side.

    The dotted line of a colour is that model on sound as it is; a band is the curve's interval
    over speakers; the grey line is chance.

    Args:
        curves: what to draw, at least one
        file: figure to write; its suffix tells the kind

    Raises:
        SpecError: if the figure cannot be written
    """
    _check(file)
    corpora = list(dict.fromkeys((curve.corpus, curve.title) for curve in curves))
    models = list(dict.fromkeys(curve.model for curve in curves))
    colours = {model: f"C{index % 10}" for index, model in enumerate(models)}
    figure, panels = _figure(len(corpora))
    for panel, (corpus, title) in zip(panels, corpora, strict=True):
        panel.set_title(title)
        _draw(panel, [curve for curve in curves if curve.corpus == corpus], colours)
    figure.suptitle(f"UAR against MP3 bitrate, protocol {curves[0].protocol}", fontsize="medium")
    save(figure, file)


def attention(
    shown: Attended, samples: np.ndarray, sample_rate: int, model: str, file: Path
) -> None:
    """Draw the waveform of a clip over what a network attended to in it.

    Args:
        shown: weights of frames of 25 ms every 10 ms
        samples: of the clip, of shape `(samples,)`
        sample_rate: in Hz
        model: its name
        file: figure to write; its suffix tells the kind

    Raises:
        SpecError: if the figure cannot be written
    """
    _check(file)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_CLIP, layout="constrained")
    FigureCanvasAgg(figure)
    wave, weights = figure.subplots(2, 1, sharex=True)
    times = [index / sample_rate for index in range(len(samples))]
    wave.plot(times, samples, color="0.35", linewidth=0.5)
    wave.set_ylabel("amplitude")
    wave.set_title(
        f"{shown.clip}: {shown.label}, predicted {shown.predicted} ({model})", fontsize="medium"
    )
    middles = [_FRAME_MIDDLE + _FRAME_STEP * index for index in range(len(shown.weights))]
    weights.fill_between(middles, shown.weights, color="C0", alpha=0.3, linewidth=0)
    weights.plot(middles, shown.weights, color="C0", linewidth=1)
    weights.axhline(1 / len(shown.weights), color="0.5", linestyle=":", label="even attention")
    weights.set_ylim(bottom=0)
    weights.set_ylabel("attention")
    weights.set_xlabel("time in s")
    weights.legend(fontsize="x-small", loc="upper right")
    save(figure, file)


def save(figure: Figure, file: Path) -> None:
    """Write a figure without dates and versions, so that the same values give the same bytes.

    Raises:
        SpecError: if it cannot be written
    """
    _check(file)
    dated = {".pdf": "CreationDate", ".svg": "Date"}.get(file.suffix.lower(), "Software")
    import matplotlib

    content, kind = io.BytesIO(), file.suffix.lower().removeprefix(".")
    with matplotlib.rc_context({"svg.hashsalt": "emobench"}):
        figure.savefig(content, format=kind, dpi=150, metadata={dated: None})
    with storing(file, output("--out")):
        overwrite(file, content.getvalue())


def _check(file: Path) -> None:
    if file.suffix.lower() not in SUFFIXES:
        raise SpecError(
            f"--out {file}: expected a name that ends in {', '.join(SUFFIXES)}, found "
            f"'{file.suffix}'. Name another one."
        )


def _figure(n_panels: int) -> tuple[Figure, list[Axes]]:
    """Return a figure on no screen, and its panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(n_panels, _PANELS_IN_A_ROW)
    rows = -(-n_panels // columns)
    figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel in panels[n_panels:]:
        panel.remove()
    return figure, panels[:n_panels]


def _draw(panel: Axes, curves: Sequence[Curve], colours: dict[str, Any]) -> None:
    """Draw the curves of one corpus."""
    for curve in curves:
        colour = colours[curve.model]
        rates = [point.kbps for point in curve.points]
        style = {"color": colour, "linestyle": _STYLES.get(curve.sides, ":"), "marker": "."}
        panel.plot(rates, [100 * point.uar for point in curve.points], label=_label(curve), **style)
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
    panel.axhline(100 * curves[0].chance, color="0.6", linewidth=0.8, label="chance")
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
