"""Records and predictions on disk: what is there is complete, whatever happened while it was made.

Layout: `<results>/<protocol>/<corpus>/<model>/<fingerprint[:8]>/` holds `experiment.json` and, for
every finished job, `fold-03-repetition-1.parquet` (predictions) and `fold-03-repetition-1.json`
(record), and `fold-03-repetition-1.attention.parquet` for networks whose attention is over time.
A job is done when its record can be read and its predictions are beside it, whole.
"""

from __future__ import annotations

from .attention import read_attention
from .collecting import read_experiments, read_results, stored_protocols
from .reading import Problem, StoredExperiment
from .writing import Store

__all__ = [
    "Problem",
    "Store",
    "StoredExperiment",
    "read_attention",
    "read_experiments",
    "read_results",
    "stored_protocols",
]
