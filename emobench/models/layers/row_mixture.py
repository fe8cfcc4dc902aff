"""A weighted sum of the rows of a clip, whose weights are learnt."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class RowMixture(keras.layers.Layer):
    """Sum of the rows of a clip by weights that are the same for all clips.

    The weights are a softmax, so that they are positive and sum to 1; they begin equal.

    Call arguments:
        inputs: of shape `(batch, rows, columns)`, with a known number of rows

    Returns:
        of shape `(batch, columns)`
    """

    def build(self, input_shape: Shape) -> None:
        self.preference = self.add_weight(
            shape=(input_shape[1],), initializer="zeros", name="preference"
        )

    def call(self, inputs: Any) -> Any:
        weights = ops.softmax(self.preference)
        return ops.sum(inputs * weights[:, None], axis=1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], input_shape[2])
