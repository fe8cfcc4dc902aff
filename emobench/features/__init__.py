"""Front-ends: what models see of a clip, and the cache that holds it.

A front-end is a `FrontEnd` in a module of its family, listed in `registry`.
"""

from __future__ import annotations

from .cache import FeatureSet, cached_as, identify, is_cached, load
from .front_end import Fitted, FrontEnd
from .registry import extract, get, missing_package, names, spec

__all__ = [
    "FeatureSet",
    "Fitted",
    "FrontEnd",
    "cached_as",
    "extract",
    "get",
    "identify",
    "is_cached",
    "load",
    "missing_package",
    "names",
    "spec",
]
