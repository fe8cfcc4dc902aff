"""UAR by speaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..analysis.speaker_scores import SpeakerScore

_WIDTH = 3.4
_LINE, _LINE_OF_MANY = 0.2, 0.09
_MARGIN = 1.8
_MOST_NAMED = 50
_LABELS_BELOW_ONE = 3
_SEXES = {
    "female": (figures.COLOURS[1], "o"),
    "male": (figures.COLOURS[0], "s"),
    "unknown": (figures.GREY, "D"),
}


@dataclass(frozen=True)
class Panel:
    """The speakers of one model.

    Attributes:
        title: the model's name
        speakers: their results
        interval: over speakers, between 0 and 1, or None for too few of them
        chance: UAR of guessing, between 0 and 1
    """

    title: str
    speakers: Sequence[SpeakerScore]
    interval: tuple[float, float] | None
    chance: float


def speakers(panels: Sequence[Panel], title: str) -> Figure:
    """Draw the UAR of each speaker as a dot, its colour and shape telling the sex.

    Speakers stand in the order of the first model's UAR in every panel; the line is the mean over
    speakers, the band its 95 % interval, the dotted line chance.

    Args:
        panels: one for each model, at least one
        title: of the picture
    """
    ranked = sorted(panels[0].speakers, key=lambda one: (round(one.uar, 9), one.name))
    order = [one.name for one in ranked]
    order += sorted({one.name for each in panels for one in each.speakers} - set(order))
    named = len(order) <= _MOST_NAMED
    width = 1.2 + _WIDTH * len(panels)
    height = _MARGIN + (_LINE if named else _LINE_OF_MANY) * len(order)
    figure, axes = figures.new(width, height, columns=len(panels), shared=True)
    figure.get_layout_engine().set(wspace=0.04)
    for panel, each in zip(axes, panels, strict=True):
        _draw(panel, each, {name: place for place, name in enumerate(order)}, 5 if named else 3.5)
    axes[0].set_yticks(range(len(order)) if named else [], order if named else [], fontsize="small")
    axes[0].set_ylim(-0.7, len(order) - 0.3)
    axes[0].set_ylabel("speaker" if named else f"{len(order)} speakers")
    named = figures.legend_of(axes)
    across = len(named) if len(panels) > 1 else _LABELS_BELOW_ONE
    figure.legend(
        named.values(), named, loc="outside lower center", ncols=across, fontsize="x-small"
    )
    ordered = f", in the order of {panels[0].title}" if len(panels) > 1 else ""
    figure.suptitle(figures.titled(title + ordered, width), fontsize="medium")
    return figure


def _draw(panel: Axes, each: Panel, places: dict[str, int], size: float) -> None:
    for sex, (colour, marker) in _SEXES.items():
        own = [one for one in each.speakers if one.sex == sex]
        if own:
            panel.plot(
                [100 * one.uar for one in own],
                [places[one.name] for one in own],
                linestyle="",
                marker=marker,
                markersize=size,
                color=colour,
                label=sex,
            )
    mean = sum(one.uar for one in each.speakers) / len(each.speakers)
    panel.axvline(100 * mean, color="black", linewidth=1, label="mean over speakers")
    if each.interval:
        low, high = each.interval
        panel.axvspan(100 * low, 100 * high, color="0.85", zorder=0, label="its 95 % interval")
    panel.axvline(100 * each.chance, color=figures.GREY, linestyle=":", label="chance")
    panel.set_xlim(0, 100)
    panel.set_xlabel("UAR in percent")
    panel.set_title(each.title, fontsize="small")
    panel.grid(axis="x", alpha=0.3)
