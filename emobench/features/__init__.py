"""Front-ends: what models see of a clip, and the cache that holds it.

A front-end is a `FrontEnd` in a module of its family, listed in `registry`.
"""

from __future__ import annotations

from .cache import identify, load, missing
from .feature_set import FeatureSet
from .front_end import Fitted, FrontEnd
from .registry import extract, get, missing_package, names, spec

__all__ = [
    "FeatureSet",
    "Fitted",
    "FrontEnd",
    "extract",
    "get",
    "identify",
    "load",
    "missing",
    "missing_package",
    "names",
    "spec",
]
