"""Names that are spelt in several ways: one person must not be taken for two."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_SHORTEST = 4
"""Letters of a word in which one may be wrong; shorter ones are initials, numbers, codes."""


def unified(names: Mapping[str, int]) -> dict[str, str]:
    """Return one spelling for each name.

    Names are one if they differ in capitals, accents, blanks and punctuation alone, or by a
    single letter of one word of four letters or more. Taking two people for one makes a group of
    a split larger; taking one for two would put the same voice on both sides of it.

    Args:
        names: how often each spelling occurs

    Returns:
        for each spelling the most frequent one of the same name, of equals the first

    Examples:
        >>> unified({"Robert Duvall": 3, "robert duval": 1, "Jo": 1})
        {'Robert Duvall': 'Robert Duvall', 'robert duval': 'Robert Duvall', 'Jo': 'Jo'}
    """
    ordered = sorted(names, key=lambda name: (-names[name], name))
    words = {name: _words(name) for name in ordered}
    chosen: dict[str, str] = {}
    for name in ordered:
        if name in chosen:
            continue
        waiting = [name]
        while waiting:
            current = waiting.pop()
            chosen[current] = name
            waiting += [
                other
                for other in ordered
                if other not in chosen
                and other not in waiting
                and _alike(words[current], words[other])
            ]
    return {name: chosen[name] for name in names}


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name without capitals, accents and punctuation."""
    plain = re.sub(r"\+\d+\s*$", "", name)  # a spreadsheet that was dragged counts up
    letters = unicodedata.normalize("NFKD", plain).casefold()
    kept = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return tuple(re.findall(r"[^\W_]+", kept)) or (name,)


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if "".join(one) == "".join(other):
        return True
    if len(one) != len(other):
        return False
    differing = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    return len(differing) == 1 and _slipped(*differing[0])


def _slipped(one: str, other: str) -> bool:
    """Tell whether two words differ by a letter that is wrong, missing or too much."""
    short, long = sorted((one, other), key=len)
    if len(short) < _SHORTEST or len(long) - len(short) > 1 or not (one + other).isalpha():
        return False
    start = next((i for i, sign in enumerate(short) if sign != long[i]), len(short))
    skipped = start + 1 if len(short) == len(long) else start
    return short[skipped:] == long[start + 1 :]
