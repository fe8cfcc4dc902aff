"""Where pages lie: names that stay when results are added, safe on every disk."""

from __future__ import annotations

import hashlib
import re

from ..results.result import Result

INDEX = "index.html"

_UNSAFE = re.compile(r"[^a-z0-9.=_-]+")
_LONGEST = 100


def slug(name: str) -> str:
    """Return a name as part of a path; names that differ give paths that differ.

    Examples:
        >>> slug("emo-db")
        'emo-db'
        >>> slug("latif2019:dropout=0.5")
        'latif2019+dropout=0.5'
        >>> slug("<script>")
        '_script_-5b63e5b2'
    """
    plain = name.replace(":", "+")
    safe = "+".join(_UNSAFE.sub("_", part) for part in plain.split("+"))[:_LONGEST]
    if safe == plain and not safe.startswith("."):
        return safe
    return f"{safe.replace('.', '_')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def corpus(name: str) -> str:
    """Return where the page of a corpus lies."""
    return f"corpora/{slug(name)}.html"


def model(name: str) -> str:
    """Return where the page of a model lies, which is that of its options too."""
    return f"models/{slug(name)}.html"


def protocol(name: str) -> str:
    """Return where the table of a protocol lies for which the first page has no room."""
    return f"protocols/{slug(name)}.html"


def cell(result: Result) -> str:
    """Return where the page of a result lies, whichever fingerprint it has today."""
    return f"results/{'/'.join(parts(result))}.html"


def parts(result: Result) -> tuple[str, str, str]:
    """Return protocol, corpus and model as they stand in the address of a result's page."""
    heard = [f"{result.condition} on {result.sides}"] if result.condition else []
    name = "+".join(map(slug, [result.column.name.replace("+", ":"), *heard]))
    return slug(result.stored.experiment["protocol"]), slug(result.corpus), name
