"""The loop of an LSTM over time, with the gradient written out.

Automatic differentiation keeps every intermediate value of every step, and Keras asks at every step
which clips have ended. Here neither happens. One product a step takes input, state, bias and
padding together, one hyperbolic tangent serves all gates, as `sigmoid(2 z) = (1 + tanh z) / 2`, and
the gradient of all weights is one product over all steps.

In padding the gates of input and output are shut: the state of a pass that begins there stays zero
until the clip does, and outputs are zero. Which clips have ended is then no question of the loop's.
"""

from __future__ import annotations

from typing import Any

from keras import ops

SHUT = -1e4
"""What a gate takes where it lets nothing through: its sigmoid is exactly zero in float32."""


def run_lstm(
    sequences: Any, weights: tuple[Any, Any, Any], padding: Any, kept: Any, *, backwards: bool
) -> Any:
    """Return the hidden states of an LSTM that begins with zeros.

    Args:
        sequences: of shape `(batch, steps, columns)`
        weights: kernel, recurrent kernel and bias of `keras.layers.LSTM`
        padding: 1 where a clip has ended and 0 before, of shape `(batch, steps)`, or None
        kept: what the state is multiplied with before each product, of shape `(batch, units)`, or
            None
        backwards: from the last step to the first

    Returns:
        of shape `(steps, batch, units)`, zero in padding
    """
    kernel, recurrent, bias = weights
    columns, units = kernel.shape[0], recurrent.shape[0]
    halves = [[factor] * units for factor in (0.5, 0.5, 1.0, 0.5)]  # a half in front of a sigmoid
    rows = [kernel, recurrent, ops.expand_dims(bias, 0)]
    x = ops.transpose(sequences, (1, 0, 2))
    if padding is None:
        last = ops.ones_like(x[:, :, :1])
    else:
        shut = [[gate] * units for gate in (SHUT, 0.0, 0.0, SHUT)]
        rows.append(ops.reshape(ops.convert_to_tensor(shut, kernel.dtype), (1, -1)))
        late = ops.cast(ops.transpose(padding), x.dtype)
        last = ops.stack([ops.ones_like(late), late], axis=-1)
    joined = ops.concatenate(rows, axis=0) * ops.reshape(
        ops.convert_to_tensor(halves, kernel.dtype), (1, -1)
    )
    given = (x, last, joined) if kept is None else (x, last, joined, kept)
    return _loop(columns, units, backwards)(*given)


def _loop(columns: int, units: int, backwards: bool) -> Any:
    """Return the function of inputs, last columns, joined kernel and, if any, what is kept."""

    @ops.custom_gradient
    def loop(x: Any, last: Any, kernel: Any, *kept: Any) -> Any:
        clips = ops.shape(x)[1]
        zeros = ops.zeros((clips, units), x.dtype)
        steps = ops.arange(ops.shape(x)[0])

        def step(carry: Any, at: Any) -> tuple[Any, Any]:
            h, c = carry[:2]
            for each in kept:
                h = h * each
            taken = ops.concatenate([x[at], h, last[at]], axis=1)
            gates = ops.tanh(ops.matmul(taken, kernel))
            take, forget, candidate, output = ops.split(gates, 4, axis=1)
            c = 0.5 * (c + forget * c + candidate + take * candidate)
            squashed = ops.tanh(c)
            h = 0.5 * (squashed + output * squashed)
            carry = h, c, gates, taken
            return carry, carry

        # Of what is carried only the states are read; the rest is there as TensorFlow's scan takes
        # the shapes of what a step gives from what it carries.
        nothing = ops.zeros((clips, kernel.shape[1]), x.dtype)
        carry = (zeros, zeros, nothing, ops.zeros((clips, kernel.shape[0]), x.dtype))
        _, left = ops.scan(step, carry, steps, reverse=backwards)
        hidden, cells, gates, taken = left

        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, ...]:
            [upstream] = arguments if upstream is None else [upstream]
            if backwards:
                before = ops.concatenate([cells[1:], zeros[None]], axis=0)
            else:
                before = ops.concatenate([zeros[None], cells[:-1]], axis=0)
            back = ops.transpose(kernel[columns : columns + units])

            def step(carry: Any, at: Any) -> tuple[Any, Any]:
                carry = _step_back(carry, upstream[at], (gates[at], cells[at], before[at]))
                d_h = ops.matmul(carry[1], back)
                for each in kept:
                    d_h = d_h * each
                carry = carry[0], carry[1], d_h
                return carry, carry

            _, (_, sums, _) = ops.scan(step, (zeros, nothing, zeros), steps, reverse=not backwards)
            flat = ops.reshape(sums, (-1, sums.shape[-1]))
            seen = ops.reshape(taken, (-1, taken.shape[-1]))
            d_kernel = ops.matmul(ops.transpose(seen), flat)
            d_x = ops.matmul(flat, ops.transpose(kernel[:columns]))
            rest = [ops.zeros_like(each) for each in (last, *kept)]
            return (ops.reshape(d_x, ops.shape(x)), rest[0], d_kernel, *rest[1:])

        return hidden, gradient

    return loop


def _step_back(
    carry: tuple[Any, Any, Any], upstream: Any, left: tuple[Any, Any, Any]
) -> tuple[Any, Any]:
    """Return the gradients of the previous cell state and of what the hyperbolic tangents took.

    Args:
        carry: gradients of the cell state, of a later step's sums, which is not read, and of the
            hidden state
        upstream: the gradient of the hidden state that comes from outside of the loop
        left: gates, cell state, and cell state before the step
    """
    d_c, _, d_h = carry
    gates, cell, before = left
    take, forget, candidate, output = ops.split(gates, 4, axis=1)
    squashed = ops.tanh(cell)
    half = 0.5 * (d_h + upstream)
    d_c = 0.5 * (d_c + (half + half * output) * (1 - ops.square(squashed)))  # half of it
    d_gates = [d_c * candidate, d_c * before, d_c + d_c * take, half * squashed]
    d_gates = ops.concatenate(d_gates, axis=1)
    return d_c + d_c * forget, d_gates - d_gates * ops.square(gates)
