"""Trained models as folders that predict on their own: made, described, read and used.

`order` says what is to be made and `making` makes it: `learning` trains, `history` and `evidence`
tell how it came about and how well it does, `card` puts that into words. `contents` is what a
bundle says of itself, `folder` how it lies on disk. `model` is a bundle in use: `wanted` and
`tables` tell what it is asked about, `extracting` extracts, `speakers` gathers what standardises,
`predictors` predict, `labelling` is all that in one stream, `answers` writes down what comes of
it, `database` in the field's format. `onnx` converts a network.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import Model, load_model

__all__ = ["Model", "load_model"]


def __getattr__(name: str) -> Any:
    """Import what loads NumPy and pandas when it is first asked for."""
    if name in __all__:
        return getattr(import_module(".model", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
