"""The dual-sequence LSTM: two sequences, one memory, gates normalised over the batch.

J. Wang, M. Xue, R. Culhane, E. Diao, J. Ding and V. Tarokh, "Speech emotion recognition with
dual-sequence LSTM architecture", ICASSP 2020, doi:10.1109/ICASSP40776.2020.9054629.
"""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from .batch_statistics import moved, normalises_by_batch
from .columns import add_row
from .dual_sequence_loop import advance, loop_over_batch, over_batch
from .recurrent_normalisation import StepNormalization, scale_and_offset
from .time_loop import over_time

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class DSLSTMCell(keras.layers.Layer):
    """Step of a dual-sequence LSTM with recurrent batch normalisation.

    With `u` the inputs `x` and `y` and the previous `h` side by side, and `N` the normalisation::

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

    def project(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return what gates and candidates take from the inputs, biases included.

        Args:
            x: of the first sequence, of shape `(..., x_columns)`, one step or all of them
            y: of the second sequence, of shape `(..., y_columns)`

        Returns:
            of the four gates, of shape `(..., 4 * units)`, and of the two candidates, of shape
            `(..., 2 * units)`
        """
        gates = ops.matmul(ops.concatenate([x, y], axis=-1), self.kernel)
        candidates = [ops.matmul(x, self.kernel_x), ops.matmul(y, self.kernel_y)]
        of_gates, of_candidates = ops.split(self.biases, [4 * self.units])
        return add_row(gates, of_gates), add_row(ops.concatenate(candidates, -1), of_candidates)

    def train(self, projected: tuple[Any, Any], state: tuple[Any, Any]) -> tuple[Any, Any]:
        """Return the hidden states of all steps, of shape `(steps, batch, units)`.

        Beside them the mean and variance of each step, for `store`.

        Args:
            projected: what `project` returns for all steps, steps first
            state: hidden and cell state, of shape `(batch, units)`
        """
        weights = self.recurrent_kernel, self.gamma, self.beta
        options = {"bn_position": self.bn_position, "epsilon": self.epsilon}
        return loop_over_batch(projected, state, weights, **options)

    def infer(self, projected: tuple[Any, Any], state: tuple[Any, Any]) -> Any:
        """Return the hidden states of all steps, normalised by the stored statistics.

        Args:
            projected: what `project` returns for all steps, steps first
            state: hidden and cell state, of shape `(batch, units)`
        """
        steps = ops.arange(ops.shape(projected[0])[0])
        scale, offset = self.stored(steps)

        def step(carry: Any, at: Any) -> tuple[Any, Any]:
            here = projected[0][at], projected[1][at]
            carry = self.step(here, carry, scale[at], offset[at])
            return carry, carry

        _, (hidden, _) = over_time(step, state, steps)
        return hidden

    def step(
        self, projected: tuple[Any, Any], state: tuple[Any, Any], scale: Any, offset: Any
    ) -> tuple[Any, Any]:
        """Return the next hidden and cell state, the gates normalised by `scale` and `offset`."""
        h, c, *_ = advance(
            projected,
            state,
            self.recurrent_kernel,
            lambda values: (values * scale + offset, None),
            self.bn_position,
        )
        return h, c

    def stored(self, rows: Any) -> tuple[Any, Any]:
        """Return the scale and the offset of steps, of shape `(len(rows), 4 * units)`."""
        rows = ops.minimum(rows, self.steps - 1)
        moments = tuple(
            ops.take(table, rows, axis=0) for table in (self.moving_mean, self.moving_variance)
        )
        return scale_and_offset(moments, self.gamma, self.beta, self.epsilon)

    def store(self, moments: Any) -> None:
        """Move the running statistics towards those of a batch.

        Args:
            moments: mean and variance of each step, of shape `(steps, 2, 4 * units)`
        """
        current = moments[: self.steps]
        count = ops.shape(current)[0]
        for row, table in enumerate((self.moving_mean, self.moving_variance)):
            before = ops.convert_to_tensor(table)
            after = moved(before[:count], current[:, row], self.momentum)
            table.assign(ops.concatenate([after, before[count:]], axis=0))

    def call(self, inputs: Any, states: list[Any], training: bool = False) -> tuple[Any, list[Any]]:
        h, c, done = states
        projected = self.project(inputs[:, : self.x_columns], inputs[:, self.x_columns :])
        if normalises_by_batch(training):
            normalise = over_batch(self.gamma, self.beta, self.epsilon)
            kernel = self.recurrent_kernel
            h, c, *_ = advance(projected, (h, c), kernel, normalise, self.bn_position)
        else:
            scale, offset = self.stored(ops.cast(done[:, 0], "int32"))
            h, c = self.step(projected, (h, c), scale, offset)
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
        # Steps come first, so that the loop takes whole rows.
        projected = self.cell.project(*(ops.transpose(each, (1, 0, 2)) for each in (x, y)))
        if normalises_by_batch(training):
            hidden, moments = self.cell.train(projected, tuple(initial_state))
            self.cell.store(moments)
        else:
            hidden = self.cell.infer(projected, tuple(initial_state))
        return self.normalization(ops.transpose(hidden, (1, 0, 2)), training=training)

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
