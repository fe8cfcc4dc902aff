"""Figures on no screen, the colours of all, and files that are the same when made again."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SpecError
from ..storage import output, overwrite, storing

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".pdf", ".png")
"""Kinds of figures."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000")
"""Those of Okabe and Ito that stand out from white; every colour vision tells them apart."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Tell apart what has one colour; five colours and seven markers make 35 pairs."""

GREY = "0.45"
"""Of what is for comparison only, such as chance."""

_DOTS_PER_INCH = 150
_LETTERS_PER_INCH = 11


def new(
    width: float, height: float, rows: int = 1, columns: int = 1, *, shared: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its panels, row by row.

    Args:
        width: of the figure in inches
        height: the same
        rows: of panels
        columns: of panels
        shared: whether panels have the same axes
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=shared, sharey=shared)
    return figure, list(panels.flat)


def grid(
    count: int, width: float, height: float, most_columns: int, *, shared: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure with a number of panels, in rows of about the same length.

    Args:
        count: of panels
        width: of a panel in inches
        height: the same
        most_columns: panels in a row at most
        shared: whether panels have the same axes
    """
    rows = -(-count // most_columns)
    columns = -(-count // rows)
    figure, panels = new(width * columns, height * rows, rows, columns, shared=shared)
    for panel in panels[count:]:
        panel.remove()
    if shared:
        for panel in panels[max(0, count - columns) : count]:
            panel.tick_params(labelbottom=True)  # none below, where the last row is short
    return figure, panels[:count]


def legend_of(panels: Sequence[Axes]) -> dict[str, Artist]:
    """Return what the labels of several panels stand for, each label once."""
    found: dict[str, Artist] = {}
    for panel in panels:
        handles, labels = panel.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    return found


def titled(text: str, width: float) -> str:
    """Return a title of medium letters in lines that fit a width in inches.

    Examples:
        >>> titled("CREMA-D, svm-is09, protocol losgo", 2).splitlines()
        ['CREMA-D, svm-is09,', 'protocol losgo']
    """
    letters = int(width * _LETTERS_PER_INCH)
    lines = (textwrap.wrap(line, letters, break_on_hyphens=False) for line in text.splitlines())
    return "\n".join(part for line in lines for part in line)


def check(file: Path) -> None:
    """Make sure that a name tells a kind of figure.

    Raises:
        SpecError: if it does not
    """
    if file.suffix.lower() not in SUFFIXES:
        raise SpecError(
            f"--out {file}: expected a name that ends in {', '.join(SUFFIXES)}, found "
            f"'{file.suffix}'. Name another one."
        )


def save(figure: Figure, file: Path) -> None:
    """Write a figure without dates and versions, so that the same values give the same bytes.

    Args:
        figure: what to write
        file: its suffix tells the kind

    Raises:
        SpecError: if it cannot be written
    """
    check(file)
    kind = file.suffix.lower()
    unnamed = {
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        ".svg": {"Date": None, "Creator": None},
        ".png": {"Software": None},
    }
    import matplotlib

    content = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "emobench"}):
        figure.savefig(content, format=kind[1:], dpi=_DOTS_PER_INCH, metadata=unnamed[kind])
    with storing(file, output("--out")):
        overwrite(file, content.getvalue())
