"""Pictures as lists of lines, areas, boxes and words, each of a named kind and of no colour.

A page writes them as SVG that follows its style sheet (`inline`); a file for a paper is written
from the same list (`files`). The same values give the same list.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

SERIES = 6
"""Colours that series are told apart by; each has a marker of its own, too."""

_LETTER = 6.3
"""Width of a letter of small text, in pixels."""

_DARK = 0.77
"""Share of that colour from which white letters have more contrast than black ones."""


def series(position: int) -> str:
    """Return the kind of a series by its position."""
    return f"s{position % SERIES}"


def ink_on(share: float) -> str:
    """Return the kind of words that can be read on so much of the darkest colour of a heat map."""
    return "inverse" if share > _DARK else "strong"


def width_of(text: str) -> float:
    """Return about how wide a small text is, in pixels."""
    return _LETTER * len(text)


@dataclass(frozen=True)
class Scale:
    """From values to pixels.

    Attributes:
        low: value at the start
        high: value at the end
        start: pixel of the lowest value
        end: pixel of the highest value
        logarithmic: whether equal steps are equal factors
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high, at = (
            (math.log(self.low), math.log(self.high), math.log(value))
            if self.logarithmic
            else (self.low, self.high, value)
        )
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Return round values for marks: about as many as wanted, or the powers of ten."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        raw = (self.high - self.low) / max(wanted, 1) or 1
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(size * factor for factor in (1, 2, 5, 10) if raw <= size * factor * (1 + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [step * place for place in range(first, last + 1)]


Point = tuple[float, float]
"""In pixels: from the left edge, and from the upper one."""


@dataclass(frozen=True)
class Path:
    """Lines through points, or the areas that they enclose.

    Attributes:
        kind: words that name its style, such as "grid" or "l s0 dashed"
        strokes: points of each line; between two of them the pen is lifted
        title: what it says to who points at it
        closed: whether it is an area
    """

    kind: str
    strokes: tuple[tuple[Point, ...], ...]
    title: str = ""
    closed: bool = False


@dataclass(frozen=True)
class Box:
    """A rectangle; `share` is how much of its kind's colour it has."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str = ""
    share: float = 1.0


@dataclass(frozen=True)
class Circle:
    """A circle."""

    kind: str
    x: float
    y: float
    radius: float
    title: str = ""


@dataclass(frozen=True)
class Text:
    """Words; `at` is the part of them that stands at x: start, middle or end."""

    kind: str
    x: float
    y: float
    words: str
    at: str = "start"


Item = Path | Box | Circle | Text


@dataclass(frozen=True)
class Entry:
    """What something in a picture stands for.

    Attributes:
        words: what it is
        kind: of the line or the area, "" for a marker alone
        series: position of the series that it is, None for none
    """

    words: str
    kind: str = ""
    series: int | None = None


@dataclass
class Drawing:
    """A picture that grows.

    Attributes:
        width: in pixels
        height: in pixels
        title: what it shows
        items: what is drawn, the lowest first
        key: what lines, areas and markers stand for
    """

    width: float
    height: float
    title: str
    items: list[Item] = field(default_factory=list)
    key: list[Entry] = field(default_factory=list)

    def line(self, points: Iterable[Point], kind: str, title: str = "") -> None:
        """Draw a line through points; a point that is not finite is a gap."""
        strokes: list[list[Point]] = [[]]
        for x, y in points:
            if math.isfinite(x) and math.isfinite(y):
                strokes[-1].append((x, y))
            elif strokes[-1]:
                strokes.append([])
        drawn = tuple(tuple(stroke) for stroke in strokes if stroke)
        if drawn:
            self.items.append(Path(kind, drawn, title))

    def area(self, points: Sequence[Point], kind: str) -> None:
        """Fill what points enclose."""
        self.items.append(Path(kind, (tuple(points),), closed=True))

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        kind: str,
        title: str = "",
        share: float = 1.0,
    ) -> None:
        """Draw a rectangle; `share` is how much of its kind's colour it has."""
        self.items.append(Box(kind, x, y, max(width, 0), max(height, 0), title, share))

    def text(self, x: float, y: float, words: str, kind: str = "", at: str = "start") -> None:
        """Write words; `at` is the part of them that stands at x: start, middle or end."""
        self.items.append(Text(kind, x, y, words, at))

    def marker(self, x: float, y: float, position: int, title: str = "", size: float = 4) -> None:
        """Draw the marker of a series: its shape tells it apart as its colour does.

        Of more series than there are colours, those of one colour have different shapes.
        """
        kind = f"m {series(position)}"
        shape = (position + position // SERIES) % SERIES
        if shape == 0:
            self.items.append(Circle(kind, x, y, size, title))
        elif shape == 1:
            self.box(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8, kind, title)
        else:
            corners = tuple((x + size * a, y + size * b) for a, b in _CORNERS[shape])
            self.items.append(Path(kind, (corners,), title, closed=True))

    def explain(self, words: str, kind: str = "", series: int | None = None) -> None:
        """Say what something stands for; see `Entry`. Once is enough."""
        entry = Entry(words, kind, series)
        self.key += [entry] if entry not in self.key else []

    def place(self, other: Drawing, x: float, y: float) -> None:
        """Draw another picture inside this one, and take over its key."""
        self.items += [_moved(item, x, y) for item in other.items]
        for entry in other.key:
            self.explain(entry.words, entry.kind, entry.series)


def axes(
    drawing: Drawing,
    across: Scale,
    up: Scale,
    *,
    titles: tuple[str, str],
    ticks: tuple[Sequence[float], Sequence[float]] | None = None,
) -> None:
    """Draw a grid with numbers and the titles of both axes.

    Args:
        drawing: to draw into
        across: horizontal scale
        up: vertical scale
        titles: of the horizontal and of the vertical axis
        ticks: values with a line; None for round ones
    """
    columns, rows = ticks or (across.ticks(), up.ticks())
    for value in rows:
        y = up(value)
        drawing.line([(across.start, y), (across.end, y)], "grid")
        drawing.text(across.start - 6, y + 4, _tick(value), "t", "end")
    for value in columns:
        x = across(value)
        drawing.line([(x, up.start), (x, up.end)], "grid")
        drawing.text(x, up.start + 16, _tick(value), "t", "middle")
    drawing.line([(across.start, up.start), (across.end, up.start)], "axis")
    drawing.text((across.start + across.end) / 2, up.start + 34, titles[0], "t", "middle")
    drawing.text(across.start - 30, up.end - 10, titles[1], "t")


_CORNERS = {
    2: ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    3: ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    4: ((0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
    5: ((-1, -0.4), (-0.4, -1), (0.4, -1), (1, -0.4), (1, 0.4), (0.4, 1), (-0.4, 1), (-1, 0.4)),
}
"""Outlines of markers, in units of their size: triangle up, diamond, triangle down, octagon."""


def _tick(value: float) -> str:
    return f"{value:,.10g}"


def _moved(item: Item, x: float, y: float) -> Item:
    if isinstance(item, Path):
        return replace(
            item,
            strokes=tuple(tuple((a + x, b + y) for a, b in stroke) for stroke in item.strokes),
        )
    return replace(item, x=item.x + x, y=item.y + y)
