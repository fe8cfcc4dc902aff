"""Price lists for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import itertools
import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from ..metrics import signed
from .markdown_table import aligned
from .price_list import Line, PriceList

NOTHING = (
    "No result under a leaky protocol. `emobench leakage --model NAME --corpus NAME` makes them."
)

CAPTION = (
    "UAR of the mean speaker in percent, and what a practice adds: the mean difference over the "
    "same speakers, with its 95 % interval (Student's t over speakers). One repetition, the same "
    "seeds. Standardising by all clips is compared with standardising by the "
    "training clips, every other practice with the speaker-independent result."
)
WARNING = "Only the first line, and standardising by the training clips, are sound."

_PROSE = 100


def to_text(lists: Sequence[PriceList]) -> str:
    """Render price lists as plain text, ending in a line break."""
    if not lists:
        return NOTHING + "\n"
    parts = ["\n".join(_text(one)) for one in lists]
    return "\n\n".join([*parts, "\n".join(textwrap.wrap(f"{CAPTION} {WARNING}", _PROSE))]) + "\n"


def to_markdown(lists: Sequence[PriceList]) -> str:
    """Render price lists as Markdown: a table for each corpus, a column for each model."""
    if not lists:
        return NOTHING + "\n"
    parts = [f"{CAPTION} {WARNING}"]
    for _, own in itertools.groupby(lists, key=lambda one: one.corpus):
        parts.append(_table(list(own)))
    return "\n\n".join(parts) + "\n"


def to_json(lists: Sequence[PriceList]) -> str:
    """Render price lists as JSON, percentages with four decimals, unknown values null."""
    content = {
        "unit": "percent",
        "price_lists": [
            {
                "corpus": one.corpus,
                "title": one.title,
                "model": one.model,
                "practices": [_facts(line) for line in one.lines],
            }
            for one in lists
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _text(one: PriceList) -> Iterator[str]:
    rows = [("practice", "UAR", "adds", "95 % interval", "speakers", "")]
    for line in one.lines:
        price = line.price
        rows.append(
            (
                line.practice,
                _percent(line.uar),
                signed(price.difference) if price else "",
                f"{signed(price.low)} to {signed(price.high)}" if price else "",
                str(price.speakers) if price else "",
                line.note,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield f"{one.title}, {one.model}"
    for row in rows:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield "  ".join(("", *padded)).rstrip()


def _table(lists: Sequence[PriceList]) -> str:
    """Return the table of a corpus; all lists have the same practices in the same order."""
    header = [lists[0].title, *(one.model for one in lists)]
    body = [
        [lines[0].practice, *map(_cell, lines)]
        for lines in zip(*(one.lines for one in lists), strict=True)
    ]
    return aligned(header, body)


def _cell(line: Line) -> str:
    if line.uar is None:
        return "does not apply" if line.note.startswith("does not apply") else line.note
    if line.price is None:
        return _percent(line.uar) + (f" ({line.note})" if line.note else "")
    price = line.price
    interval = f"{signed(price.low)} to {signed(price.high)}"
    return f"{_percent(line.uar)} ({signed(price.difference)}; {interval})"


def _facts(line: Line) -> dict[str, Any]:
    price = line.price
    return {
        "practice": line.practice,
        "protocol": line.protocol,
        "leaks": line.leaks,
        "uar": _rounded(line.uar),
        "compared_with": line.baseline or None,
        "difference": _rounded(price.difference) if price else None,
        "low": _rounded(price.low) if price else None,
        "high": _rounded(price.high) if price else None,
        "speakers": price.speakers if price else None,
        "note": line.note or None,
    }


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 4)
