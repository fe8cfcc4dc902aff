"""The gated recurrent unit as it was first published: the reset gate acts before the product."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .classic_gru_loop import run_classic_gru

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class ClassicGRUCell(keras.layers.Layer):
    """Weights of a GRU with the reset gate before the product, for `ProjectedRNN`.

    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", EMNLP 2014. It computes what `keras.layers.GRU(reset_after=False)` does;
    the gates and the candidate have weights of their own, so that each is orthogonal at the start
    and none is cut out of a larger one at every step.

    Args:
        units: size of the state
        gate_bias: of both gates at the start; 1, as here, lets a new network remember
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

    def run(self, sequences: Any, mask: Any) -> Any:
        """Return the states of shape `(steps, batch, units)`; masked steps repeat the last one."""
        padding = None if mask is None else ops.logical_not(mask)
        gates = self.gates_kernel, self.gates_recurrent, self.gates_bias
        candidate = self.candidate_kernel, self.candidate_recurrent, self.candidate_bias
        return run_classic_gru(sequences, gates, candidate, padding)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "gate_bias": self.gate_bias}
