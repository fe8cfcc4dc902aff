"""The convolution that the layers here share, and how another may stand in for it."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
from keras import ops

Convolution = Callable[[Any, Any, str], Any]
"""What `convolve` is: takes `inputs`, `kernel` and `padding`."""

_made_by: ContextVar[Convolution | None] = ContextVar("_made_by", default=None)


def convolve(inputs: Any, kernel: Any, padding: str) -> Any:
    """Return a convolution of stride 1, `keras.ops.conv`.

    Args:
        inputs: of shape `(batch, ..., channels)`
        kernel: of shape `(..., channels, filters)`
        padding: "valid" or "same"

    Returns:
        of shape `(batch, ..., filters)`
    """
    made_by = _made_by.get()
    if made_by is not None:
        return made_by(inputs, kernel, padding)
    return ops.conv(inputs, kernel, padding=padding)


@contextmanager
def convolutions_made_by(convolution: Convolution) -> Iterator[None]:
    """Let `convolve` be another function that computes the same."""
    token = _made_by.set(convolution)
    try:
        yield
    finally:
        _made_by.reset(token)


@keras.saving.register_keras_serializable(package="emobench")
class Conv1D(keras.layers.Conv1D):
    """`keras.layers.Conv1D` of stride 1, made by `convolve`.

    Takes what `keras.layers.Conv1D` does, but for strides, dilation and groups.

    Call arguments:
        inputs: of shape `(batch, steps, channels)`

    Returns:
        of shape `(batch, steps, filters)`
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        return convolve(inputs, kernel, self.padding)
