"""Numbers in a table whose cells are the darker, the higher they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .drawing import Drawing, ink_on, width_of

_TOP = 44
_LINE = 16
_CELL = (64, 30)
"""Width of a cell at the least, and its height beside that of its lines, in pixels."""


@dataclass(frozen=True)
class Side:
    """What stands along one side of a table.

    Attributes:
        title: what they are
        names: of the rows or columns
    """

    title: str
    names: Sequence[str]


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        share: of the darkest colour, between 0 and 1
        lines: what is written there
    """

    share: float
    lines: tuple[str, ...]


def heat_map(
    title: str, down: Side, across: Side, cells: Mapping[tuple[int, int], Cell]
) -> Drawing:
    """Draw a table.

    Args:
        title: of the picture
        down: the rows
        across: the columns
        cells: by row and column; a dash stands where there is none
    """
    left = 16 + max(map(width_of, (*down.names, down.title)))
    lines = max(len(cell.lines) for cell in cells.values())
    written = [*across.names, *(line for cell in cells.values() for line in cell.lines)]
    width = max(_CELL[0], max(map(width_of, written)) + 10)
    height = _CELL[1] + _LINE * (lines - 1)
    columns, rows = len(across.names), len(down.names)
    drawing = Drawing(left + width * columns + 8, _TOP + height * rows + 8, title)
    drawing.text(left + width * columns / 2, 14, across.title, "t", "middle")
    drawing.text(left - 8, _TOP - 10, down.title, "t", "end")
    for column, name in enumerate(across.names):
        drawing.text(left + width * (column + 0.5), _TOP - 10, name, "strong", "middle")
    for row, name in enumerate(down.names):
        drawing.text(left - 8, _TOP + height * (row + 0.5) + 4, name, "strong", "end")
        for column in range(columns):
            x, y = left + width * column, _TOP + height * row
            cell = cells.get((row, column))
            if cell:
                drawing.box(x, y, width, height, "heat", share=cell.share)
            drawing.box(x, y, width, height, "frame")
            ink = ink_on(cell.share) if cell else "t"
            told = cell.lines if cell else ("–",)
            for place, line in enumerate(told):
                level = y + height / 2 + 4 + _LINE * (place - (len(told) - 1) / 2)
                drawing.text(x + width / 2, level, line, ink, "middle")
    return drawing
