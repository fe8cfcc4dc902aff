"""Pooling over time by statistics of the steps that are not padding."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

Shape = tuple[int | None, ...]

STATISTICS = ("mean", "std", "min", "max", "range", "skewness", "kurtosis")

_NEVER = 1e30
"""Beyond any value of a network."""

_CONSTANT = 1e-6
"""A column varies by less than this part of its mean when rounding alone makes it vary."""

_SMALLEST = 1e-20
"""Variance below which a column is constant, whatever its mean; its square is a float32."""


@keras.saving.register_keras_serializable(package="emobench")
class StatisticsPooling(keras.layers.Layer):
    """Statistics of each column over the steps of a clip.

    Population standard deviation, skewness `m3 / sd^3` and excess kurtosis `m4 / sd^4 - 3`, as
    `scipy.stats` computes them with `bias=True`; the last two are 0 for a constant column.
    Masked steps do not count.

    Args:
        statistics: which ones, of `STATISTICS`, in the order of the output

    Call arguments:
        inputs: of shape `(batch, steps, columns)`
        mask: of shape `(batch, steps)` with a true step in each clip, or None

    Returns:
        all columns by the first statistic, then by the second and so on, of shape
        `(batch, statistics * columns)`
    """

    def __init__(self, statistics: Sequence[str] = ("mean",), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        unknown = sorted(set(statistics) - set(STATISTICS))
        if unknown or not statistics:
            raise ValueError(
                f"statistics: expected some of {', '.join(STATISTICS)}, "
                f"found {', '.join(unknown) or 'none'}"
            )
        self.statistics = tuple(statistics)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], "bool")
        wanted = set(self.statistics)
        own = ops.cast(mask, inputs.dtype)
        parts = (own / ops.sum(own, axis=1, keepdims=True))[:, None]  # (batch, 1, steps)
        found = {"mean": ops.matmul(parts, inputs)}  # each of shape (batch, 1, columns)
        if wanted & {"min", "max", "range"}:
            found |= _extremes(inputs, mask[..., None])
        if wanted & {"std", "skewness", "kurtosis"}:
            found |= _moments(inputs, parts, found["mean"], own[..., None])
        pooled = [ops.squeeze(found[name], 1) for name in self.statistics]
        return pooled[0] if len(pooled) == 1 else ops.concatenate(pooled, axis=-1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], len(self.statistics) * input_shape[-1])

    def multiply_adds(self, input_shape: tuple[int, ...]) -> int:
        """Return the multiply-adds of a forward pass."""
        batch, steps, columns = input_shape
        return len(self.statistics) * batch * steps * columns

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "statistics": self.statistics}


def _extremes(inputs: Any, own: Any) -> dict[str, Any]:
    lowest = ops.min(ops.where(own, inputs, _NEVER), axis=1, keepdims=True)
    highest = ops.max(ops.where(own, inputs, -_NEVER), axis=1, keepdims=True)
    return {"min": lowest, "max": highest, "range": highest - lowest}


def _moments(inputs: Any, parts: Any, mean: Any, own: Any) -> dict[str, Any]:
    """Return the statistics about the mean.

    A constant column has no direction in which its deviation grows: its gradients are 0.
    """
    centred = (inputs - mean) * own
    variance = ops.matmul(parts, ops.square(centred))
    varies = variance > ops.maximum(ops.square(_CONSTANT * mean), _SMALLEST)
    scale = ops.sqrt(ops.where(varies, variance, 1.0))
    # Powers of standardised values neither vanish nor overflow, those of deviations may.
    standard = centred / scale
    square = ops.square(standard)
    skewness = ops.matmul(parts, square * standard)
    kurtosis = ops.matmul(parts, ops.square(square)) - 3.0
    return {
        "std": ops.where(varies, scale, 0.0),
        "skewness": ops.where(varies, skewness, 0.0),
        "kurtosis": ops.where(varies, kurtosis, 0.0),
    }


@keras.saving.register_keras_serializable(package="emobench")
class LastStep(keras.layers.Layer):
    """The last step of each clip that is not padding.

    Call arguments:
        inputs: of shape `(batch, steps, columns)`
        mask: of shape `(batch, steps)`, true up to a clip's last own step; or None

    Returns:
        of shape `(batch, columns)`
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return inputs[:, -1]
        own = ops.cast(mask, inputs.dtype)
        later = ops.concatenate([own[:, 1:], ops.zeros_like(own[:, :1])], axis=1)
        return ops.squeeze(ops.matmul((own - later)[:, None], inputs), 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], input_shape[-1])
