"""Pooling over time by attention."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class AttentionPooling(keras.layers.Layer):
    """Weighted mean over time, the weights being a softmax of `u · h_t`.

    S. Mirsamadi, E. Barsoum and C. Zhang, "Automatic speech emotion recognition using recurrent
    neural networks with local attention", ICASSP 2017. Masked steps get no weight.

    Args:
        initializer: of `u`

    Call arguments:
        inputs: states of shape `(batch, steps, columns)`
        mask: of shape `(batch, steps)`, or None

    Returns:
        pooled states of shape `(batch, columns)`
    """

    def __init__(self, initializer: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        self.context = self.add_weight(
            shape=(input_shape[-1], 1), initializer=self.initializer, name="context"
        )

    def attention(self, inputs: Any, mask: Any = None) -> Any:
        """Return the weights of shape `(batch, steps, 1)`; they sum to 1 over time."""
        scores = ops.matmul(inputs, self.context)
        if mask is not None:
            lowest = ops.cast(-1e9, scores.dtype)
            scores = ops.where(ops.expand_dims(mask, -1), scores, lowest)
        # ops.softmax warns about clips of a single step, for which a weight of 1 is right.
        weights = ops.exp(scores - ops.max(scores, axis=1, keepdims=True))
        return weights / ops.sum(weights, axis=1, keepdims=True)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        weights = ops.transpose(self.attention(inputs, mask), (0, 2, 1))
        return ops.squeeze(ops.matmul(weights, inputs), 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], input_shape[-1])

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Return the multiply-adds of a forward pass."""
        batch, steps, columns = input_shape
        return 2 * batch * steps * columns

    def get_config(self) -> dict[str, Any]:
        initializer = keras.initializers.serialize(self.initializer)
        return {**super().get_config(), "initializer": initializer}
