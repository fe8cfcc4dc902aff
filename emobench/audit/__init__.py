"""Can a result be trusted? What speaks against it in a corpus, a protocol, or what was stored.

`of_corpus` looks at a corpus and at its folds under a protocol, `of_results` at what runs left;
`foresee` and `foresee_heard` are what `check`, `folds` and `run` say before hours are spent. A file
for each family of findings; importing this loads neither pandas nor anything that reads audio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .findings import Audit, Finding, Severity

if TYPE_CHECKING:
    from .encoders import foresee_heard
    from .of_corpora import foresee, foresee_checked, of_corpus, unreadable
    from .of_stored import of_results

__all__ = [
    "Audit",
    "Finding",
    "Severity",
    "foresee",
    "foresee_checked",
    "foresee_heard",
    "of_corpus",
    "of_results",
    "unreadable",
]

_LATER = {
    "foresee": "of_corpora",
    "foresee_checked": "of_corpora",
    "foresee_heard": "encoders",
    "of_corpus": "of_corpora",
    "of_results": "of_stored",
    "unreadable": "of_corpora",
}


def __getattr__(name: str) -> Any:
    """Import what needs more packages when it is first asked for."""
    if name in _LATER:
        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
