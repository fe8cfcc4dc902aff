"""Layers that the models share: attention pooling and convolutions as matrix products."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="emobench")
class AttentionPooling(keras.layers.Layer):
    """Weighted mean over time, the weights being a softmax of `u · h_t`.

    Mirsamadi et al., "Automatic speech emotion recognition using recurrent neural networks with
    local attention", ICASSP 2017. Masked steps get weight 0.

    Call arguments:
        inputs: hidden states of shape `(batch, steps, columns)`
        mask: of shape `(batch, steps)`, or None

    Returns:
        pooled states of shape `(batch, columns)`
    """

    def __init__(self, initializer: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.context = self.add_weight(
            shape=(input_shape[-1], 1), initializer=self.initializer, name="context"
        )

    def weights_of(self, inputs: Any, mask: Any = None) -> Any:
        """Return the attention weights, of shape `(batch, steps, 1)`; they sum to 1 over time."""
        scores = ops.matmul(inputs, self.context)  # (batch, steps, 1)
        if mask is not None:
            lowest = ops.cast(-1e9, scores.dtype)
            scores = ops.where(ops.expand_dims(mask, -1), scores, lowest)
        return ops.softmax(scores, axis=1)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        weights = self.weights_of(inputs, mask)
        return ops.squeeze(ops.matmul(ops.transpose(weights, (0, 2, 1)), inputs), 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable(package="emobench")
class MapMaxPooling(keras.layers.Layer):
    """Maximum over consecutive groups of feature maps.

    Args:
        size: maps in a group

    Call arguments:
        inputs: of shape `(..., maps)`

    Returns:
        maxima of shape `(..., maps / size)`
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs: Any) -> Any:
        groups = inputs.shape[-1] // self.size
        return ops.max(ops.reshape(inputs, (*ops.shape(inputs)[:-1], groups, self.size)), axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], input_shape[-1] // self.size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="emobench")
class FrameConv1D(keras.layers.Layer):
    """`Conv1D(filters, width, strides=hop, padding="same")` of one channel, as a matrix product.

    Same weights and same outputs as the convolution. With a hop of the order of the width, a
    convolution is a product over frames of the signal, which runs several times as fast.

    Args:
        filters: number of outputs a frame
        width: of the kernel, in samples
        hop: from frame to frame, in samples
        kernel_initializer: of the kernel

    Call arguments:
        inputs: signal of shape `(batch, samples, 1)`

    Returns:
        frames of shape `(batch, ceil(samples / hop), filters)`
    """

    def __init__(
        self,
        filters: int,
        width: int,
        hop: int,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.width = width
        self.hop = hop
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if input_shape[-1] != 1:
            raise ValueError(f"FrameConv1D: expected one channel, found {input_shape[-1]}")
        self.kernel = self.add_weight(
            shape=(self.width, 1, self.filters), initializer=self.kernel_initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        batch, samples = ops.shape(inputs)[0], ops.shape(inputs)[1]
        frames = -(-samples // self.hop)
        blocks = -(-self.width // self.hop)
        missing = (frames - 1) * self.hop + self.width - samples
        before = ops.maximum(missing, 0) // 2
        after = (frames + blocks - 1) * self.hop - samples - before
        signal = ops.concatenate(
            [
                ops.zeros((batch, before), inputs.dtype),
                ops.squeeze(inputs, -1),
                ops.zeros((batch, after), inputs.dtype),
            ],
            axis=1,
        )
        signal = ops.reshape(signal, (batch, frames + blocks - 1, self.hop))
        framed = ops.concatenate([signal[:, i : i + frames] for i in range(blocks)], axis=-1)
        kernel = ops.pad(self.kernel[:, 0], ((0, blocks * self.hop - self.width), (0, 0)))
        return ops.matmul(framed, kernel) + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        samples = input_shape[1]
        return (input_shape[0], None if samples is None else -(-samples // self.hop), self.filters)

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Return the multiply-adds of one forward pass over a batch."""
        batch, samples, _ = input_shape
        return batch * -(-samples // self.hop) * self.width * self.filters

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "width": self.width,
            "hop": self.hop,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
