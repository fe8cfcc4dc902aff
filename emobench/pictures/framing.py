"""Pictures that stand alone: with a title above, several beside each other, and a key below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .drawing import Drawing, Entry, width_of

_MARGIN, _GAP = 16, 12
_TITLE, _HEADING, _LINE = 20, 22, 18
_TITLE_LETTER = 8.4
"""Width of a letter of a title, in pixels."""

_SAMPLE = 22
"""Width of what stands before a word of the key, in pixels."""

_AREAS = ("band", "bar")


def framed(drawing: Drawing, *, note: str = "") -> Drawing:
    """Return a picture with its title above and its key below.

    Args:
        drawing: the picture; its title may have several lines
        note: what else a reader should know
    """
    width = drawing.width + 2 * _MARGIN
    lines = titled(drawing.title, drawing.width)
    found = Drawing(width, 0, lines[0])
    for place, line in enumerate(lines):
        found.text(width / 2, _MARGIN + _TITLE * (place + 0.7), line, "title", "middle")
    top = _MARGIN + _TITLE * len(lines) + _GAP / 2
    found.place(drawing, _MARGIN, top)
    bottom = _key(found, top + drawing.height + _GAP)
    if note:
        found.text(width / 2, bottom + 12, note, "t", "middle")
        bottom += _LINE
    found.height = bottom + _MARGIN / 2
    return found


def beside(title: str, panels: Sequence[Drawing], *, in_a_row: int) -> Drawing:
    """Return pictures beside each other, in rows of about one length, each under its title.

    Args:
        title: of all
        panels: at least one
        in_a_row: how many, at most
    """
    rows = -(-len(panels) // in_a_row)
    columns = -(-len(panels) // rows)
    wide = max(panel.width for panel in panels) + _GAP
    tall = max(panel.height for panel in panels) + _HEADING + _GAP
    found = Drawing(columns * wide - _GAP, rows * tall - _GAP, title)
    for place, panel in enumerate(panels):
        x, y = place % columns * wide, place // columns * tall
        found.text(x + panel.width / 2, y + 14, panel.title, "strong", "middle")
        found.place(panel, x, y + _HEADING)
    return found


def titled(title: str, width: float) -> list[str]:
    """Return a title in lines that fit a width in pixels.

    Examples:
        >>> titled("CREMA-D, svm-is09, protocol losgo", 170)
        ['CREMA-D, svm-is09,', 'protocol losgo']
    """
    letters = max(int(width / _TITLE_LETTER), 1)
    lines = (textwrap.wrap(line, letters, break_on_hyphens=False) for line in title.splitlines())
    return [part for line in lines for part in line] or [""]


def _key(drawing: Drawing, top: float) -> float:
    """Write the key in rows that fit; return where the next thing may stand."""
    rows: list[list[Entry]] = []
    left, most = 0.0, drawing.width - 2 * _MARGIN
    for entry in drawing.key:
        if not rows or left + _width(entry) > most:
            rows.append([])
            left = 0.0
        rows[-1].append(entry)
        left += _width(entry)
    for place, row in enumerate(rows):
        x = (drawing.width - sum(map(_width, row))) / 2
        y = top + _LINE * (place + 0.5)
        for entry in row:
            _sample(drawing, entry, x, y)
            drawing.text(x + _SAMPLE + 6, y + 4, entry.words, "t")
            x += _width(entry)
    return top + _LINE * len(rows)


def _width(entry: Entry) -> float:
    return _SAMPLE + 6 + width_of(entry.words) + 18


def _sample(drawing: Drawing, entry: Entry, x: float, y: float) -> None:
    """Draw what an entry of the key looks like."""
    if entry.kind in _AREAS:
        drawing.box(x, y - 6, _SAMPLE, 12, entry.kind)
    elif entry.kind:
        drawing.line([(x, y), (x + _SAMPLE, y)], entry.kind)
    if entry.series is not None:
        drawing.marker(x + _SAMPLE / 2, y, entry.series)
