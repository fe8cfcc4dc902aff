"""Speaker-independent benchmark of speech emotion recognition models.

The functions below are those that the command line uses; each is imported when it is first asked
for, so that `import emobench` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "load_corpus": ("corpora", "load_corpus"),
    "extract": ("features", "extract"),
    "build_model": ("models", "build"),
    "run": ("runs", "run"),
    "load_model": ("bundles", "load_model"),
    "read_results": ("store", "read_results"),
}

__all__ = ["build_model", "extract", "load_corpus", "load_model", "read_results", "run"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'emobench' has no attribute '{name}'")
    module, attribute = _WHERE[name]
    return getattr(import_module(f"emobench.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
