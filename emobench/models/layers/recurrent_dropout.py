"""Dropout of a recurrent state at the cost of one product a step."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras

from .recurrent import LSTMCell


@keras.saving.register_keras_serializable(package="emobench")
class RecurrentDropoutLSTMCell(LSTMCell):
    """`LSTMCell` whose argument `recurrent_dropout` drops parts of the state.

    Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural
    networks", NIPS 2016: one mask for all steps of a batch, here the same for all four gates.
    Keras draws one for each gate and then needs four products a step, three times as long.

    Call arguments:
        inputs: what `project` returns for a step, of shape `(batch, 4 * units)`
        states: hidden and cell state, each of shape `(batch, units)`

    Returns:
        output of shape `(batch, units)`, and the new states
    """

    def call(self, inputs: Any, states: list[Any], training: bool = False) -> tuple[Any, list[Any]]:
        h, c = states
        if training and self.recurrent_dropout:
            h = h * self.get_recurrent_dropout_mask(h)[0]
        return super().call(inputs, [h, c], training=training)
