"""What a network attends to in a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .drawing import Drawing, Scale, axes

if TYPE_CHECKING:
    from ..analysis.attention import Attended

_FRAME_STEP = 0.010
_FRAME_MIDDLE = 0.0125
"""In seconds: frames of 25 ms every 10 ms, as all front-ends of networks that attend have."""

_ACROSS = (60, 744)
_WAVE = (110, 22)
_WEIGHTS = (310, 152)
"""Pixels of the panels: left and right; lower and upper edge."""


def attention(shown: Attended, samples: np.ndarray, sample_rate: int, title: str) -> Drawing:
    """Draw the waveform of a clip over what a network attended to in it.

    Args:
        shown: weights of frames of 25 ms every 10 ms
        samples: of the clip, of shape `(samples,)`
        sample_rate: in Hz
        title: of the picture
    """
    drawing = Drawing(760, 360, title)
    seconds = len(samples) / sample_rate
    across = Scale(0, seconds, *_ACROSS)
    loudest = float(np.abs(samples).max(initial=0)) or 1.0
    wave = Scale(-loudest, loudest, *_WAVE)
    drawing.text(_ACROSS[0] - 30, _WAVE[1] - 8, "amplitude", "t")
    for x, low, high in _envelope(samples, across):
        drawing.line([(x, wave(low)), (x, wave(high))], "rule thin")
    even = 1 / len(shown.weights)
    up = Scale(0, 1.05 * max(float(np.max(shown.weights)), even), *_WEIGHTS)
    axes(drawing, across, up, titles=("time in s", "attention"))
    middles = _FRAME_MIDDLE + _FRAME_STEP * np.arange(len(shown.weights))
    points = [
        (across(time), up(float(weight)))
        for time, weight in zip(middles, shown.weights, strict=True)
    ]
    drawing.area([(points[0][0], up(0)), *points, (points[-1][0], up(0))], "veil s0")
    drawing.line(points, "l s0")
    drawing.line([(across.start, up(even)), (across.end, up(even))], "rule dashed")
    drawing.explain("weight of a frame", "l s0")
    drawing.explain("even attention", "rule dashed")
    return drawing


def _envelope(samples: np.ndarray, across: Scale) -> list[tuple[float, float, float]]:
    """Return the lowest and the highest sample of each pixel, with the pixel."""
    pixels = int(across.end - across.start)
    parts = np.array_split(samples, min(pixels, len(samples)))
    return [
        (across.start + (place + 0.5) * pixels / len(parts), float(part.min()), float(part.max()))
        for place, part in enumerate(parts)
    ]
