"""What a user can get wrong, each with one message that says where, what, and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
"""What a parameter may be, in words, by its type."""

_MOST_NAMED = 5


class EmobenchError(Exception):
    """Base of every error that a user can mend; the command line prints it without a traceback."""


class SpecError(EmobenchError):
    """A name, an option or an entry of a registry file is wrong."""


class CorpusError(EmobenchError):
    """A corpus on disk is absent, incomplete, or cannot be split as asked."""


class AudioError(EmobenchError):
    """A file does not hold usable audio."""


class FeatureError(EmobenchError):
    """A front-end cannot be computed or its cache cannot be used."""


class ToolError(FeatureError):
    """What computes features does not work here and now, which says nothing of any clip."""


class UncachedError(FeatureError):
    """Features are not cached where they are only to be read."""


class StoreError(EmobenchError):
    """Results cannot be read or written."""


class BundleError(EmobenchError):
    """A saved model cannot be made, read, or used here."""


def first_line(error: BaseException, most: int = 300) -> str:
    """Return the first line of what another package says of a mistake, or the name of its kind.

    Examples:
        >>> first_line(ValueError("no such tone")), first_line(KeyError())
        ('no such tone', 'KeyError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:most]


def printable(text: str) -> str:
    r"""Return a text in which control characters are shown, not obeyed by a terminal.

    Examples:
        >>> print(printable("a\x1b[2Jb"))
        a\x1b[2Jb
    """
    return re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]",
        lambda sign: sign[0].encode("unicode_escape").decode("ascii"),
        text,
    )


def count(number: int, noun: str) -> str:
    """Return a number with what it counts.

    Examples:
        >>> count(1, "clip"), count(1200, "clip")
        ('1 clip', '1,200 clips')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are.

    Examples:
        >>> named(["a", "b"]), named("abcdefgh")
        ('a, b', 'a, b, c, d, e and 3 more')
    """
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the known words closest to a misspelt one.

    Args:
        word: what the user wrote
        known: what would have been accepted

    Returns:
        " Did you mean 'x'?", or "" when nothing comes close

    Examples:
        >>> suggest("emodb", ["emo-db", "tess"])
        " Did you mean 'emo-db'?"
    """
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    return " Did you mean " + " or ".join(f"'{name}'" for name in close) + "?" if close else ""
