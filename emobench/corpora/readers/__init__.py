"""Readers of corpora whose labels stand in annotation files of their own kind.

A reader is a module here with a function `read(corpus, folder, files)` that turns a corpus, its
folder and its audio files into clips; what an entry says of drops, maps and defaults is then
applied to them as to any other corpus. `READERS` names it and says which columns it fills. The
module is imported when a corpus is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reader:
    """Where a reader is, and which columns it fills.

    Attributes:
        module: module of this package
        columns: columns of its clips, `emotion` and `speaker` among them
    """

    module: str
    columns: frozenset[str]


_RATED = ("emotion", "speaker", "group", "sex", "valence", "activation", "dominance")

READERS: Mapping[str, Reader] = {
    "iemocap": Reader(
        "iemocap", frozenset({*_RATED, "transcript", "dialogue_actor", "scene", "style"})
    ),
    "msp-improv": Reader(
        "msp_improv", frozenset({*_RATED, "sentence", "condition", "target", "naturalness"})
    ),
    "smartkom": Reader("smartkom", frozenset({"emotion", "speaker", "transcript", "session"})),
}
"""Readers by the name that an entry gives after `reader:`."""
