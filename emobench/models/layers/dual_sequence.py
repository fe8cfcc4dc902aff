"""The dual-sequence LSTM: two sequences, one memory, gates normalised over the batch.

J. Wang, M. Xue, R. Culhane, E. Diao, J. Ding and V. Tarokh, "Speech emotion recognition with
dual-sequence LSTM architecture", ICASSP 2020, doi:10.1109/ICASSP40776.2020.9054629.
"""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import keras
from keras import ops

from .columns import add_row
from .recurrent_normalisation import StepNormalization, batch_moments, scale_and_offset

Shape = tuple[int | None, ...]
Normalise = Callable[[Any], tuple[Any, Any]]
"""From the values of all gates to the normalised ones, and what was measured on the way."""


@keras.saving.register_keras_serializable(package="emobench")
class DSLSTMCell(keras.layers.Layer):
    """Step of a dual-sequence LSTM with recurrent batch normalisation.

    With `u` the inputs `x` and `y` and the previous `h` side by side, and `N` the normalisation:

        forget, take_x, take_y, output = N(sigmoid(u · kernel + bias))
        c = forget * c + take_x * tanh([x, h] · kernel_x + bias)
                       + take_y * tanh([y, h] · kernel_y + bias)
        h = output * tanh(c)

    `N` has one scale and one offset for all steps but running statistics for each, following
    T. Cooijmans et al., "Recurrent batch normalization", ICLR 2017, who normalise before the
    sigmoid (`bn_position="pre"`); the dual-sequence LSTM does after it.

    The cell assigns no variable, so that it may run in any loop. Under `keras.layers.RNN` it
    normalises by the batch in training and by the stored statistics elsewhere; `DSLSTM` is
    faster, and stores them.

    Args:
        units: of the memory
        x_columns: how many of the input's columns belong to the first sequence
        steps: number of steps with running statistics; later steps use the last
        bn_position: "post" normalises what the gates' sigmoids give, "pre" what they take
        momentum: part of the running statistics that a batch keeps
        epsilon: added to the variance

    Call arguments:
        inputs: the two sequences' columns side by side, of shape `(batch, columns)`
        states: hidden and cell state, of shape `(batch, units)`, and how many steps were done, of
            shape `(batch, 1)`

    Returns:
        output of shape `(batch, units)`, and the new states
    """

    def __init__(
        self,
        units: int,
        x_columns: int,
        steps: int,
        bn_position: Literal["post", "pre"] = "post",
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if bn_position not in ("post", "pre"):
            raise ValueError(f"bn_position: expected 'post' or 'pre', found {bn_position!r}")
        self.units = units
        self.x_columns = x_columns
        self.steps = steps
        self.bn_position = bn_position
        self.momentum = momentum
        self.epsilon = epsilon
        self.state_size = [units, units, 1]
        self.output_size = units

    def build(self, input_shape: Shape) -> None:
        columns, units = input_shape[-1], self.units
        if not 0 < self.x_columns < columns:
            raise ValueError(
                f"x_columns: expected at least 1 and fewer than the input's {columns}, found "
                f"{self.x_columns}"
            )
        kernels = {
            "kernel": (columns, 4 * units),
            "kernel_x": (self.x_columns, units),
            "kernel_y": (columns - self.x_columns, units),
        }
        for name, shape in kernels.items():
            weight = self.add_weight(shape=shape, initializer="glorot_uniform", name=name)
            setattr(self, name, weight)
        self.recurrent_kernel = self.add_weight(
            shape=(units, 6 * units), initializer="orthogonal", name="recurrent_kernel"
        )
        # One bias for each gate and each candidate; the gates' matter only before a sigmoid.
        self.biases = self.add_weight(shape=(6 * units,), initializer="zeros", name="biases")
        self.gamma = self.add_weight(
            shape=(4 * units,), initializer=keras.initializers.Constant(0.1), name="gamma"
        )
        self.beta = self.add_weight(shape=(4 * units,), initializer="zeros", name="beta")
        self.moving_mean, self.moving_variance = (
            self.add_weight(
                shape=(self.steps, 4 * units), initializer=start, trainable=False, name=name
            )
            for name, start in (("moving_mean", "zeros"), ("moving_variance", "ones"))
        )

    def project(self, inputs: Any) -> Any:
        """Return what gates and candidates take from the inputs, biases included.

        Args:
            inputs: of shape `(..., columns)`, for one step or for all of them

        Returns:
            of shape `(..., 6 * units)`: the four gates, the candidate of x, the candidate of y
        """
        x_columns, y_columns = self.x_columns, self.kernel_y.shape[0]
        only_x = ops.pad(self.kernel_x, ((0, y_columns), (0, 0)))
        only_y = ops.pad(self.kernel_y, ((x_columns, 0), (0, 0)))
        # A sixth of this product is by zero, which costs less than joining three products.
        kernel = ops.concatenate([self.kernel, only_x, only_y], axis=1)
        return add_row(ops.matmul(inputs, kernel), self.biases)

    def step(self, projected: Any, h: Any, c: Any, normalise: Normalise) -> tuple[Any, Any, Any]:
        """Return the next hidden and cell state, and what `normalise` measured.

        Args:
            projected: what `project` returns for this step, of shape `(batch, 6 * units)`
            h: hidden state, of shape `(batch, units)`
            c: cell state, of shape `(batch, units)`
            normalise: `normalise_batch`, or the same with stored statistics
        """
        units = self.units
        sums = projected + ops.matmul(h, self.recurrent_kernel)
        gates, candidates = sums[:, : 4 * units], ops.tanh(sums[:, 4 * units :])
        if self.bn_position == "post":
            gates, measured = normalise(ops.sigmoid(gates))
        else:
            gates, measured = normalise(gates)
            gates = ops.sigmoid(gates)
        taken = gates[:, units : 3 * units] * candidates
        c = gates[:, :units] * c + taken[:, :units] + taken[:, units:]
        return gates[:, 3 * units :] * ops.tanh(c), c, measured

    def normalise_batch(self, values: Any) -> tuple[Any, Any]:
        """Return values normalised over the batch, and its mean and variance as two rows."""
        moments = batch_moments(values)
        scale, offset = scale_and_offset(moments, self.gamma, self.beta, self.epsilon)
        return values * scale + offset, ops.concatenate(moments, axis=0)

    def stored(self, rows: Any) -> tuple[Any, Any]:
        """Return the scale and the offset of steps, of shape `(len(rows), 4 * units)`."""
        rows = ops.minimum(rows, self.steps - 1)
        moments = tuple(
            ops.take(table, rows, axis=0) for table in (self.moving_mean, self.moving_variance)
        )
        return scale_and_offset(moments, self.gamma, self.beta, self.epsilon)

    def store(self, measured: Any) -> None:
        """Move the running statistics towards those of a batch.

        Args:
            measured: mean and variance of each step, of shape `(steps, 2, 4 * units)`
        """
        current = measured[: self.steps]
        count = ops.shape(current)[0]
        for row, table in enumerate((self.moving_mean, self.moving_variance)):
            before = ops.convert_to_tensor(table)
            moved = before[:count] * self.momentum + current[:, row] * (1 - self.momentum)
            table.assign(ops.concatenate([moved, before[count:]], axis=0))

    def call(self, inputs: Any, states: list[Any], training: bool = False) -> tuple[Any, list[Any]]:
        h, c, done = states
        normalise = self.normalise_batch
        if not training:
            scale, offset = self.stored(ops.cast(done[:, 0], "int32"))

            def normalise(values: Any) -> tuple[Any, Any]:
                return values * scale + offset, None

        h, c, _ = self.step(self.project(inputs), h, c, normalise)
        return h, [h, c, done + 1]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "x_columns": self.x_columns,
            "steps": self.steps,
            "bn_position": self.bn_position,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable(package="emobench")
class DSLSTM(keras.layers.Layer):
    """A `DSLSTMCell` over two sequences of equal length, and a normalisation of what it gives.

    The hidden state is normalised on its way out only; the recurrence goes on with it as it is.
    Inputs are projected for all steps before the loop.

    Args:
        units: of the memory
        bn_position: "post" normalises what the gates' sigmoids give, "pre" what they take
        steps: number of steps with running statistics, later steps use the last; None means the
            length of the sequences, which must then be known
        momentum: part of the running statistics that a batch keeps
        epsilon: added to the variance

    Call arguments:
        x: first sequence, of shape `(batch, steps, x_columns)`
        y: second sequence, of shape `(batch, steps, y_columns)`
        initial_state: hidden and cell state, each of shape `(batch, units)`; None means zeros

    Returns:
        normalised hidden states, of shape `(batch, steps, units)`
    """

    def __init__(
        self,
        units: int,
        bn_position: Literal["post", "pre"] = "post",
        steps: int | None = None,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.bn_position = bn_position
        self.steps = steps
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, x_shape: Shape, y_shape: Shape, initial_state_shape: Any = None) -> None:
        steps = self.steps or x_shape[1]
        if steps is None:
            raise ValueError(
                "steps: expected a number where the sequences' length is not known, found None"
            )
        options = {"momentum": self.momentum, "epsilon": self.epsilon, "dtype": self.dtype_policy}
        self.cell = DSLSTMCell(
            self.units, x_shape[-1], steps, self.bn_position, name="cell", **options
        )
        self.cell.build((None, x_shape[-1] + y_shape[-1]))
        self.normalization = StepNormalization(name="normalization", **options)
        self.normalization.build((*x_shape[:2], self.units))

    def call(self, x: Any, y: Any, initial_state: Any = None, training: bool = False) -> Any:
        if initial_state is None:
            zeros = ops.zeros((ops.shape(x)[0], self.units), self.compute_dtype)
            initial_state = zeros, zeros
        by_step = ops.transpose(ops.concatenate([x, y], axis=-1), (1, 0, 2))
        loop = self._loop_over_batch if training else self._loop_with_stored
        hidden = loop(self.cell.project(by_step), tuple(initial_state))
        return self.normalization(ops.transpose(hidden, (1, 0, 2)), training=training)

    def _loop_over_batch(self, projected: Any, initial_state: tuple[Any, Any]) -> Any:
        """Return hidden states of shape `(steps, batch, units)`, and store the statistics."""

        def step(carry: Any, projected: Any) -> tuple[Any, Any]:
            h, c, _ = carry
            carry = self.cell.step(projected, h, c, self.cell.normalise_batch)
            return carry, carry

        # TensorFlow's scan takes the shapes of what a step gives from what it carries.
        nothing = ops.zeros((2, 4 * self.units), self.compute_dtype)
        _, (hidden, _, measured) = ops.scan(step, (*initial_state, nothing), projected)
        self.cell.store(measured)
        return hidden

    def _loop_with_stored(self, projected: Any, initial_state: tuple[Any, Any]) -> Any:
        """Return hidden states of shape `(steps, batch, units)`."""
        scale, offset = self.cell.stored(ops.arange(ops.shape(projected)[0]))

        def step(carry: Any, projected: Any) -> tuple[Any, Any]:
            h, c, done = carry
            here = ops.take(scale, done, axis=0), ops.take(offset, done, axis=0)
            h, c, _ = self.cell.step(
                projected, h, c, lambda values: (values * here[0] + here[1], None)
            )
            return (h, c, done + 1), (h, c, done)

        # TensorFlow's scan goes through one tensor only where its length is not known.
        _, (hidden, _, _) = ops.scan(step, (*initial_state, 0), projected)
        return hidden

    def compute_output_shape(
        self, x_shape: Shape, y_shape: Shape, initial_state_shape: Any = None
    ) -> Shape:
        return (*x_shape[:2], self.units)

    def multiply_adds(self, x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return the multiply-adds of a forward pass: of the inputs, and of the recurrence."""
        columns = x_shape[-1] + y_shape[-1]
        places = x_shape[0] * x_shape[1] * self.units
        return places * 5 * columns, places * 6 * self.units

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "bn_position": self.bn_position,
            "steps": self.steps,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
