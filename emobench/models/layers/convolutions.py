"""Convolutions in the forms that a CPU computes fastest; weights and outputs as in Keras' layers.

A convolution with a long kernel and a long hop is a matrix product over frames. Batch normalisation
followed by ReLU and max pooling touches large maps many times; `ConvolutionBlock` does the same on
the pooled maps.
"""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from .batch_statistics import moved, normalises_by_batch
from .columns import affine, column_sums
from .convolve import convolve

Shape = tuple[int | None, ...]


def hops_of(signal: Any, width: int, hop: int) -> Any:
    """Cut a signal, padded as "same" pads, into the pieces that its frames consist of.

    Args:
        signal: of shape `(batch, samples, 1)`
        width: of a frame, in samples, no less than a hop
        hop: from frame to frame, in samples

    Returns:
        of shape `(batch, pieces, hop)`; frame `i` begins at piece `i`, and there are
        `ceil(samples / hop)` frames of `ceil(width / hop)` pieces
    """
    if width < hop:
        raise ValueError(f"width: expected {hop} samples (one hop) or more, found {width}")
    batch, samples = ops.shape(signal)[0], ops.shape(signal)[1]
    pieces = -(-samples // hop) + -(-width // hop) - 1
    missing = (-(-samples // hop) - 1) * hop + width - samples
    before = missing // 2  # "same" puts the odd zero at the end
    padded = ops.concatenate(
        [
            ops.zeros((batch, before), signal.dtype),
            ops.squeeze(signal, -1),
            ops.zeros((batch, pieces * hop - samples - before), signal.dtype),
        ],
        axis=1,
    )
    return ops.reshape(padded, (batch, pieces, hop))


def convolve_hops(hops: Any, kernel: Any) -> Any:
    """Return `Conv1D(strides=hop, padding="same")` of the signal whose hops are given.

    A frame is a run of hops, so the convolution is one of stride 1 with a channel for each sample
    of a hop: a product over frames that are never copied out.

    Args:
        hops: what `hops_of` returns
        kernel: of shape `(width, 1, filters)`

    Returns:
        of shape `(batch, frames, filters)`
    """
    hop, (width, _, filters) = hops.shape[-1], kernel.shape
    filled = ops.pad(kernel[:, 0], ((0, -width % hop), (0, 0)))
    return convolve(hops, ops.reshape(filled, (-1, hop, filters)), "valid")


@keras.saving.register_keras_serializable(package="emobench")
class ConvolutionBlock(keras.layers.Layer):
    """`Conv2D`, `BatchNormalization`, `ReLU` and `MaxPooling2D`, in one.

    Normalisation is `scale * map + offset` for each filter, and a positive scale and ReLU keep the
    order of numbers, so the maximum may be taken first and the rest be done on the smaller pooled
    maps. Kernels of filters with a negative scale change their sign before, and the maps after.
    The convolution's bias only enters the moving mean: normalisation subtracts it again.

    Args:
        filters: number of maps
        size: of the kernel, in rows and columns
        padding: of convolution and pooling, "valid" or "same"
        pool: rows and columns over which the maximum is taken
        momentum: part of the moving mean and variance that a batch keeps
        epsilon: added to the variance

    Call arguments:
        inputs: of shape `(batch, rows, columns, channels)`

    Returns:
        pooled maps of shape `(batch, rows, columns, filters)`
    """

    def __init__(
        self,
        filters: int,
        size: tuple[int, ...],
        padding: str = "valid",
        pool: tuple[int, ...] = (2, 2),
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.size = tuple(size)
        self.padding = padding
        self.pool = tuple(pool)
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> None:
        def add(name: str, initializer: str, trainable: bool = True) -> Any:
            return self.add_weight(
                shape=(self.filters,), initializer=initializer, trainable=trainable, name=name
            )

        self.kernel = self.add_weight(
            shape=(*self.size, input_shape[-1], self.filters),
            initializer="glorot_uniform",
            name="kernel",
        )
        self.bias = add("bias", "zeros")
        self.gamma = add("gamma", "ones")
        self.beta = add("beta", "zeros")
        self.moving_mean = add("moving_mean", "zeros", trainable=False)
        self.moving_variance = add("moving_variance", "ones", trainable=False)

    def prepare(self, inputs: Any) -> Any:
        """Return the inputs in the form that `convolve` and `moments` take."""
        return inputs

    def convolve(self, prepared: Any, kernel: Any) -> Any:
        """Return the maps, without bias."""
        return convolve(prepared, kernel, self.padding)

    def moments(self, prepared: Any, kernel: Any, maps: Any) -> tuple[Any, Any]:
        """Return mean and variance of each map over batch and places, of shape `(filters,)`."""
        mean, square = ops.unstack(_mean_and_square(maps), 2)
        return mean, ops.maximum(square - ops.square(mean), 0.0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        sign = ops.where(self.gamma < 0, -1.0, 1.0)
        prepared, kernel = self.prepare(inputs), self.kernel * sign
        maps = self.convolve(prepared, kernel)
        mean, variance = self.moving_mean, self.moving_variance
        if normalises_by_batch(training):
            mean, variance = self.moments(prepared, kernel, maps)
            mean = mean * sign + self.bias
            for moving, current in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moved(moving, current, self.momentum))
        scale = self.gamma * ops.rsqrt(variance + self.epsilon)
        offset = self.beta + (self.bias - mean) * scale
        pooled = ops.max_pool(maps, self.pool, self.pool, padding=self.padding)
        return ops.relu(affine(pooled, scale * sign, offset))

    def maps_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the maps before pooling."""
        shrink = [0 if self.padding == "same" else side - 1 for side in self.size]
        places = [
            None if length is None else length - less
            for length, less in zip(input_shape[1:-1], shrink, strict=True)
        ]
        return (input_shape[0], *places, self.filters)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        maps = self.maps_shape(input_shape)
        places = [
            length and (-(-length // step) if self.padding == "same" else length // step)
            for length, step in zip(maps[1:-1], self.pool, strict=True)
        ]
        return (maps[0], *places, self.filters)

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Return the multiply-adds of a forward pass."""
        return math.prod(self.maps_shape(input_shape)[:-1]) * math.prod(self.kernel.shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "size": self.size,
            "padding": self.padding,
            "pool": self.pool,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable(package="emobench")
class FrameConvolutionBlock(ConvolutionBlock):
    """A `ConvolutionBlock` over samples: a long kernel and a long hop, as a matrix product.

    `Conv1D(filters, width, strides=hop, padding="same")`, `BatchNormalization`, `ReLU` and
    `MaxPooling1D(pool)` in one, with the weights of these layers.

    Args:
        filters: number of outputs a frame
        width: of the kernel, in samples
        hop: from frame to frame, in samples
        pool: frames over which the maximum is taken

    Call arguments:
        inputs: signal of shape `(batch, samples, 1)`

    Returns:
        of shape `(batch, ceil(samples / hop) // pool, filters)`
    """

    def __init__(self, filters: int, width: int, hop: int, pool: int = 2, **kwargs: Any) -> None:
        super().__init__(filters, (width,), "valid", (pool,), **kwargs)
        self.width = width
        self.hop = hop

    def prepare(self, inputs: Any) -> Any:
        return hops_of(inputs, self.width, self.hop)

    def convolve(self, prepared: Any, kernel: Any) -> Any:
        return convolve_hops(prepared, kernel)

    def maps_shape(self, input_shape: Shape) -> Shape:
        batch, samples, _ = input_shape
        return (batch, samples and -(-samples // self.hop), self.filters)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for key in ("size", "padding", "pool"):
            del config[key]
        return {**config, "width": self.width, "hop": self.hop, "pool": self.pool[0]}


@keras.saving.register_keras_serializable(package="emobench")
class PatchConvolutionBlock(ConvolutionBlock):
    """A `ConvolutionBlock` for kernels of a few weights; its padding is "same" unless told.

    The input patches under the kernel are a far smaller array than the maps, and they tell mean
    and variance of the maps: those of a linear combination of their columns.
    """

    def __init__(
        self, filters: int, size: tuple[int, ...], padding: str = "same", **kwargs: Any
    ) -> None:
        super().__init__(filters, size, padding=padding, **kwargs)

    def prepare(self, inputs: Any) -> Any:
        weights = math.prod(self.kernel.shape[:-1])
        each = ops.reshape(ops.eye(weights), (*self.kernel.shape[:-1], weights))
        return convolve(inputs, each, self.padding)  # (batch, rows, columns, weights)

    def convolve(self, prepared: Any, kernel: Any) -> Any:
        return ops.matmul(prepared, ops.reshape(kernel, (-1, self.filters)))

    def moments(self, prepared: Any, kernel: Any, maps: Any) -> tuple[Any, Any]:
        kernel = ops.reshape(kernel, (-1, self.filters))
        patches = ops.reshape(prepared, (-1, prepared.shape[-1]))
        places = ops.cast(ops.shape(patches)[0], patches.dtype)
        mean = _mean(prepared)  # (weights,)
        products = ops.matmul(ops.transpose(patches), patches) / places
        covariance = products - ops.outer(mean, mean)
        variance = ops.sum(kernel * ops.matmul(covariance, kernel), axis=0)
        return ops.matmul(mean, kernel), ops.maximum(variance, 0.0)


@ops.custom_gradient
def _mean_and_square(maps: Any) -> Any:
    """Return the means of each map and of its square, of shape `(2, filters)`.

    The gradient is written out, as it is one pass over the maps for each of the two and
    automatic differentiation makes several.
    """
    places = ops.cast(ops.size(maps) // maps.shape[-1], maps.dtype)

    def gradient(*arguments: Any, upstream: Any = None) -> Any:
        [upstream] = arguments if upstream is None else [upstream]
        of_mean, of_square = ops.unstack(upstream / places, 2)
        return maps * (2.0 * of_square) + of_mean

    sums = ops.stack([column_sums(maps), column_sums(ops.square(maps))])
    return sums / places, gradient


def _mean(maps: Any) -> Any:
    """Return the mean of each map over batch and places, of shape `(filters,)`."""
    return column_sums(maps) / ops.cast(ops.size(maps) // maps.shape[-1], maps.dtype)
