"""Recurrent layers whose inputs are projected for all steps at once.

Keras multiplies the input with the kernel inside the loop over time. Before the loop it is one
large matrix product, which for wide inputs costs a third of that; weights and outputs are the same.
"""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .columns import add_row


@keras.saving.register_keras_serializable(package="emobench")
class LSTMCell(keras.layers.LSTMCell):
    """Step of `keras.layers.LSTM` on inputs that `project` has multiplied with the kernel.

    Call arguments:
        inputs: of shape `(batch, 4 * units)`
        states: hidden and cell state, each of shape `(batch, units)`

    Returns:
        output of shape `(batch, units)`, and the new states
    """

    def project(self, inputs: Any) -> Any:
        """Return what all steps take from `(batch, steps, columns)`, for every gate."""
        return add_row(ops.matmul(inputs, self.kernel), self.bias)

    def call(self, inputs: Any, states: list[Any], training: bool = False) -> tuple[Any, list[Any]]:
        h, c = states
        gates = inputs + ops.matmul(h, self.recurrent_kernel)
        take, forget, candidate, output = ops.split(gates, 4, axis=-1)
        c = ops.sigmoid(forget) * c + ops.sigmoid(take) * ops.tanh(candidate)
        h = ops.sigmoid(output) * ops.tanh(c)
        return h, [h, c]


@keras.saving.register_keras_serializable(package="emobench")
class GRUCell(keras.layers.GRUCell):
    """Step of `keras.layers.GRU` (reset after) on inputs that `project` has multiplied.

    Call arguments:
        inputs: of shape `(batch, 3 * units)`
        states: hidden state of shape `(batch, units)`

    Returns:
        output of shape `(batch, units)`, and the new state
    """

    def project(self, inputs: Any) -> Any:
        """Return what all steps take from `(batch, steps, columns)`, for every gate."""
        return add_row(ops.matmul(inputs, self.kernel), self.bias[0])

    def call(self, inputs: Any, states: list[Any], training: bool = False) -> tuple[Any, list[Any]]:
        [h] = states
        x_update, x_reset, x_candidate = ops.split(inputs, 3, axis=-1)
        recurrent = ops.matmul(h, self.recurrent_kernel) + self.bias[1]
        h_update, h_reset, h_candidate = ops.split(recurrent, 3, axis=-1)
        update = ops.sigmoid(x_update + h_update)
        candidate = ops.tanh(x_candidate + ops.sigmoid(x_reset + h_reset) * h_candidate)
        h = update * h + (1 - update) * candidate
        return h, [h]


@keras.saving.register_keras_serializable(package="emobench")
class ProjectedRNN(keras.layers.RNN):
    """`keras.layers.RNN` over an `LSTMCell` or `GRUCell` of this module; masks as in Keras.

    Call arguments:
        sequences: of shape `(batch, steps, columns)`

    Returns:
        last output of shape `(batch, units)`, or all of shape `(batch, steps, units)`
    """

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        projected = self.cell.project(sequences)
        return super().inner_loop(projected, initial_state, mask, training=training)
