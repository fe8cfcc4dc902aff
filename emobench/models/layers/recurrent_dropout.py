"""Dropout of a recurrent state at the cost of one product a step."""

from __future__ import annotations

import keras

from .recurrent import LSTMCell


@keras.saving.register_keras_serializable(package="emobench")
class RecurrentDropoutLSTMCell(LSTMCell):
    """`LSTMCell` whose argument `recurrent_dropout` drops parts of the state.

    Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural
    networks", NIPS 2016: one mask for all steps of a batch, here the same for all four gates.
    Keras draws one for each gate and then needs four products a step, three times as long.
    """
