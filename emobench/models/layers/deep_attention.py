"""Attention whose weights are told by a hidden layer."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .pooling import AttentionPooling

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class DeepAttentionPooling(AttentionPooling):
    """Weighted mean over time, the weights being a softmax of `u · tanh(W h_t + b)`.

    Figure 1(f) of S. Mirsamadi, E. Barsoum and C. Zhang, "Automatic speech emotion recognition
    using recurrent neural networks with local attention", ICASSP 2017, draws attention as a
    network of its own; this is one with a single hidden layer. Masked steps get no weight.

    Args:
        units: of the hidden layer
        initializer: of `u`

    Call arguments:
        inputs: states of shape `(batch, steps, columns)`
        mask: of shape `(batch, steps)`, or None

    Returns:
        pooled states of shape `(batch, columns)`
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Shape) -> None:
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        super().build((*input_shape[:-1], self.units))

    def attention(self, inputs: Any, mask: Any = None) -> Any:
        """Return the weights of shape `(batch, steps, 1)`; they sum to 1 over time."""
        return super().attention(ops.tanh(ops.matmul(inputs, self.kernel) + self.bias), mask)

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Return the multiply-adds of a forward pass."""
        batch, steps, columns = input_shape
        return batch * steps * (columns * self.units + self.units + columns)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}
