"""Two sequences of different pace, brought to one."""

# ruff: noqa: D102 -- the methods are Keras' own; each class says what it takes and returns

from __future__ import annotations

from typing import Any, Literal

import keras

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="emobench")
class AlignSequences(keras.layers.Layer):
    """Averages adjacent steps of the longer sequence, and cuts both to the same length.

    "pairs" averages steps `2i` and `2i + 1`, as the paper of the dual-sequence LSTM says;
    "window3" steps `2i` to `2i + 2` and leaves the last out, as its authors' code does (D-09).

    Args:
        window: "pairs" or "window3"

    Call arguments:
        longer: of shape `(batch, steps, columns)`, of known length
        shorter: of shape `(batch, steps, columns)`, of known length

    Returns:
        both, of shapes `(batch, aligned steps, columns)`
    """

    def __init__(self, window: Literal["pairs", "window3"] = "pairs", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if window not in ("pairs", "window3"):
            raise ValueError(f"window: expected 'pairs' or 'window3', found {window!r}")
        self.window = window

    def aligned(self, longer: int, shorter: int) -> int:
        """Return the number of steps that two sequences of these lengths give."""
        return min(longer // 2 - (self.window == "window3"), shorter)

    def call(self, longer: Any, shorter: Any) -> tuple[Any, Any]:
        steps = self.aligned(longer.shape[1], shorter.shape[1])
        width = 2 if self.window == "pairs" else 3
        last = 2 * (steps - 1) + 1
        # Whatever the window, the windows begin two steps apart.
        total = sum(longer[:, first : first + last : 2] for first in range(width))
        return total / width, shorter[:, :steps]

    def compute_output_shape(self, longer_shape: Shape, shorter_shape: Shape) -> Any:
        steps = self.aligned(longer_shape[1], shorter_shape[1])
        return tuple((shape[0], steps, shape[-1]) for shape in (longer_shape, shorter_shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window}
