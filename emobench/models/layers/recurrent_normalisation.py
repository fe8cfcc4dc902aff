"""Batch normalisation inside and after a recurrence, where every step has statistics of its own.

In training a step is normalised by mean and variance over the clips of the batch at that step. No
variable is assigned inside a loop over time, which JAX refuses: loops return what they measured.
"""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .batch_statistics import measuring, normalises_by_batch

Shape = tuple[int | None, ...]


def batch_moments(values: Any) -> tuple[Any, Any]:
    """Return mean and variance over the first axis, which is kept with a length of one."""
    mean = ops.mean(values, axis=0, keepdims=True)
    return mean, ops.mean(ops.square(values - mean), axis=0, keepdims=True)


def scale_and_offset(moments: tuple[Any, Any], gamma: Any, beta: Any, epsilon: float) -> Any:
    """Return the two factors with which normalising is `values * scale + offset`.

    Args:
        moments: mean and variance, of shape `(..., columns)`
        gamma: standard deviation afterwards, of shape `(columns,)`
        beta: mean afterwards, of shape `(columns,)`
        epsilon: added to the variance

    Returns:
        scale and offset, of shape `(..., columns)`
    """
    mean, variance = moments
    scale = gamma * ops.rsqrt(variance + epsilon)
    return scale, beta - mean * scale


@keras.saving.register_keras_serializable(package="emobench")
class StepNormalization(keras.layers.Layer):
    """Batch normalisation of each step by itself, with one running mean and variance for all.

    The running values move by `1 - momentum` at every step, as if a `BatchNormalization` layer
    were called once a step.

    Args:
        momentum: part of a running value that a step keeps
        epsilon: added to the variance

    Call arguments:
        inputs: of shape `(batch, steps, columns)`

    Returns:
        of the same shape
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> None:
        def add(name: str, initializer: str, trainable: bool = True) -> Any:
            return self.add_weight(
                shape=(input_shape[-1],), initializer=initializer, trainable=trainable, name=name
            )

        self.gamma = add("gamma", "ones")
        self.beta = add("beta", "zeros")
        self.moving_mean = add("moving_mean", "zeros", trainable=False)
        self.moving_variance = add("moving_variance", "ones", trainable=False)

    def call(self, inputs: Any, training: bool = False) -> Any:
        moments = self.moving_mean, self.moving_variance
        if normalises_by_batch(training):
            moments = batch_moments(inputs)  # of shape (1, steps, columns)
            self._update(moments)
        scale, offset = scale_and_offset(moments, self.gamma, self.beta, self.epsilon)
        return inputs * scale + offset

    @property
    def _tables(self) -> tuple[Any, Any]:
        return self.moving_mean, self.moving_variance

    def _update(self, moments: tuple[Any, Any]) -> None:
        if measuring():  # every step counts alike, however long ago it was
            for moving, current in zip(self._tables, moments, strict=True):
                moving.assign(ops.mean(current[0], axis=0))
            return
        steps = ops.shape(moments[0])[1]
        later = ops.cast(steps - 1 - ops.arange(steps), self.compute_dtype)
        kept = ops.power(ops.cast(self.momentum, self.compute_dtype), later)  # since each step
        for moving, current in zip(self._tables, moments, strict=True):
            entered = (1 - self.momentum) * ops.matmul(kept, current[0])
            moving.assign(moving * kept[0] * self.momentum + entered)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "epsilon": self.epsilon}
