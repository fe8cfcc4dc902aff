"""Which steps of a padded clip are its own."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class PaddingMask(keras.layers.Layer):
    """Tells padding from speech: the rows of zeros at the end are padding.

    Zeros inside a clip stay, so that a pause of digital silence is heard. A clip of nothing but
    zeros keeps its first step, so that a mean over its steps exists.

    Call arguments:
        inputs: clips padded with zeros at the end, of shape `(batch, steps, columns)`

    Returns:
        mask of shape `(batch, steps)`, true for the clip's own steps
    """

    def call(self, inputs: Any) -> Any:
        sounding = ops.cast(ops.any(ops.not_equal(inputs, 0), axis=-1), "int32")
        later = ops.flip(ops.cumsum(ops.flip(sounding, axis=1), axis=1), axis=1)
        first = ops.arange(ops.shape(inputs)[1]) == 0
        return ops.logical_or(later > 0, first)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape[:2])

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype="bool")
