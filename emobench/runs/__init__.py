"""From names on a command line to finished records.

`planning` looks up what a selection names and says what is left out and why, `preparing` makes
experiments of it, `running` computes what the store does not hold yet, and `calling` is all that as
one function.
"""

from __future__ import annotations

from ..experiments import configuration, current_fingerprint
from ..run_options import Selection
from .calling import find_places, run
from .extraction import extract_ahead
from .leakage import run_variants
from .planning import Plan, plan, select
from .preparing import preview
from .running import Observer, Summary, execute

__all__ = [
    "Observer",
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
    "run_variants",
    "select",
]
