"""From names on a command line to finished records.

`planning` turns a selection into experiments and says what is left out and why; `running` computes
what the store does not hold yet.
"""

from __future__ import annotations

from .extraction import extract_ahead
from .planning import Plan, Selection, configuration, current_fingerprint, plan
from .running import Summary, execute, find_places, preview, run

__all__ = [
    "Plan",
    "Selection",
    "Summary",
    "configuration",
    "current_fingerprint",
    "execute",
    "extract_ahead",
    "find_places",
    "plan",
    "preview",
    "run",
]
