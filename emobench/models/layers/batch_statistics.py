"""Normalising by the statistics of a batch outside of training, to measure what they are.

Batch normalisation learns with the mean and variance of each batch and predicts with running ones,
which a short training leaves far behind. Under `by_batch` a network runs as in prediction, without
dropout, but every layer normalises by the batch at hand and keeps just this batch's statistics, so
that they can be read off and averaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_active: ContextVar[bool] = ContextVar("by_batch", default=False)


@contextmanager
def by_batch() -> Iterator[None]:
    """Let networks that are traced meanwhile normalise by their batches."""
    token = _active.set(True)
    try:
        yield
    finally:
        _active.reset(token)


def measuring() -> bool:
    """Tell whether running statistics are replaced by those of the batch at hand."""
    return _active.get()


def normalises_by_batch(training: bool | None) -> bool:
    """Tell whether a layer normalises by the batch at hand."""
    return bool(training) or measuring()


def moved(moving: Any, current: Any, momentum: float) -> Any:
    """Return running statistics after a batch: part of the old ones, or just the batch's."""
    return current if measuring() else moving * momentum + current * (1 - momentum)
