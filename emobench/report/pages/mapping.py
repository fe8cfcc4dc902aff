"""What two corpora have in common: what each calls an emotion, and what is left out of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...results.result import Result


@dataclass(frozen=True)
class LabelMapping:
    """The common emotions of the two sides of a result.

    Attributes:
        corpora: names of those that are trained on or tested
        rows: each emotion with what every corpus calls it, "" where it has no word for it
        dropped: why clips are left out, with their number
    """

    corpora: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    dropped: tuple[tuple[str, int], ...]


def label_mapping(result: Result) -> LabelMapping | None:
    """Return how labels were matched, as it is stored with a result; None where it is not."""
    words = result.stored.experiment.get("words")
    dropped = result.stored.experiment.get("dropped")
    if not result.tested_on or not _is_words(words):
        return None
    corpora = tuple(dict.fromkeys(name for own in words.values() for name in own))
    order = [label for label in result.labels if label in words]
    return LabelMapping(
        corpora,
        tuple(
            (label, tuple(", ".join(map(str, words[label].get(name, ()))) for name in corpora))
            for label in order
        ),
        tuple((str(why), clips) for why, clips in dropped.items() if isinstance(clips, int))
        if isinstance(dropped, Mapping)
        else (),
    )


def _is_words(words: Any) -> bool:
    """Tell whether a value is words by corpus by emotion."""
    return isinstance(words, Mapping) and all(
        isinstance(own, Mapping) and all(isinstance(each, list) for each in own.values())
        for own in words.values()
    )
