"""Pictures as SVG inside a page: small, the same bytes each time, coloured by its style sheet.

Nothing is drawn in a colour of its own: elements carry classes, so that a picture follows the
light or dark page that it stands in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

SERIES = 6
"""Colours that series are told apart by; each has a marker of its own, too."""

_LETTER = 6.3
"""Width of a letter of small text, in pixels."""


def series(position: int) -> str:
    """Return the class of a series by its position."""
    return f"s{position % SERIES}"


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


@dataclass
class Drawing:
    """An SVG that grows.

    Attributes:
        width: in pixels
        height: in pixels
        title: what it shows, read aloud in its place
        number: tells it from the other pictures of a page
    """

    width: float
    height: float
    title: str
    number: int = 0
    _parts: list[str] = field(default_factory=list)

    def line(self, points: Iterable[tuple[float, float]], kind: str, title: str = "") -> None:
        """Draw a line through points; a point that is not finite is a gap."""
        strokes, pen = [], "M"
        for x, y in points:
            if math.isfinite(x) and math.isfinite(y):
                strokes.append(f"{pen}{_number(x)} {_number(y)}")
                pen = "L"
            else:
                pen = "M"
        if strokes:
            self._add("path", kind, title, d="".join(strokes))

    def area(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Fill what points enclose."""
        strokes = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self._add("path", kind, d=f"M{strokes}Z")

    def box(
        self, x: float, y: float, width: float, height: float, kind: str, title: str = ""
    ) -> None:
        """Draw a rectangle."""
        self._add("rect", kind, title, x=x, y=y, width=max(width, 0), height=max(height, 0))

    def text(self, x: float, y: float, words: str, kind: str = "", at: str = "start") -> None:
        """Write words; `at` is the part of them that stands at x: start, middle or end."""
        anchor = "" if at == "start" else f' text-anchor="{at}"'
        named = f' class="{kind}"' if kind else ""
        self._parts.append(
            f'<text x="{_number(x)}" y="{_number(y)}"{anchor}{named}>{escape(words)}</text>'
        )

    def marker(self, x: float, y: float, position: int, title: str = "", size: float = 4) -> None:
        """Draw the marker of a series: its shape tells it apart as its colour does."""
        kind = f"m {series(position)}"
        shape = position % SERIES
        if shape == 0:
            self._add("circle", kind, title, cx=x, cy=y, r=size)
        elif shape == 1:
            self.box(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8, kind, title)
        else:
            corners = _CORNERS[shape]
            path = "L".join(f"{_number(x + size * a)} {_number(y + size * b)}" for a, b in corners)
            self._add("path", kind, title, d=f"M{path}Z")

    def svg(self) -> Markup:
        """Return the picture as an element of a page."""
        from markupsafe import Markup

        name = f"picture-{self.number}"
        return Markup(
            f'<svg viewBox="0 0 {_number(self.width)} {_number(self.height)}" '
            f'width="{_number(self.width)}" height="{_number(self.height)}" role="img" '
            f'aria-labelledby="{name}"><title id="{name}">{escape(self.title)}</title>'
            f"{''.join(self._parts)}</svg>"
        )

    def _add(self, element: str, kind: str, title: str = "", **attributes: float | str) -> None:
        written = "".join(
            f' {key}="{value if isinstance(value, str) else _number(value)}"'
            for key, value in attributes.items()
        )
        inside = f"><title>{escape(title)}</title></{element}>" if title else "/>"
        self._parts.append(f'<{element} class="{kind}"{written}{inside}')


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


def _number(value: float) -> str:
    """Return a coordinate, to a tenth of a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
