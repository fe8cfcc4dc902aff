"""JSON as records are kept in: sorted, finite, and an object."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..spec import plain


def to_json(value: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys; numbers that JSON lacks (NaN, infinities) become null."""
    text = json.dumps(_finite(plain(value)), sort_keys=True, indent=1, ensure_ascii=False)
    return (text + "\n").encode()


def from_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        OSError: if it cannot be read
        ValueError: if it is not JSON, or not an object
    """
    value = json.loads(path.read_bytes().decode())
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, found {type(value).__name__}")
    return value


def _finite(value: Any) -> Any:
    """Return a plain value with NumPy scalars and arrays as Python's, and NaN as None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
