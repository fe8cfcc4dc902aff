"""Recurrent layers with the weights and outputs of Keras', in an order that a CPU does faster.

The loop of an LSTM is `lstm_loop`'s. Before that of a GRU the inputs are projected for all steps at
once: for wide inputs one large matrix product costs a third of one at every step.
"""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .classic_gru import ClassicGRUCell
from .columns import add_row
from .lstm_loop import Direction, run_lstm


@keras.saving.register_keras_serializable(package="emobench")
class LSTMCell(keras.layers.LSTMCell):
    """Weights of a `keras.layers.LSTM` for `ProjectedRNN`.

    Takes what `keras.layers.LSTMCell` does, but for other activations and for going without a bias.

    Raises:
        ValueError: if it is given what its loop does not compute
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(units, **options)
        _insist_on_the_usual(self)


@keras.saving.register_keras_serializable(package="emobench")
class GRUCell(keras.layers.GRUCell):
    """Step of `keras.layers.GRU` (reset after) on inputs that `project` has multiplied.

    Takes what `keras.layers.GRUCell` does, but for dropout, for other activations, for the reset
    before the product and for going without a bias.

    Call arguments:
        inputs: of shape `(batch, 3 * units)`
        states: hidden state of shape `(batch, units)`

    Returns:
        output of shape `(batch, units)`, and the new state

    Raises:
        ValueError: if it is given what its step does not compute
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(units, **options)
        _insist_on_the_usual(self, reset_after=True, dropout=0.0, recurrent_dropout=0.0)

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
    """`keras.layers.RNN` over an LSTM cell, or over a GRU cell of this package.

    Its states begin with zeros. Over an LSTM cell a mask must say how many steps, counted from the
    first, are a clip's own, as `PaddingMask` does; outputs in padding are zero. Over other cells
    masks are as in Keras.

    Call arguments:
        sequences: of shape `(batch, steps, columns)`

    Returns:
        last output of shape `(batch, units)`, or all of shape `(batch, steps, units)`

    Raises:
        ValueError: if states are given, or to be returned or kept
    """

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        if initial_state is not None or self.return_state or self.stateful:
            raise ValueError(
                f"{self.name}: expected an LSTM or GRU without initial_state, return_state and "
                "stateful, as its states begin with zeros and are not kept; use that of keras."
            )
        return super().call(sequences, mask=mask, training=training)

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        if isinstance(self.cell, ClassicGRUCell):
            hidden = self.cell.run(sequences, mask)
            return hidden[-1], ops.transpose(hidden, (1, 0, 2)), initial_state
        if not isinstance(self.cell, keras.layers.LSTMCell):
            projected = self.cell.project(sequences)
            return super().inner_loop(projected, initial_state, mask, training=training)
        hidden = run_lstm([self.direction(sequences, training)], _padding(mask))
        if self.return_sequences:
            ordered = ops.flip(hidden, axis=0) if self.go_backwards else hidden
            return hidden[-1], ops.transpose(ordered, (1, 0, 2)), initial_state
        last = hidden[0] if self.go_backwards else _last(hidden, mask)
        return last, last, initial_state

    def direction(self, sequences: Any, training: bool) -> Direction:
        """Return the LSTM over `(batch, steps, columns)`, with its masks for dropout."""
        cell, kept = self.cell, None
        if training and cell.dropout:
            # One mask for all steps; with recurrent dropout Keras draws four, one for each gate.
            dropped = _first(cell.get_dropout_mask(sequences[:, 0]))
            sequences = sequences * ops.expand_dims(dropped, 1)
        if training and cell.recurrent_dropout:
            state = self.get_initial_state(ops.shape(sequences)[0])[0]
            kept = _first(cell.get_recurrent_dropout_mask(state))
        weights = cell.kernel, cell.recurrent_kernel, cell.bias
        return Direction(sequences, weights, self.go_backwards, kept)


@keras.saving.register_keras_serializable(package="emobench")
class LSTM(keras.layers.LSTM, ProjectedRNN):
    """`keras.layers.LSTM`, which on a GPU is cuDNN's, with the loop of `ProjectedRNN` elsewhere.

    Takes what `keras.layers.LSTM` does, but for other activations and for going without a bias;
    masks and states are as those of `ProjectedRNN`. The argument `recurrent_dropout` draws one mask
    for all gates.

    Raises:
        ValueError: if it is given what its loop does not compute
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(units, **options)
        _insist_on_the_usual(self)


@keras.saving.register_keras_serializable(package="emobench")
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` over an `LSTM`; where cuDNN has no part, both in one loop.

    Masks and states are as those of `ProjectedRNN`; both directions are joined by their columns.
    """

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        if self._is_for_cudnn(mask):
            return super().call(sequences, initial_state, mask=mask, training=training)
        both = self.forward_layer, self.backward_layer
        directions = [each.direction(sequences, training) for each in both]
        for each in both:
            each.cell.reset_dropout_mask()
            each.cell.reset_recurrent_dropout_mask()
        hidden = run_lstm(directions, _padding(mask))
        if self.return_sequences:
            return ops.transpose(hidden, (1, 0, 2))
        units = both[0].cell.units
        ends = _last(hidden[:, :, :units], mask), hidden[0, :, units:]
        return ops.concatenate(ends, axis=-1)

    def _is_for_cudnn(self, mask: Any) -> bool:
        """Tell whether Keras hands each direction to cuDNN: masked ones on TensorFlow only."""
        if not getattr(self.forward_layer, "use_cudnn", False):
            return False
        if mask is not None and keras.backend.backend() != "tensorflow":
            return False
        return any(not name.startswith("cpu") for name in keras.distribution.list_devices())


def _insist_on_the_usual(layer: keras.Layer, **more: Any) -> None:
    """Refuse arguments of Keras' layers that these would pass over in silence."""
    given = layer.get_config()
    usual = {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, **more}
    for name, wanted in usual.items():
        if given[name] != wanted:
            raise ValueError(
                f"{layer.name}: expected {name}={wanted!r}, which alone is computed here, found "
                f"{given[name]!r}; use the layer of keras."
            )


def _padding(mask: Any) -> Any:
    return None if mask is None else ops.logical_not(mask)


def _last(hidden: Any, mask: Any) -> Any:
    """Return the state at each clip's last step, or zeros where a clip has none of its own."""
    if mask is None:
        return hidden[-1]
    steps = ops.sum(ops.cast(mask, "int32"), axis=1)
    at = ops.reshape(ops.maximum(steps - 1, 0), (1, -1, 1))
    return ops.squeeze(ops.take_along_axis(hidden, at, axis=0), 0)


def _first(mask: Any) -> Any:
    return mask[0] if isinstance(mask, (list, tuple)) else mask
