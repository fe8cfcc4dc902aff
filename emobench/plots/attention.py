"""What a network attends to in a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..analysis.attention import Attended

_SIZE = (8.0, 4.0)
_FRAME_STEP = 0.010
_FRAME_MIDDLE = 0.0125
"""In seconds: frames of 25 ms every 10 ms, as all front-ends of networks that attend have."""


def attention(shown: Attended, samples: np.ndarray, sample_rate: int, model: str) -> Figure:
    """Draw the waveform of a clip over what a network attended to in it.

    Args:
        shown: weights of frames of 25 ms every 10 ms
        samples: of the clip, of shape `(samples,)`
        sample_rate: in Hz
        model: its name
    """
    figure, (wave, weights) = figures.new(*_SIZE, rows=2)
    weights.sharex(wave)
    wave.tick_params(labelbottom=False)
    wave.plot(np.arange(len(samples)) / sample_rate, samples, color=figures.GREY, linewidth=0.5)
    wave.set_ylabel("amplitude")
    wave.set_title(
        f"{shown.clip}: {shown.label}, predicted {shown.predicted} ({model})", fontsize="medium"
    )
    middles = _FRAME_MIDDLE + _FRAME_STEP * np.arange(len(shown.weights))
    colour = figures.COLOURS[0]
    weights.fill_between(middles, shown.weights, color=colour, alpha=0.3, linewidth=0)
    weights.plot(middles, shown.weights, color=colour, linewidth=1)
    even = 1 / len(shown.weights)
    weights.axhline(even, color=figures.GREY, linestyle=":", label="even attention")
    weights.set_ylim(bottom=0)
    weights.set_ylabel("attention")
    weights.set_xlabel("time in s")
    weights.legend(fontsize="x-small", loc="upper right")
    return figure
