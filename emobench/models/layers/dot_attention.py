"""Attention to the steps of one sequence, asked by a vector from another."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class DotAttention(keras.layers.Layer):
    """Weighted mean over time, the weights being a softmax of `query · h_t`; it has no weights.

    M.-T. Luong, H. Pham and C. D. Manning, "Effective approaches to attention-based neural machine
    translation", EMNLP 2015. Masked steps get no weight.

    Call arguments:
        inputs: states of shape `(batch, steps, columns)`
        query: of shape `(batch, columns)`
        steps_mask: of shape `(batch, steps)`, true for the steps that count, or None

    Returns:
        pooled states of shape `(batch, columns)`
    """

    def call(self, inputs: Any, query: Any, steps_mask: Any = None) -> Any:
        scores = ops.matmul(inputs, ops.expand_dims(query, -1))
        if steps_mask is not None:
            lowest = ops.cast(-1e9, scores.dtype)
            scores = ops.where(ops.expand_dims(steps_mask, -1), scores, lowest)
        # ops.softmax warns about clips of a single step, for which a weight of 1 is right.
        weights = ops.exp(scores - ops.max(scores, axis=1, keepdims=True))
        weights = weights / ops.sum(weights, axis=1, keepdims=True)
        return ops.squeeze(ops.matmul(ops.transpose(weights, (0, 2, 1)), inputs), 1)

    def compute_output_shape(self, inputs_shape: Shape, *shapes: Shape, **named: Shape) -> Shape:
        return (inputs_shape[0], inputs_shape[-1])

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None
