"""The regular expression that finds parts in names again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from .parts import Part, Split

_MOST_ALTERNATIVES = 16
_LOOSE = {"signs", "brackets", "underscores", "hyphens", "blanks", "whole"}


def expression(groups: Mapping[str, Part], depth: int, extensions: Sequence[str]) -> str:
    """Return an expression for names, or for paths up to a level, in which parts are named."""
    splits = {part.level: part.split for part in groups.values()}
    levels = range(depth, -1, -1)
    names = [_name(splits[at], groups) if at in splits else "[^/]+" for at in levels]
    ending = extensions[0] if len(extensions) == 1 else f"(?:{'|'.join(sorted(extensions))})"
    return f"{'(?:^|/)' if depth else '^'}{'/'.join(names)}\\.{ending}$"


def _name(split: Split, groups: Mapping[str, Part]) -> str:
    """Return the expression for the names of one level."""
    begins = {part.first: (name, part) for name, part in groups.items() if part.split is split}
    pieces, position = [], 0
    while position < len(split.separators):
        name, part = begins.get(position, ("", Part(split, position, position)))
        if name in ("emotion", "sex") and len(part.counts) <= _MOST_ALTERNATIVES:
            inside = _alternatives(part.counts)
        else:
            inside = "".join(_token(split, at) for at in range(part.first, part.last + 1))
        pieces.append(f"(?P<{name}>{inside})" if name else inside)
        position = part.last + 1
    return "".join(pieces)


def _token(split: Split, position: int) -> str:
    """Return an expression for what occurs at a position."""
    texts = split.column(position)
    if len(texts) == 1:
        return _escaped(*texts)
    if split.separators[position]:
        return r"[\W_]+"
    if split.way in _LOOSE:
        return "[^/]+?"
    if all(map(str.isdecimal, texts)):
        widths = {len(text) for text in texts}
        return r"\d" * widths.pop() if widths in ({1}, {2}, {3}, {4}) else r"\d+"
    if split.way == "fields":
        return r"[^\W_]+"
    if len(texts) <= _MOST_ALTERNATIVES and max(map(len, texts)) == 1:
        return _alternatives(texts)
    kinds = ("[a-z]+", "[A-Za-z]+", r"[^\W\d_]+")
    letters = next(kind for kind in kinds if re.fullmatch(kind, "".join(texts)))
    sticks = split.separators[position + 1 :][:1] == (False,)
    return f"{letters}?" if sticks and split.way in ("capitals", "words") else letters


def _alternatives(texts: Collection[str]) -> str:
    ordered = sorted(texts, key=lambda text: (-len(text), text))
    if all(len(text) == 1 and text.isalnum() for text in ordered):
        return f"[{''.join(ordered)}]"
    return "|".join(_escaped(text) for text in ordered)


def _escaped(text: str) -> str:
    return re.sub(r"\\([ \-#&~])", r"\1", re.escape(text))
