"""Convolutions of several members that are computed one after another, on JAX.

`vmap` makes one convolution of them, of as many groups. Its gradients are then computed as forward
convolutions whose kernels are as long as the input: XLA knows no other way for groups, and on a
card that takes many times as long. Each by itself fills a card anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from keras import ops


def convolve(inputs: Any, kernel: Any, padding: str) -> Any:
    """Return what `layers.convolve.convolve` does; under `vmap` a loop over the members."""
    return _of(padding)(inputs, ops.convert_to_tensor(kernel))


@cache
def _of(padding: str) -> Callable[[Any, Any], Any]:
    import jax
    from jax.custom_batching import sequential_vmap

    def plain(inputs: Any, kernel: Any) -> Any:
        return ops.conv(inputs, kernel, padding=padding)

    @sequential_vmap
    def forward(inputs: Any, kernel: Any) -> Any:
        return plain(inputs, kernel)

    @sequential_vmap
    def backward(inputs: Any, kernel: Any, upstream: Any) -> Any:
        return jax.vjp(plain, inputs, kernel)[1](upstream)

    def kept(inputs: Any, kernel: Any) -> Any:
        return forward(inputs, kernel), (inputs, kernel)

    # What has a rule of its own for `vmap` has no gradient but one that is written down.
    convolution = jax.custom_vjp(forward)
    convolution.defvjp(kept, lambda both, upstream: backward(*both, upstream))
    return convolution
