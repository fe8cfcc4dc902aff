"""Golden numbers: what each part that computes gives today, with the version that it goes by.

A part is asked the same question on the same input with the same seed, and its answer is kept in
`numbers.json`. Where an answer changes, results change, and the part's version has to be raised:
only then do results that were made before count as stale. `make golden` writes new answers of parts
whose version was raised, and refuses those of others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import front_ends, networks, on_jax, parts
from .entries import Entry

Measure = Callable[[], Entry]


def measures() -> Iterator[tuple[str, Measure]]:
    """Yield every question: its name, and what answers it."""
    for source in (parts, front_ends, networks, on_jax):
        yield from source.measures()
