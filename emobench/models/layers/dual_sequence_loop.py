"""The equations of the dual-sequence LSTM, and its loop over time with the gradient written out.

Automatic differentiation keeps every intermediate value of every step and adds up the gradient of
the recurrent kernel step by step. Written out, a fifth of the values is kept and that gradient is
one product over all steps; the loop takes three quarters of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from keras import ops

from .recurrent_normalisation import batch_moments, scale_and_offset
from .time_loop import over_time

Position = Literal["post", "pre"]
Normalise = Callable[[Any], tuple[Any, Any]]
"""From the values of all gates to the normalised ones, and to the statistics that were used."""


def advance(
    projected: tuple[Any, Any],
    state: tuple[Any, Any],
    recurrent_kernel: Any,
    normalise: Normalise,
    bn_position: Position,
) -> tuple[Any, Any, Any, Any, Any]:
    """Return what a step leaves behind.

    Args:
        projected: what gates and candidates take from the inputs, of shape `(batch, 4 * units)`
            and `(batch, 2 * units)`
        state: hidden and cell state, of shape `(batch, units)`
        recurrent_kernel: of gates and candidates, of shape `(units, 6 * units)`
        normalise: of the gates
        bn_position: "post" normalises what the gates' sigmoids give, "pre" what they take

    Returns:
        hidden and cell state, the values that were normalised, the candidates, and the statistics
    """
    h, c = state
    units = h.shape[-1]
    sums = ops.matmul(h, recurrent_kernel)
    values = projected[0] + sums[:, : 4 * units]
    candidates = ops.tanh(projected[1] + sums[:, 4 * units :])
    if bn_position == "post":
        values = ops.sigmoid(values)
    gates, moments = normalise(values)
    if bn_position == "pre":
        gates = ops.sigmoid(gates)
    taken = gates[:, units : 3 * units] * candidates
    c = gates[:, :units] * c + taken[:, :units] + taken[:, units:]
    h = gates[:, 3 * units :] * ops.tanh(c)
    return h, c, values, candidates, moments


def over_batch(gamma: Any, beta: Any, epsilon: float) -> Normalise:
    """Return the normalisation by the batch's own mean and variance, which it gives as two rows."""

    def normalise(values: Any) -> tuple[Any, Any]:
        moments = batch_moments(values)
        scale, offset = scale_and_offset(moments, gamma, beta, epsilon)
        return values * scale + offset, ops.concatenate(moments, axis=0)

    return normalise


def loop_over_batch(
    projected: tuple[Any, Any],
    state: tuple[Any, Any],
    weights: tuple[Any, Any, Any],
    *,
    bn_position: Position,
    epsilon: float,
) -> tuple[Any, Any]:
    """Run all steps, every gate normalised over the batch.

    Args:
        projected: of all steps, of shapes `(steps, batch, 4 * units)` and
            `(steps, batch, 2 * units)`
        state: hidden and cell state to begin with, of shape `(batch, units)`
        weights: recurrent kernel, and scale and offset of the normalisation
        bn_position: "post" or "pre"
        epsilon: added to the variance

    Returns:
        hidden states of shape `(steps, batch, units)`, and mean and variance of the gates, of shape
        `(steps, 2, 4 * units)`, which have no gradient
    """

    @ops.custom_gradient
    def loop(
        gates: Any, candidates: Any, h: Any, c: Any, kernel: Any, gamma: Any, beta: Any
    ) -> Any:
        normalise = over_batch(gamma, beta, epsilon)

        def step(carry: Any, at: Any) -> tuple[Any, Any]:
            here = gates[at], candidates[at]
            carry = advance(here, carry[:2], kernel, normalise, bn_position)
            return carry, carry

        # Of what is carried only the states are read; the rest is there as TensorFlow's scan takes
        # the shapes of what a step gives from what it carries.
        nothing = ops.zeros((2, gates.shape[-1]), gates.dtype)
        carry = (h, c, gates[0], candidates[0], nothing)
        _, left = over_time(step, carry, ops.arange(ops.shape(gates)[0]))

        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, ...]:
            [upstream] = arguments if upstream is None else [upstream]
            back = _step_back(left, (h, c), (kernel, gamma, beta), bn_position, epsilon)
            return _gradients(back, upstream[:, :-8], left, (h, c))

        moments = ops.reshape(left[4], (-1, 8, h.shape[-1]))
        return ops.concatenate([left[0], moments], axis=1), gradient

    # Functions with a gradient of their own take tensors only, and give one.
    joined = loop(*projected, *state, *(ops.copy(weight) for weight in weights))
    moments = ops.reshape(joined[:, -8:], (-1, 2, projected[0].shape[-1]))
    return joined[:, :-8], moments


