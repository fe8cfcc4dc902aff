"""The gated recurrent unit as it was first published: the reset gate acts before the product."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .columns import add_row

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class ClassicGRUCell(keras.layers.Layer):
    """Step of a GRU with the reset gate before the product, for `ProjectedRNN`.

    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", EMNLP 2014. It computes what `keras.layers.GRU(reset_after=False)` does;
    the gates and the candidate have weights of their own, so that each is orthogonal at the start
    and none is cut out of a larger one at every step.

    Args:
        units: size of the state
        gate_bias: of both gates at the start; 1, as here, lets a new network remember

    Call arguments:
        inputs: what `project` returns for a step, of shape `(batch, 3 * units)`
        states: hidden state of shape `(batch, units)`

    Returns:
        output of shape `(batch, units)`, and the new state
    """

    def __init__(self, units: int, gate_bias: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.gate_bias = gate_bias
        self.state_size = units
        self.output_size = units

    def build(self, input_shape: Shape) -> None:
        columns, units = input_shape[-1], self.units
        start = keras.initializers.Constant(self.gate_bias)
        self.gates_kernel = self._kernel("gates_kernel", columns, 2 * units)
        self.candidate_kernel = self._kernel("candidate_kernel", columns, units)
        self.gates_recurrent = self._kernel("gates_recurrent", units, 2 * units)
        self.candidate_recurrent = self._kernel("candidate_recurrent", units, units)
        self.gates_bias = self.add_weight((2 * units,), start, name="gates_bias")
        self.candidate_bias = self.add_weight((units,), "zeros", name="candidate_bias")

    def _kernel(self, name: str, rows: int, columns: int) -> Any:
        return self.add_weight((rows, columns), "orthogonal", name=name)

    def project(self, inputs: Any) -> Any:
        """Return what all steps take from `(batch, steps, columns)`: two gates and a candidate."""
        gates = add_row(ops.matmul(inputs, self.gates_kernel), self.gates_bias)
        candidate = add_row(ops.matmul(inputs, self.candidate_kernel), self.candidate_bias)
        return ops.concatenate([gates, candidate], axis=-1)

    def call(self, inputs: Any, states: list[Any], training: bool = False) -> tuple[Any, list[Any]]:
        [h] = states
        x_gates, x_candidate = inputs[:, : 2 * self.units], inputs[:, 2 * self.units :]
        gates = ops.sigmoid(x_gates + ops.matmul(h, self.gates_recurrent))
        update, reset = ops.split(gates, 2, axis=-1)
        candidate = ops.tanh(x_candidate + ops.matmul(reset * h, self.candidate_recurrent))
        h = candidate + update * (h - candidate)
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "gate_bias": self.gate_bias}
