"""Pictures as files for papers: SVG, PDF or PNG, the same bytes when made again.

Matplotlib writes them; it is loaded by who saves.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from ..errors import SpecError
from ..storage import output, overwrite, storing
from .drawing import Box, Circle, Drawing, Item, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".svg", ".pdf", ".png")
"""Kinds of figures."""

COLOURS = ("#0072b2", "#b34700", "#3d2449", "#9e869e", "#612418", "#c27961")
"""Of series, on white; every colour vision tells them apart."""

INK, SOFT, RULE, HEAT = "#000000", "#555555", "#d5d5d5", "#9fcbd6"

_STYLES: Mapping[str, Mapping[str, Any]] = {
    "grid": {"stroke": RULE, "width": 1.0},
    "axis": {"stroke": INK, "width": 1.2},
    "rule": {"stroke": SOFT, "width": 1.2},
    "thick": {"stroke": INK, "width": 4.0},
    "thin": {"width": 0.6},
    "dashed": {"dashes": (0, (4, 3))},
    "band": {"fill": HEAT, "opacity": 0.45},
    "bar": {"fill": HEAT},
    "heat": {"fill": "#08519c"},
    "frame": {"stroke": RULE, "width": 1.0},
    **{f"s{place}": {"stroke": colour, "fill": colour} for place, colour in enumerate(COLOURS)},
    "m": {"stroke": "#ffffff", "width": 1.0},
    "veil": {"stroke": None, "opacity": 0.16},
    "t": {"ink": SOFT, "size": 10.8},
    "strong": {"ink": INK, "size": 11.0},
    "inverse": {"ink": "#ffffff", "size": 10.8},
    "title": {"ink": INK, "size": 14.0},
}
"""How kinds look, in pixels; what stands behind counts over what stands before."""

_PLAIN = {"stroke": None, "width": 1.5, "dashes": "-", "fill": None, "opacity": 1.0}
_WORDS = {"ink": INK, "size": 10.8}
_ORDER = list(_STYLES)

_PIXELS_PER_INCH = 96
_DOTS_PER_INCH = 200
_POINTS = 72 / _PIXELS_PER_INCH
"""Of a pixel."""


def check(file: File) -> None:
    """Make sure that a name tells a kind of figure.

    Raises:
        SpecError: if it does not
    """
    if file.suffix.lower() not in SUFFIXES:
        raise SpecError(
            f"--out {file}: expected a name that ends in {', '.join(SUFFIXES)}, found "
            f"'{file.suffix}'. Name another one."
        )


def save(drawing: Drawing, file: File) -> None:
    """Write a picture without dates and versions, so that the same values give the same bytes.

    Args:
        drawing: what to write
        file: its suffix tells the kind

    Raises:
        SpecError: if it cannot be written
    """
    check(file)
    import matplotlib
    from matplotlib.figure import Figure

    kind = file.suffix.lower()
    unnamed = {
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        ".svg": {"Date": None, "Creator": None},
        ".png": {"Software": None},
    }
    size = (drawing.width / _PIXELS_PER_INCH, drawing.height / _PIXELS_PER_INCH)
    settings = {"svg.hashsalt": "emobench", "font.family": "DejaVu Sans", "path.simplify": False}
    content = io.BytesIO()
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=size)
        panel = figure.add_axes((0, 0, 1, 1))
        panel.set_axis_off()
        panel.set_xlim(0, drawing.width)
        panel.set_ylim(drawing.height, 0)
        for item in drawing.items:
            _draw(panel, item)
        figure.savefig(content, format=kind[1:], dpi=_DOTS_PER_INCH, metadata=unnamed[kind])
    with storing(file, output("--out")):
        overwrite(file, content.getvalue())


def style_of(kind: str) -> dict[str, Any]:
    """Return how a kind looks: stroke, width in pixels, dashes, fill, opacity, ink and size."""
    words = sorted(kind.split(), key=lambda word: _ORDER.index(word) if word in _STYLES else -1)
    found: dict[str, Any] = {**_PLAIN, **_WORDS}
    for word in words:
        found |= _STYLES.get(word, {})
    return found


def _draw(panel: Axes, item: Item) -> None:
    from matplotlib import patches
    from matplotlib.path import Path

    style = style_of(item.kind)
    if isinstance(item, Text):
        ends = {"start": "left", "middle": "center", "end": "right"}
        look = {"ha": ends[item.at], "va": "baseline", "color": style["ink"]}
        panel.text(
            item.x, item.y, item.words, fontsize=style["size"] * _POINTS, parse_math=False, **look
        )
        return
    filled = {"facecolor": style["fill"] or "none", "edgecolor": style["stroke"] or "none"}
    filled |= {"linewidth": style["width"] * _POINTS, "alpha": style["opacity"]}
    if isinstance(item, Circle):
        panel.add_patch(patches.Circle((item.x, item.y), item.radius, **filled))
    elif isinstance(item, Box):
        filled["alpha"] = style["opacity"] * item.share
        corner = (item.x, item.y)
        panel.add_patch(patches.Rectangle(corner, item.width, item.height, **filled))
    else:
        parts = [Path(stroke, closed=False) for stroke in item.strokes]
        if item.closed:
            parts = [Path([*stroke, stroke[0]], closed=True) for stroke in item.strokes]
        else:
            filled["facecolor"] = "none"
        path = Path.make_compound_path(*parts)
        panel.add_patch(patches.PathPatch(path, linestyle=style["dashes"], **filled))
