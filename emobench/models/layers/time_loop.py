"""The loop over time that the recurrences here share, and how another may stand in for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from keras import ops

Step = Callable[[Any, Any], tuple[Any, Any]]
"""From what is carried and what belongs to a step, to what is carried on and what is given."""

Loop = Callable[[Step, Any, Any, bool], tuple[Any, Any]]
"""What `over_time` is: takes `step`, `carry`, `steps` and `reverse`."""

_made_by: ContextVar[Loop | None] = ContextVar("_made_by", default=None)


def over_time(step: Step, carry: Any, steps: Any, reverse: bool = False) -> tuple[Any, Any]:
    """Return what is carried after the last step, and what every step gave, stacked.

    Args:
        step: what is done in a step; what it gives has the shapes of what it carries, as
            TensorFlow's `scan` takes them from there
        carry: what is carried into the first
        steps: what belongs to each step, by its first axis
        reverse: go through them from the last to the first
    """
    made_by = _made_by.get()
    if made_by is not None:
        return made_by(step, carry, steps, reverse)
    return ops.scan(step, carry, steps, reverse=reverse)


@contextmanager
def loops_made_by(loop: Loop) -> Iterator[None]:
    """Let `over_time` be another function that computes the same, as a converter may need it."""
    token = _made_by.set(loop)
    try:
        yield
    finally:
        _made_by.reset(token)
