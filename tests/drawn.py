"""Reading pictures back: what stands where, by the numbers that are written along their axes."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from emobench.pictures.drawing import Box, Circle, Drawing, Item, Path, Point, Text

_NUMBER = r"-?[\d,]+(?:\.\d+)?"


def words(drawing: Drawing, kind: str | None = None) -> list[str]:
    """All that is written, or what is of a kind."""
    items = [item for item in drawing.items if isinstance(item, Text)]
    return [item.words for item in items if item.words and kind in (None, item.kind)]


def key(drawing: Drawing) -> list[str]:
    """What the key says."""
    return [entry.words for entry in drawing.key]


def lines(drawing: Drawing, kind: str) -> list[tuple[Point, ...]]:
    """Points of all lines of a kind."""
    paths = (item for item in drawing.items if isinstance(item, Path) and item.kind == kind)
    return [stroke for path in paths for stroke in path.strokes]


def boxes(drawing: Drawing, kind: str) -> list[Box]:
    """All rectangles of a kind."""
    return [item for item in drawing.items if isinstance(item, Box) and item.kind == kind]


def marks(drawing: Drawing) -> dict[str, list[Point]]:
    """The middle of each marker, by the series that it is of."""
    found = defaultdict(list)
    for item in drawing.items:
        if item.kind.startswith("m "):
            found[item.kind.removeprefix("m ")].append(_middle(item))
    return dict(found)


def shapes(drawing: Drawing) -> set[tuple[str, int]]:
    """Kinds of markers: their class, and how many corners they have."""
    return {
        (type(item).__name__, len(item.strokes[0]) if isinstance(item, Path) else 0)
        for item in drawing.items
        if item.kind.startswith("m ")
    }


def told(drawing: Drawing) -> dict[str, Point]:
    """The middle of each marker, by what it says to who points at it."""
    return {
        item.title: _middle(item)
        for item in drawing.items
        if item.kind.startswith("m ") and not isinstance(item, Text)
    }


def _middle(item: Item) -> Point:
    if isinstance(item, Circle):
        return item.x, item.y
    if isinstance(item, Box):
        return item.x + item.width / 2, item.y + item.height / 2
    xs, _ = zip(*item.strokes[0], strict=True)
    return (min(xs) + max(xs)) / 2, math.nan  # triangles stand above and below their middle


def across(drawing: Drawing, *, logarithmic: bool = False) -> Callable[[float], float]:
    """What turns a pixel from the left into a value."""
    return _ruler(drawing, "x", "y", logarithmic, 0)


def up(drawing: Drawing) -> Callable[[float], float]:
    """What turns a pixel from above into a value; words stand four pixels below their line."""
    return _ruler(drawing, "y", "x", False, -4)


def _ruler(
    drawing: Drawing, along: str, beside: str, logarithmic: bool, shift: float
) -> Callable[[float], float]:
    rows = defaultdict(dict)
    for item in drawing.items:
        if isinstance(item, Text) and re.fullmatch(_NUMBER, item.words):
            value = float(item.words.replace(",", ""))
            rows[getattr(item, beside)][value] = getattr(item, along) + shift
    ticks = max(rows.values(), key=len)
    assert len(ticks) > 1
    values = np.array(list(ticks))
    slope, start = np.polyfit(list(ticks.values()), np.log(values) if logarithmic else values, 1)
    straight = lambda pixel: slope * pixel + start  # noqa: E731
    return (lambda pixel: math.exp(straight(pixel))) if logarithmic else straight
