"""From names on a command line to finished records.

`planning` turns a selection into experiments and says what is left out and why, `running` computes
what the store does not hold yet, and `calling` is all that as one function. `exporting` makes a
bundle of a single model instead.
"""

from __future__ import annotations

from ..experiments import configuration, current_fingerprint
from ..run_options import Selection
from .calling import find_places, run
from .exporting import Export, export
from .extraction import extract_ahead
from .planning import Plan, plan, select
from .running import Observer, Summary, execute, preview

__all__ = [
    "Export",
    "Observer",
    "Plan",
    "Selection",
    "Summary",
    "configuration",
    "current_fingerprint",
    "execute",
    "export",
    "extract_ahead",
    "find_places",
    "plan",
    "preview",
    "run",
    "select",
]
