"""From names on a command line to finished records.

`choosing` looks up corpora, `planning` says what a selection comes to and what is left out and why,
`preparing` makes experiments of it, `running` computes what the store does not hold yet, `between`
says and refuses what only runs from one corpus to another need, `estimating` tells beforehand what
a plan takes, and `calling` is all that as one function. `exporting` makes a bundle of a single
model instead. `extraction` fills the cache ahead of a run, and `cached` says what it holds.
"""

from __future__ import annotations

from ..experiments import configuration, current_fingerprint
from ..run_options import Selection
from .between import explained
from .cached import Cached, Pruned, cached, prune
from .calling import find_places, run
from .choosing import select
from .estimating import estimate
from .exporting import Export, export
from .extraction import Extracted, extract_ahead
from .leakage import run_variants, variants_of
from .planning import Plan, plan
from .preparing import preview
from .running import Observer, Summary, execute

__all__ = [
    "Cached",
    "Export",
    "Extracted",
    "Observer",
    "Plan",
    "Pruned",
    "Selection",
    "Summary",
    "cached",
    "configuration",
    "current_fingerprint",
    "estimate",
    "execute",
    "explained",
    "export",
    "extract_ahead",
    "find_places",
    "plan",
    "preview",
    "prune",
    "run",
    "run_variants",
    "select",
    "variants_of",
]
