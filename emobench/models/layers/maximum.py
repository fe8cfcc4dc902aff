"""The maximum over the frames of a batch that may be padded further than it asks for."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
from keras import ops

_excess: ContextVar[Any] = ContextVar("excess", default=None)


@contextmanager
def excess_rows(number: Any) -> Iterator[None]:
    """Let networks that are traced meanwhile overlook the last rows of their inputs.

    Several batches that are computed together are padded to the longest of them. A network without
    a mask sees its own batch's padding, and nothing beyond it.

    Args:
        number: rows of the inputs that lie beyond the batch's own padded length
    """
    token = _excess.set(number)
    try:
        yield
    finally:
        _excess.reset(token)


@keras.saving.register_keras_serializable(package="emobench")
class FrameMaximum(keras.layers.GlobalMaxPooling1D):
    """`GlobalMaxPooling1D` over a convolution of stride 1 that overlooks excess rows.

    Call arguments:
        inputs: of shape `(batch, frames, columns)`

    Returns:
        of shape `(batch, columns)`
    """

    def call(self, inputs: Any) -> Any:
        excess = _excess.get()
        if excess is not None:
            frames = ops.shape(inputs)[1]
            own = ops.arange(frames) < frames - excess
            inputs = ops.where(own[None, :, None], inputs, ops.cast(-1e30, inputs.dtype))
        return super().call(inputs)
