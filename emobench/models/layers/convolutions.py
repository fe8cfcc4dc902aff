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

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class RowConv1D(keras.layers.Conv1D):
    """`keras.layers.Conv1D` within each row of a stack of rows.

    Call arguments:
        inputs: of shape `(batch, rows, samples, channels)`

    Returns:
        of shape `(batch, rows, samples, filters)`
    """

    def build(self, input_shape: Shape) -> None:
        super().build((None, *input_shape[2:]))
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: input_shape[-1]})

    def call(self, inputs: Any) -> Any:
        rows = ops.shape(inputs)[1]
        outputs = super().call(ops.reshape(inputs, (-1, *inputs.shape[2:])))
        return ops.reshape(outputs, (-1, rows, *outputs.shape[1:]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        inside = super().compute_output_shape((None, *input_shape[-2:]))
        return (*input_shape[:-2], *inside[1:])

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Return the multiply-adds of a forward pass."""
        places = math.prod(self.compute_output_shape(input_shape)[:-1])
        return places * math.prod(self.kernel.shape)


def same_frames(signal: Any, width: int, hop: int) -> Any:
    """Cut a signal into the frames that a convolution with padding "same" sees.

    Args:
        signal: of shape `(batch, samples, 1)`
        width: of the kernel, in samples
        hop: from frame to frame, in samples

    Returns:
        frames of shape `(batch, ceil(samples / hop), size)`, with `width` rounded up to a whole
        number of hops as their size
    """
    batch, samples = ops.shape(signal)[0], ops.shape(signal)[1]
    frames = -(-samples // hop)
    blocks = -(-width // hop)
    missing = (frames - 1) * hop + width - samples
    before = ops.maximum(missing, 0) // 2  # "same" puts the odd zero at the end
    after = (frames + blocks - 1) * hop - samples - before
    padded = ops.concatenate(
        [
            ops.zeros((batch, before), signal.dtype),
            ops.squeeze(signal, -1),
            ops.zeros((batch, after), signal.dtype),
        ],
        axis=1,
    )
    hops = ops.reshape(padded, (batch, frames + blocks - 1, hop))
    return ops.concatenate([hops[:, i : i + frames] for i in range(blocks)], axis=-1)


def convolve_frames(signal: Any, kernel: Any, hop: int) -> Any:
    """Return `Conv1D(strides=hop, padding="same")` of one channel as a matrix product.

    Args:
        signal: of shape `(batch, samples, 1)`
        kernel: of shape `(width, 1, filters)`
        hop: from frame to frame, in samples

    Returns:
        of shape `(batch, ceil(samples / hop), filters)`
    """
    width = kernel.shape[0]
    fill = -width % hop
    return ops.matmul(same_frames(signal, width, hop), ops.pad(kernel[:, 0], ((0, fill), (0, 0))))


@keras.saving.register_keras_serializable(package="emobench")
class ConvolutionBlock(keras.layers.Layer):
    """`Conv2D`, `BatchNormalization`, `ReLU` and `MaxPooling2D` with Keras' defaults, in one.

    Normalisation is `scale * map + offset` for each filter, and a positive scale and ReLU keep the
    order of numbers, so the maximum may be taken first and the rest be done on the smaller pooled
    maps. Kernels of filters with a negative scale change their sign before, and the maps after.
    The convolution's bias only enters the moving mean: normalisation subtracts it again.

    Args:
        filters: number of maps
        size: of the kernel, in rows and columns
        padding: of convolution and pooling, "valid" or "same"
        pool: rows and columns over which the maximum is taken

    Call arguments:
        inputs: of shape `(batch, rows, columns, channels)`

    Returns:
        pooled maps of shape `(batch, rows, columns, filters)`
    """

    momentum = 0.99
    epsilon = 1e-3

    def __init__(
        self,
        filters: int,
        size: tuple[int, ...],
        padding: str = "valid",
        pool: tuple[int, ...] = (2, 2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.size = tuple(size)
        self.padding = padding
        self.pool = tuple(pool)

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

    def convolve(self, inputs: Any, kernel: Any) -> Any:
        """Return the maps, without bias."""
        return ops.conv(inputs, kernel, padding=self.padding)

    def call(self, inputs: Any, training: bool = False) -> Any:
        sign = ops.where(self.gamma < 0, -1.0, 1.0)
        maps = self.convolve(inputs, self.kernel * sign)
        mean, variance = self.moving_mean, self.moving_variance
        if training:
            mean, variance = _moments(maps)
            mean = mean * sign + self.bias
            for moving, current in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + current * (1 - self.momentum))
        scale = self.gamma * ops.rsqrt(variance + self.epsilon)
        offset = self.beta + (self.bias - mean) * scale
        pooled = ops.max_pool(maps, self.pool, self.pool, padding=self.padding)
        return ops.relu(pooled * (scale * sign) + offset)

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

    def convolve(self, inputs: Any, kernel: Any) -> Any:
        return convolve_frames(inputs, kernel, self.hop)

    def maps_shape(self, input_shape: Shape) -> Shape:
        batch, samples, _ = input_shape
        return (batch, samples and -(-samples // self.hop), self.filters)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for key in ("size", "padding", "pool"):
            del config[key]
        return {**config, "width": self.width, "hop": self.hop, "pool": self.pool[0]}


def _moments(maps: Any) -> tuple[Any, Any]:
    """Return mean and variance of each map over batch and places, each of shape `(filters,)`.

    Sums are products with a row of ones, which cost a fifth of a reduction over leading axes.
    """
    filters = maps.shape[-1]
    flat = ops.reshape(maps, (ops.shape(maps)[0], -1, filters))
    ones = ops.ones((1, 1, ops.shape(flat)[1]), flat.dtype)
    share = 1.0 / ops.cast(ops.shape(flat)[0] * ops.shape(flat)[1], flat.dtype)
    mean = ops.sum(ops.matmul(ones, flat), axis=(0, 1)) * share
    square = ops.sum(ops.matmul(ones, ops.square(flat)), axis=(0, 1)) * share
    return mean, ops.maximum(square - ops.square(mean), 0.0)
