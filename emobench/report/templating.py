"""Pages as HTML: every word is escaped, and a name that a template lacks is an error."""

from __future__ import annotations

import json
import math
import posixpath
from functools import cache
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import count, printable
from ..metrics import percent, signed
from .page import Page

if TYPE_CHECKING:
    import jinja2

NAVIGATION = (
    ("leaderboard", "Leaderboard", "index.html"),
    ("corpora", "Corpora", "corpora.html"),
    ("models", "Models", "models.html"),
    ("ledger", "Published numbers", "ledger.html"),
    ("findings", "Findings", "findings.html"),
)
"""Name, title and address of what every page leads to."""

ABSENT = "–"


def render(page: Page) -> bytes:
    """Return the HTML of a page."""

    def to(address: str) -> str:
        """Return an address of the site as seen from the page."""
        path, hash_, place = address.partition("#")
        return posixpath.relpath(path, posixpath.dirname(page.address) or ".") + hash_ + place

    text = (
        _environment()
        .get_template(page.template)
        .render(
            page=page,
            to=to,
            navigation=NAVIGATION,
            version=__version__,
            data=None if page.data is None else _embedded(page.data),
            **page.content,
        )
    )
    return (printable_page(text).rstrip() + "\n").encode()


def printable_page(text: str) -> str:
    """Return a page whose control characters are shown and not obeyed."""
    return "\n".join(map(printable, text.split("\n")))


def points(share: float | None) -> str:
    """Return a share in percent as tables print it, or a dash.

    Examples:
        >>> points(0.80041), points(None)
        ('80.0', '–')
    """
    return ABSENT if share is None or math.isnan(share) else f"{percent(share):.1f}"


def whole(share: float | None) -> str:
    """Return a share in whole percent, or a dash."""
    return ABSENT if share is None else f"{100 * share:.0f}"


def place(share: float) -> str:
    """Return where a share lies on a line of 100, in as few characters as a tenth needs.

    Examples:
        >>> place(0.25), place(0.58763), place(1)
        ('25', '58.8', '100')
    """
    return f"{round(100 * share, 1):g}"


def seconds(value: float) -> str:
    """Return a duration for people.

    Examples:
        >>> seconds(1.39), seconds(446.4), seconds(7384)
        ('1.4 s', '7 min 26 s', '2 h 3 min')
    """
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emobench.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters.update(
        points=points, signed=signed, whole=whole, place=place, seconds=seconds, count=count
    )
    environment.filters["grouped"] = lambda number: f"{number:,}"
    return environment


def _embedded(data: Any) -> str:
    """Return JSON that ends no script element, whatever it holds."""
    import markupsafe

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return markupsafe.Markup(text)
