"""The loop of a classic GRU over time, with the gradient written out, as `lstm_loop` for an LSTM.

In padding the update gate stays open, `h = 1 * h + 0 * candidate`, which keeps the state as it is.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from .time_loop import over_time

OPEN = 1e4
"""What a gate takes where it lets everything through: its sigmoid is exactly one in float32."""


def run_classic_gru(
    sequences: Any, gates: tuple[Any, Any, Any], candidate: tuple[Any, Any, Any], padding: Any
) -> Any:
    """Return the hidden states of a GRU that begins with zeros.

    Args:
        sequences: of shape `(batch, steps, columns)`
        gates: kernel, recurrent kernel and bias of the update and the reset gate
        candidate: those of the candidate
        padding: 1 at steps that leave the state as it is, else 0, of shape `(batch, steps)`, or
            None

    Returns:
        of shape `(steps, batch, units)`
    """
    units = gates[1].shape[0]
    x = ops.transpose(sequences, (1, 0, 2))
    joined = []
    for kernel, recurrent, bias in (gates, candidate):
        joined.append([kernel, recurrent, ops.expand_dims(bias, 0)])
    if padding is None:
        last = ops.ones_like(x[:, :, :1])
    else:
        late = ops.cast(ops.transpose(padding), x.dtype)
        last = ops.stack([ops.ones_like(late), late], axis=-1)
        both = ops.convert_to_tensor([[OPEN] * units + [0.0] * units], x.dtype)
        joined[0].append(both)
        joined[1].append(ops.zeros_like(both[:, :units]))
    # A half in front of a sigmoid makes it a hyperbolic tangent.
    of_gates, of_candidate = (ops.concatenate(rows, axis=0) for rows in joined)
    return _loop(x, last, 0.5 * of_gates, of_candidate)


@ops.custom_gradient
def _loop(x: Any, last: Any, of_gates: Any, of_candidate: Any) -> Any:
    kernels = (of_gates, of_candidate)
    hidden, kept = _forward(x, last, kernels)

    def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, ...]:
        [upstream] = arguments if upstream is None else [upstream]
        d_sums = _sums_back(upstream, x.shape[-1], kernels, kept)
        d_x, d_kernels = _kernels_back(x, kernels, kept[2:], d_sums)
        return d_x, ops.zeros_like(last), *d_kernels

    return hidden, gradient


def _forward(x: Any, last: Any, kernels: tuple[Any, Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return the states after each step, and what the gradient needs of each step."""
    of_gates, of_candidate = kernels
    units, clips = of_candidate.shape[1], ops.shape(x)[1]

    def step(carry: Any, at: Any) -> tuple[Any, Any]:
        h = carry[0]
        taken = ops.concatenate([x[at], h, last[at]], axis=1)
        gates = ops.tanh(ops.matmul(taken, of_gates))
        update, reset = ops.split(0.5 + 0.5 * gates, 2, axis=1)
        again = ops.concatenate([x[at], reset * h, last[at]], axis=1)
        candidate = ops.tanh(ops.matmul(again, of_candidate))
        h = update * h + (1 - update) * candidate
        carry = h, gates, candidate, taken, again
        return carry, carry

    # TensorFlow's scan takes the shapes of what a step gives from what it carries.
    zeros = ops.zeros((clips, units), x.dtype)
    wide = ops.zeros((clips, of_gates.shape[0]), x.dtype)
    carry = zeros, ops.zeros((clips, 2 * units), x.dtype), zeros, wide, wide
    _, (hidden, *kept) = over_time(step, carry, ops.arange(ops.shape(x)[0]))
    return hidden, tuple(kept)


def _sums_back(
    upstream: Any, columns: int, kernels: tuple[Any, Any], kept: tuple[Any, ...]
) -> list[Any]:
    """Return the gradients of what the hyperbolic tangents took: of the gates, the candidate."""
    gates, candidates, taken, _ = kept
    own = slice(columns, columns + candidates.shape[-1])
    back_gates, back_candidate = (ops.transpose(each[own]) for each in kernels)

    def step(carry: Any, at: Any) -> tuple[Any, Any]:
        d_h, h, candidate = carry[0] + upstream[at], taken[at][:, own], candidates[at]
        update, reset = ops.split(gates[at], 2, axis=1)
        half = 0.5 * d_h
        through = half - half * update
        d_candidate = through * (1 - ops.square(candidate))
        d_reset = 0.5 * ops.matmul(d_candidate, back_candidate)
        d_update = half * (h - candidate) * (1 - ops.square(update))
        direct = half + half * update + d_reset + d_reset * reset
        d_gates = [d_update, d_reset * h * (1 - ops.square(reset))]
        d_gates = ops.concatenate(d_gates, axis=1)
        carry = direct + ops.matmul(d_gates, back_gates), d_gates, d_candidate
        return carry, carry

    zeros = ops.zeros_like(candidates[0])
    carry = zeros, ops.zeros_like(gates[0]), zeros
    _, (_, *sums) = over_time(step, carry, ops.arange(ops.shape(gates)[0]), reverse=True)
    return sums


def _kernels_back(
    x: Any, kernels: tuple[Any, Any], taken: tuple[Any, ...], sums: list[Any]
) -> tuple[Any, list[Any]]:
    """Return the gradients of the sequences and of the kernels."""
    d_kernels, d_inputs = [], []
    for each, d_sums, kernel in zip(taken, sums, kernels, strict=True):
        flat = ops.reshape(d_sums, (-1, d_sums.shape[-1]))
        seen = ops.reshape(each, (-1, each.shape[-1]))
        d_kernels.append(ops.matmul(ops.transpose(seen), flat))
        d_inputs.append(ops.matmul(flat, ops.transpose(kernel[: x.shape[-1]])))
    return ops.reshape(d_inputs[0] + d_inputs[1], ops.shape(x)), d_kernels
