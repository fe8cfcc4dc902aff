"""Pictures as SVG inside a page: small, the same bytes each time, coloured by its style sheet."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .drawing import Box, Circle, Drawing, Item, Path, Text

if TYPE_CHECKING:
    from markupsafe import Markup


def svg(drawing: Drawing, number: int) -> Markup:
    """Return a picture as an element of a page; its kinds are classes.

    Args:
        drawing: the picture
        number: tells it from the other pictures of a page
    """
    from markupsafe import Markup

    name, size = f"picture-{number}", (_number(drawing.width), _number(drawing.height))
    return Markup(
        f'<svg viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}" role="img" '
        f'aria-labelledby="{name}"><title id="{name}">{escape(drawing.title)}</title>'
        f"{''.join(map(_element, drawing.items))}</svg>"
    )


def _element(item: Item) -> str:
    if isinstance(item, Text):
        anchor = "" if item.at == "start" else f' text-anchor="{item.at}"'
        named = f' class="{item.kind}"' if item.kind else ""
        place = f'x="{_number(item.x)}" y="{_number(item.y)}"'
        return f"<text {place}{anchor}{named}>{escape(item.words)}</text>"
    if isinstance(item, Circle):
        name, told = "circle", {"cx": item.x, "cy": item.y, "r": item.radius}
    elif isinstance(item, Box):
        name = "rect"
        told = {"x": item.x, "y": item.y, "width": item.width, "height": item.height}
        told |= {} if item.share == 1 else {"fill-opacity": f"{item.share:.3f}"}
    else:
        name, told = "path", {"d": _strokes(item)}
    written = "".join(
        f' {key}="{value if isinstance(value, str) else _number(value)}"'
        for key, value in told.items()
    )
    inside = f"><title>{escape(item.title)}</title></{name}>" if item.title else "/>"
    return f'<{name} class="{item.kind}"{written}{inside}'


def _strokes(path: Path) -> str:
    strokes = (
        "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in stroke) for stroke in path.strokes
    )
    return "".join(strokes) + ("Z" if path.closed else "")


def _number(value: float) -> str:
    """Return a coordinate, to a tenth of a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