def _step_back(
    left: tuple[Any, ...],
    start: tuple[Any, Any],
    weights: tuple[Any, Any, Any],
    bn_position: Position,
    epsilon: float,
) -> Callable[[Any, Any, Any], tuple[Any, ...]]:
    """Return the function from the gradients of a step's states to those of what it takes.

    It takes the two gradients and the step, and returns the gradients of the previous states, of
    the gates' and candidates' sums, and of offset and scale as two rows.
    """
    _, cells, values, candidates, moments = left
    kernel, gamma, beta = weights
    units, clips = kernel.shape[0], ops.cast(ops.shape(start[1])[0], kernel.dtype)
    before = ops.concatenate([start[1][None], cells[:-1]], axis=0)
    back = ops.transpose(kernel)

    def step(dh: Any, dc: Any, at: Any) -> tuple[Any, ...]:
        value, candidate = values[at], candidates[at]
        inverse = ops.rsqrt(moments[at, 1:] + epsilon)
        plain = (value - moments[at, :1]) * inverse
        gates = plain * gamma + beta
        if bn_position == "pre":
            gates = ops.sigmoid(gates)
        squashed = ops.tanh(cells[at])
        dc = dc + dh * gates[:, 3 * units :] * (1 - ops.square(squashed))
        twice = ops.concatenate([dc, dc], axis=1)
        d_gates = ops.concatenate([dc * before[at], twice * candidate, dh * squashed], axis=1)
        if bn_position == "pre":
            d_gates = d_gates * gates * (1 - gates)
        d_beta = ops.sum(d_gates, axis=0, keepdims=True)
        d_gamma = ops.sum(d_gates * plain, axis=0, keepdims=True)
        d_sums = (d_gates - (d_beta + plain * d_gamma) / clips) * (inverse * gamma)
        if bn_position == "post":
            d_sums = d_sums * value * (1 - value)
        d_candidates = twice * gates[:, units : 3 * units] * (1 - ops.square(candidate))
        d_h = ops.matmul(ops.concatenate([d_sums, d_candidates], axis=1), back)
        rows = ops.concatenate([d_beta, d_gamma], axis=0)
        return d_h, dc * gates[:, :units], d_sums, d_candidates, rows

    return step


def _gradients(
    back: Callable[[Any, Any, Any], tuple[Any, ...]],
    upstream: Any,
    left: tuple[Any, ...],
    start: tuple[Any, Any],
) -> tuple[Any, ...]:
    """Return the gradients of the loop's seven arguments, in their order."""
    hidden, _, values, candidates, moments = left

    def step(carry: Any, at: Any) -> tuple[Any, Any]:
        carry = back(carry[0] + upstream[at], carry[1], at)
        return carry, carry

    nothing = ops.zeros_like(start[0])
    carry = (nothing, nothing, values[0], candidates[0], moments[0])
    steps = ops.arange(ops.shape(hidden)[0])
    first, (_, _, d_gates, d_candidates, rows) = over_time(step, carry, steps, reverse=True)
    before = ops.concatenate([start[0][None], hidden[:-1]], axis=0)
    before = ops.transpose(ops.reshape(before, (-1, before.shape[-1])))
    d_kernel = ops.concatenate(
        [
            ops.matmul(before, ops.reshape(sums, (-1, sums.shape[-1])))
            for sums in (d_gates, d_candidates)
        ],
        axis=1,
    )
    d_beta, d_gamma = ops.unstack(ops.sum(rows, axis=0), 2)
    return d_gates, d_candidates, first[0], first[1], d_kernel, d_gamma, d_beta
