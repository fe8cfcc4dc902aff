"""Which readers of annotation files an entry may name, and what they fill in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reader:
    """Where a reader is, and which columns it fills.

    Attributes:
        module: module of `corpora.readers`
        columns: columns of its clips, `emotion` and `speaker` among them
    """

    module: str
    columns: frozenset[str]


_RATED = ("emotion", "speaker", "group", "sex", "valence", "activation", "dominance")

_OF_DATABASES = frozenset(
    {"emotion", "speaker", "group", "sex", "age", "sentence", "intensity", "repetition"}
)

READERS: Mapping[str, Reader] = {
    "iemocap": Reader(
        "iemocap", frozenset({*_RATED, "transcript", "dialogue_actor", "scene", "style"})
    ),
    "msp-improv": Reader(
        "msp_improv", frozenset({*_RATED, "sentence", "condition", "target", "naturalness"})
    ),
    "smartkom": Reader("smartkom", frozenset({"emotion", "speaker", "transcript", "session"})),
    "audformat": Reader("audformat_database", _OF_DATABASES),
    "audformat-texts": Reader("audformat_database", _OF_DATABASES | {"transcript"}),
}
"""Readers by the name that an entry gives after `reader:`."""
