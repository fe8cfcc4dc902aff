"""The loop of an LSTM over time, in one direction or both, with the gradient written out.

Automatic differentiation keeps every intermediate value of every step, and Keras asks at every step
which clips have ended. Here neither happens. One product a step takes input, state, bias and
padding together, one hyperbolic tangent serves all gates, as `sigmoid(2 z) = (1 + tanh z) / 2`, and
the gradient of all weights is one product over all steps.

In padding the gates of input and output are shut: the state of a pass that begins there stays zero
until the clip does, and outputs are zero. Which clips have ended is then no question of the loop's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras import ops

from .time_loop import over_time

SHUT = -1e4
"""What a gate takes where it lets nothing through: its sigmoid is exactly zero in float32."""

WIDE = 4
"""How many times the units a sequence's columns may be before it is projected ahead of the loop, as
the kernel would have to come from memory at every step."""


@dataclass(frozen=True)
class Direction:
    """An LSTM over a sequence, from its first step to the last or back.

    Attributes:
        sequences: what it reads, of shape `(batch, steps, columns)`
        weights: kernel, recurrent kernel and bias of `keras.layers.LSTM`
        backwards: from the last step to the first
        kept: what the state is multiplied with before each product, of shape `(batch, units)`, or
            None
    """

    sequences: Any
    weights: tuple[Any, Any, Any]
    backwards: bool
    kept: Any = None


def run_lstm(directions: Sequence[Direction], padding: Any) -> Any:
    """Return the hidden states of LSTMs that begin with zeros, side by side.

    Args:
        directions: LSTMs of as many columns, steps and units; all or none keep parts of the state
        padding: 1 where a clip has ended and 0 before, of shape `(batch, steps)`, or None

    Returns:
        of shape `(steps, batch, directions * units)`, zero in padding
    """
    kernel, recurrent, _ = directions[0].weights
    wide = kernel.shape[0] > WIDE * recurrent.shape[0]
    x = [_projected(each) if wide else each.sequences for each in directions]
    x = [ops.transpose(each, (1, 0, 2)) for each in x]
    if padding is None:
        last = ops.ones_like(x[0][:, :, :1])
    else:
        late = ops.cast(ops.transpose(padding), x[0].dtype)
        last = ops.stack([ops.ones_like(late), late], axis=-1)
    masked = padding is not None
    kernels = ops.stack([_joined(each.weights, masked, wide) for each in directions])
    kept = [each.kept for each in directions if each.kept is not None]
    loop = _Loop(0 if wide else kernel.shape[0], [each.backwards for each in directions])
    return loop.run(last, kernels, *x, *([ops.stack(kept)] if kept else []))


def _projected(direction: Direction) -> Any:
    kernel = direction.weights[0]
    return ops.matmul(direction.sequences, kernel) * _halves(kernel)


def _halves(weights: Any) -> Any:
    """Return factors of shape `(1, 4 * units)`: a half where a sigmoid follows, see the top."""
    factors = [factor for factor in (0.5, 0.5, 1.0, 0.5) for _ in range(weights.shape[-1] // 4)]
    return ops.convert_to_tensor([factors], weights.dtype)


def _joined(weights: tuple[Any, Any, Any], masked: bool, wide: bool) -> Any:
    """Return all weights as the rows of one kernel, the last row, if `masked`, for padding."""
    kernel, recurrent, bias = weights
    rows = [] if wide else [kernel]
    rows += [recurrent, ops.expand_dims(bias, 0)]
    if masked:
        shut = [gate for gate in (SHUT, 0.0, 0.0, SHUT) for _ in range(recurrent.shape[0])]
        rows.append(ops.convert_to_tensor([shut], kernel.dtype))
    return ops.concatenate(rows, axis=0) * _halves(kernel)


class _Loop:
    """The loop, and its gradient.

    Args:
        columns: of the inputs; 0 if they were projected before
        backwards: of each direction
    """

    def __init__(self, columns: int, backwards: Sequence[bool]) -> None:
        self.columns = columns
        self.backwards = backwards
        self.run = ops.custom_gradient(self._run)

    def _run(self, last: Any, kernels: Any, *rest: Any) -> Any:
        count = len(self.backwards)
        x, kept = rest[:count], rest[count:]
        left = self._forward(last, kernels, x, kept)
        taken, hidden = left[3 : 3 + count], left[3 + count :]

        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, ...]:
            [upstream] = arguments if upstream is None else [upstream]
            sums = self._sums_back(upstream, kernels, kept, left)
            d_x, d_kernels = self._kernels_back(x, kernels, taken, sums)
            nothing = [ops.zeros_like(each) for each in (last, *kept)]
            return nothing[0], ops.stack(d_kernels), *d_x, *nothing[1:]

        hidden = [self._in_order(index, each) for index, each in enumerate(hidden)]
        return (ops.concatenate(hidden, axis=-1) if count > 1 else hidden[0]), gradient

    def _forward(self, last: Any, kernels: Any, x: Any, kept: Any) -> Any:
        """Return what each step leaves: states, cells, gates, what kernels took, each state."""
        count = len(self.backwards)
        steps, clips = ops.shape(last)[0], ops.shape(last)[1]
        units = kernels.shape[-1] // 4

        def step(carry: Any, at: Any) -> tuple[Any, Any]:
            h, c = carry[:2]
            for each in kept:
                h = h * each
            places = [steps - 1 - at if back else at for back in self.backwards]
            here = [each[place] for each, place in zip(x, places, strict=True)]
            inside = [[each] if self.columns else [] for each in here]
            taken = [
                ops.concatenate([*inside[index], h[index], last[place]], axis=1)
                for index, place in enumerate(places)
            ]
            sums = ops.matmul(_stacked(taken), kernels)
            gates = ops.tanh(sums if self.columns else sums + _stacked(here))
            take, forget, candidate, output = ops.split(gates, 4, axis=-1)
            c = 0.5 * (c + forget * c + candidate + take * candidate)
            squashed = ops.tanh(c)
            h = 0.5 * (squashed + output * squashed)
            carry = h, c, gates, *taken, *(h[index] for index in range(count))
            return carry, carry

        # Of what is carried only the states are read; the rest is there as TensorFlow's scan takes
        # the shapes of what a step gives from what it carries.
        zeros = ops.zeros((count, clips, units), last.dtype)
        nothing = ops.zeros((count, clips, 4 * units), last.dtype)
        taken = [ops.zeros((clips, kernels.shape[1]), last.dtype)] * count
        carry = (zeros, zeros, nothing, *taken, *([zeros[0]] * count))
        return over_time(step, carry, ops.arange(steps))[1]

    def _kernels_back(
        self, x: Any, kernels: Any, taken: list[Any], sums: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Return the gradients of the sequences and of the kernels, for each direction."""
        d_x, d_kernels = [], []
        for index, each in enumerate(sums):
            flat = ops.reshape(each, (-1, each.shape[-1]))
            seen = ops.reshape(taken[index], (-1, taken[index].shape[-1]))
            d_kernels.append(ops.matmul(ops.transpose(seen), flat))
            if self.columns:
                flat = ops.matmul(flat, ops.transpose(kernels[index, : self.columns]))
            d_x.append(self._in_order(index, ops.reshape(flat, ops.shape(x[index]))))
        return d_x, d_kernels

    def _sums_back(self, upstream: Any, kernels: Any, kept: Any, left: Any) -> list[Any]:
        """Return the gradients of what the hyperbolic tangents took, for each direction."""
        _, cells, gates = left[:3]
        steps, count, units = ops.shape(cells)[0], len(self.backwards), cells.shape[-1]
        zeros, nothing = ops.zeros_like(cells[0]), ops.zeros_like(gates[0])
        before = ops.concatenate([zeros[None], cells[:-1]], axis=0)
        back = ops.transpose(kernels[:, self.columns : self.columns + units], (0, 2, 1))

        def step(carry: Any, at: Any) -> tuple[Any, Any]:
            from_outside = []
            for index, backwards in enumerate(self.backwards):
                place = steps - 1 - at if backwards else at
                given = upstream[place]
                own = given[:, index * units : (index + 1) * units] if count > 1 else given
                from_outside.append(own)
            d_h = carry[0] + _stacked(from_outside)
            d_c, sums = _step_back((d_h, carry[1]), (gates[at], cells[at], before[at]))
            d_h = ops.matmul(sums, back)
            for each in kept:
                d_h = d_h * each
            carry = d_h, d_c, *(sums[index] for index in range(count))
            return carry, carry

        carry = (zeros, zeros, *([nothing[0]] * count))
        _, (_, _, *sums) = over_time(step, carry, ops.arange(steps), reverse=True)
        return sums

    def _in_order(self, index: int, values: Any) -> Any:
        """Return the values of a direction's steps in the order of time."""
        return ops.flip(values, axis=0) if self.backwards[index] else values


def _stacked(values: Sequence[Any]) -> Any:
    return ops.stack(values) if len(values) > 1 else values[0][None]


def _step_back(carry: tuple[Any, Any], left: tuple[Any, Any, Any]) -> tuple[Any, Any]:
    """Return the gradients of the previous cell state and of what the hyperbolic tangents took.

    Args:
        carry: gradients of hidden and cell state
        left: gates, cell state, and cell state before the step
    """
    d_h, d_c = carry
    gates, cell, before = left
    take, forget, candidate, output = ops.split(gates, 4, axis=-1)
    squashed = ops.tanh(cell)
    half = 0.5 * d_h
    d_c = 0.5 * (d_c + (half + half * output) * (1 - ops.square(squashed)))  # half of it
    d_gates = [d_c * candidate, d_c * before, d_c + d_c * take, half * squashed]
    d_gates = ops.concatenate(d_gates, axis=-1)
    return d_c + d_c * forget, d_gates - d_gates * ops.square(gates)
