"""A table in Markdown whose source is aligned, too."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table, its first column to the left and the others centred.

    Examples:
        >>> print(aligned(["corpus", "UAR"], [["EMO-DB", "80.1"]]))
        | corpus | UAR  |
        | :----- | :--: |
        | EMO-DB | 80.1 |
    """
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    rule = [":" + "-" * (width - 1) for width in widths[:1]]
    rule += [":" + "-" * (width - 2) + ":" for width in widths[1:]]
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in (header, rule, *body)
    )
