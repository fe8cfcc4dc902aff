"""Losses beside those that Keras knows by name."""

# Keras is imported inside: a context without networks loads none.

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def get(name: str) -> str | Callable[[Any, Any], Any]:
    """Return what `compile` takes for a loss named in an `OutputSpec`."""
    return mean_log_likelihood if name == "mean_log_likelihood" else name


def mean_log_likelihood(truth: Any, output: Any) -> Any:
    """Return the cross-entropy of every frame with the clip's label, averaged over the frames.

    Args:
        truth: one-hot, of shape `(batch, classes)`
        output: log-probabilities averaged over the clip's own frames, of shape `(batch, classes)`

    Returns:
        loss of each clip, of shape `(batch,)`
    """
    from keras import ops

    return -ops.sum(truth * output, axis=-1)
