"""Convolutions of four widths with global max pooling over time.

Z. Aldeneh and E. Mower Provost, "Using regional saliency for speech emotion recognition", ICASSP
2017, doi:10.1109/ICASSP.2017.7952655; layer sizes and training of the re-implementation in
A. Keesing, I. Watson and M. Witbrock, "Convolutional and Recurrent Neural Networks for Spoken
Emotion Recognition", ALTA 2020.

Differences from the paper: clips of equal padded length share a batch (D-35); the fixed
spectrogram has 498 frames (D-15).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..spec import InputSpec, ModelSpec
from . import register

if TYPE_CHECKING:
    import keras

CITATION = (
    "Z. Aldeneh and E. Mower Provost, Using regional saliency for speech emotion recognition, "
    "ICASSP 2017, doi:10.1109/ICASSP.2017.7952655"
)


@dataclass(frozen=True)
class Config:
    """Hyper-parameters, as Keesing et al. (2020) give them.

    Attributes:
        filters: of each convolution
        widths: of the convolutions, in frames
        units: of each of the two dense layers
        learning_rate: of Adam
        batch_size: in clips
        epochs: of training
    """

    filters: int = 384
    widths: tuple[int, ...] = (8, 16, 32, 64)
    units: int = 1024
    learning_rate: float = 1e-4
    batch_size: int = 32
    epochs: int = 50


def build(
    config: Config, shapes: Mapping[str, tuple[int | None, ...]], n_classes: int
) -> keras.Model:
    """Build the uncompiled network.

    Args:
        config: hyper-parameters
        shapes: shape of the one input without the batch axis, `(frames, bands)`
        n_classes: number of emotions

    Returns:
        model from the spectrogram to probabilities of shape `(batch, n_classes)`
    """
    import keras
    from keras import layers

    from .layers import Conv1D, FrameMaximum

    [(name, shape)] = shapes.items()
    spectrogram = keras.Input(shape, name=name)
    pooled = []
    for width in config.widths:
        x = Conv1D(config.filters, width, activation="relu", kernel_initializer="he_normal")(
            spectrogram
        )
        pooled.append(FrameMaximum()(x))  # (batch, filters)
    x = layers.Concatenate()(pooled)
    for _ in range(2):
        x = layers.Dense(config.units, activation="relu", kernel_initializer="he_normal")(x)
    logits = layers.Dense(n_classes, kernel_initializer="he_normal")(x)
    outputs = layers.Softmax()(logits)
    return keras.Model({name: spectrogram}, outputs, name="aldeneh2017")


for _variant, _input, _feature, _bands, _frames in (
    ("logmel40", "logmel", "logmel", 40, None),
    ("logmel240", "logmel", "logmel", 240, None),
    ("spec240", "spectrogram", "logmel5s", 240, 498),
):
    register(
        ModelSpec(
            name=f"aldeneh2017-{_variant}",
            citation=CITATION,
            paper="keesing2020",
            config=Config(),
            inputs={_input: InputSpec(_feature, {"bands": _bands}, scaling="speaker")},
            build=build,
            deviations=(
                ("D-15: 498 frames instead of 497",)
                if _frames
                else (
                    "D-35: full batches of neighbours in length, drawn anew each epoch; "
                    "keesing2020 keeps its batches",
                )
            ),
        ),
        shapes={_input: (_frames, _bands)},
        smallest={_input: (64, 1)},
    )
