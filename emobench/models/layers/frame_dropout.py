"""Dropout of a sequence that does not depend on how far it is padded."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="emobench")
class FrameDropout(keras.layers.Dropout):
    """`Dropout` that is drawn frame by frame, the first frame of all clips first.

    Where a backend numbers what it draws, as JAX does, more padding then only adds draws at the
    end, and the clips' own frames lose the same units.

    Call arguments:
        inputs: of shape `(batch, frames, columns)`

    Returns:
        of the same shape
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        batch, frames, columns = ops.shape(inputs)
        ones = ops.ones((frames, batch, columns), inputs.dtype)
        kept = keras.random.dropout(ones, self.rate, seed=self.seed_generator)
        return inputs * ops.transpose(kept, (1, 0, 2))
