"""UAR against what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..analysis.speed import Speed

_SIZE = (7.2, 4.6)
_LINE = 2.8
"""Height of a name in percent of UAR."""

_GAP = 0.012
"""From a point to its name, as a share of the panel's width."""

_MOVES = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
"""Where a name is tried, in lines above its point."""


def speed(results: Sequence[Speed], chance: float, title: str) -> Figure:
    """Draw UAR against clips a second; colour and shape tell the device.

    Args:
        results: at least one
        chance: UAR of guessing, between 0 and 1
        title: of the picture
    """
    figure, (panel,) = figures.new(*_SIZE)
    devices = list(dict.fromkeys(result.device for result in results))
    for place, device in enumerate(devices):
        own = [result for result in results if result.device == device]
        panel.plot(
            [result.clips_per_second for result in own],
            [100 * result.uar for result in own],
            linestyle="",
            marker=figures.MARKERS[place % len(figures.MARKERS)],
            color=figures.COLOURS[place % len(figures.COLOURS)],
            label=device,
        )
    panel.set_xscale("log")
    panel.axhline(100 * chance, color=figures.GREY, linestyle=":", label="chance")
    speeds = [result.clips_per_second for result in results]
    panel.set_xlim(min(speeds) / 3, max(speeds) * 30)  # names stand to the right
    panel.set_ylim(0, 100)
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    panel.set_xlabel("training clips per second of a whole fold (tuning, all epochs, prediction)")
    panel.set_ylabel("UAR in percent")
    panel.set_title(title, fontsize="medium")
    panel.grid(alpha=0.3, which="both")
    panel.legend(fontsize="x-small", loc="lower left")
    figure.draw_without_rendering()  # so that the panel has its place
    _name(panel, results)
    return figure


def _name(panel: Axes, results: Sequence[Speed]) -> None:
    """Write names beside the points, each where it lies on no other and on no point."""
    points = [_place(panel, result) for result in results]
    taken: list[tuple[float, float, float]] = []  # left and right end, height
    for result, (across, up) in sorted(
        zip(results, points, strict=True), key=lambda item: (-item[0].uar, item[0].model)
    ):
        unfinished = "" if result.done == result.wanted else f" ({result.done} of {result.wanted})"
        words = f"{result.model}{unfinished}"
        left = across + _GAP
        right = left + _width(panel, words)
        dots = [(x - _GAP, x + _GAP, y) for x, y in points if (x, y) != (across, up)]
        heights = [up + move * _LINE for move in _MOVES]
        free = (height for height in heights if not _hit(left, right, height, [*taken, *dots]))
        height = next(free, up)
        taken.append((left, right, height))
        panel.annotate(
            words,
            (across, up / 100),
            xycoords="axes fraction",
            xytext=(left, height / 100),
            textcoords="axes fraction",
            va="center",
            fontsize="x-small",
            arrowprops=None if height == up else {"arrowstyle": "-", "lw": 0.5, "color": "0.6"},
        )


def _width(panel: Axes, words: str) -> float:
    """Return the width of a name as a share of the panel's."""
    text = panel.text(0, 0, words, fontsize="x-small")
    width = text.get_window_extent().width / panel.bbox.width
    text.remove()
    return width


def _place(panel: Axes, result: Speed) -> tuple[float, float]:
    """Return where a point lies: as a share of the panel's width, and in percent of UAR."""
    at = panel.transData.transform((result.clips_per_second, 100 * result.uar))
    return float(panel.transAxes.inverted().transform(at)[0]), 100 * result.uar


def _hit(
    left: float, right: float, height: float, others: Sequence[tuple[float, float, float]]
) -> bool:
    """Tell whether a name would lie on something."""
    return any(
        left < end and begin < right and abs(height - level) < _LINE for begin, end, level in others
    )
