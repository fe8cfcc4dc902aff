"""Scores on file held to the predictions that they are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metric_table import SCORES

_TOLERANCE = 1e-6


def contradictions(record: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return which scores of a record are not those that its predictions give, or "".

    Args:
        record: of a fold
        found: scores computed from its predictions
    """
    claimed = record.get("scores")
    claimed = claimed if isinstance(claimed, Mapping) else {}
    return ", ".join(
        f"{key} {claimed[key]:.4f} on file, {found[key]:.4f} recomputed"
        for key in SCORES
        if isinstance(claimed.get(key), (int, float))
        and not abs(claimed[key] - found[key]) <= _TOLERANCE
    )
