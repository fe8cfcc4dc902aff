"""Corpora: the registry of what there is, and what is found of it on disk.

Importing this loads neither pandas nor anything that reads audio; `load`, `open_corpus` and
`check` do so when they are first called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .entries.across import across
from .entries.fields import EMOTIONS, TABLE_COLUMNS
from .entries.schema import Corpus
from .paths import cache_root, data_root, find, how_to_get, locate
from .registry import Registry, load_registry, normalised

if TYPE_CHECKING:
    from .checking.counts import CheckReport, check
    from .opening import open_corpus
    from .table import load, load_corpus

__all__ = [
    "Corpus",
    "Registry",
    "load_registry",
    "normalised",
    "across",
    "find",
    "locate",
    "data_root",
    "cache_root",
    "how_to_get",
    "load",
    "load_corpus",
    "open_corpus",
    "check",
    "CheckReport",
    "EMOTIONS",
    "TABLE_COLUMNS",
]

_LATER = {
    "load": "table",
    "load_corpus": "table",
    "open_corpus": "opening",
    "check": "checking.counts",
    "CheckReport": "checking.counts",
}


def __getattr__(name: str) -> Any:
    """Import what needs heavy packages when it is first asked for."""
    if name in _LATER:
        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
