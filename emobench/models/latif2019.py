"""Parallel convolutions over raw samples, a convolution across their features, and an LSTM.

S. Latif, R. Rana, S. Khalifa, R. Jurdak and J. Epps, "Direct modelling of speech emotion from raw
speech", Interspeech 2019, arXiv:1904.03833; layer sizes and training of the re-implementation in
A. Keesing, I. Watson and M. Witbrock, "Convolutional and Recurrent Neural Networks for Spoken
Emotion Recognition", ALTA 2020.

Differences from the paper: a dense layer of 1024 units stands before the output (D-17); clips of
equal padded length share a batch (D-35).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..spec import InputSpec, ModelSpec
from . import register

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Config:
    """Hyper-parameters, as Keesing et al. (2020) give them.

    Attributes:
        filters: of each of the convolutions over samples
        widths: of those convolutions, in samples (25, 15 and 100 ms)
        hop: of those convolutions, in samples (10 ms)
        maps: of the convolution across features
        lstm_units: of the LSTM
        units: of the dense layer
        dropout: after the LSTM
        learning_rate: of Adam
        batch_size: in clips
        epochs: of training
        statistics: what batch normalisation predicts with: "recomputed" on the training clips,
            "running" as collected while training, or what the "protocol" says
    """

    filters: int = 40
    widths: tuple[int, ...] = (400, 240, 1600)
    hop: int = 160
    maps: int = 32
    lstm_units: int = 128
    units: int = 1024
    dropout: float = 0.3
    learning_rate: float = 1e-4
    batch_size: int = 32
    epochs: int = 50
    statistics: Literal["protocol", "recomputed", "running"] = "protocol"


def build(
    config: Config, shapes: Mapping[str, tuple[int | None, ...]], n_classes: int
) -> keras.Model:
    """Build the uncompiled network.

    Args:
        config: hyper-parameters
        shapes: shape of `waveform` without the batch axis, `(samples, 1)`
        n_classes: number of emotions

    Returns:
        model from the waveform to probabilities of shape `(batch, n_classes)`
    """
    import keras
    from keras import layers

    from .layers import FrameConvolutionBlock, LSTMCell, PatchConvolutionBlock, ProjectedRNN

    waveform = keras.Input(shapes["waveform"], name="waveform")
    branches = [
        FrameConvolutionBlock(config.filters, width, config.hop)(waveform)
        for width in config.widths
    ]
    x = layers.Concatenate()(branches)  # (batch, steps, filters of all widths)
    columns = x.shape[-1]
    x = layers.Reshape((-1, columns, 1))(x)
    x = PatchConvolutionBlock(config.maps, (2, 2))(x)
    x = layers.Reshape((-1, -(-columns // 2) * config.maps))(x)
    x = ProjectedRNN(LSTMCell(config.lstm_units))(x)
    x = layers.Dropout(config.dropout)(x)
    x = layers.Dense(config.units, activation="relu")(x)
    logits = layers.Dense(n_classes)(x)
    outputs = layers.Softmax()(logits)
    return keras.Model({"waveform": waveform}, outputs, name="latif2019")


register(
    ModelSpec(
        name="latif2019",
        citation=(
            "S. Latif, R. Rana, S. Khalifa, R. Jurdak and J. Epps, Direct modelling of speech "
            "emotion from raw speech, Interspeech 2019, arXiv:1904.03833"
        ),
        paper="keesing2020",
        config=Config(),
        inputs={"waveform": InputSpec("raw5s", scaling="speaker")},
        build=build,
        deviations=(
            "D-17: a dense layer of 1024 units before the output",
            "D-35: full batches of neighbours in length, padded to multiples of half a second; "
            "keesing2020 keeps its batches and pads to a tenth of a second",
        ),
    ),
    shapes={"waveform": (None, 1)},
    smallest={"waveform": (320, 1)},
)
