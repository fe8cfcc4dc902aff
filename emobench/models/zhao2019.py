"""A bidirectional LSTM and a stack of convolutions side by side, each with attention pooling.

Z. Zhao, Z. Bao, Y. Zhao, Z. Zhang, N. Cummins, Z. Ren and B. Schuller, "Exploring deep spectrum
representations via attention-based recurrent and convolutional neural networks for speech emotion
recognition", IEEE Access 7:97515, 2019, doi:10.1109/ACCESS.2019.2928625; layer sizes and training
of the re-implementation in A. Keesing, I. Watson and M. Witbrock, "Convolutional and Recurrent
Neural Networks for Spoken Emotion Recognition", ALTA 2020.

Differences from the paper: one bidirectional LSTM instead of two, as in Keesing et al. (D-16); the
spectrogram has 498 frames (D-15).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..spec import InputSpec, ModelSpec
from . import register

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Config:
    """Hyper-parameters, as Keesing et al. (2020) give them.

    Attributes:
        lstm_units: of the LSTM, in each direction
        maps: of each convolution
        kernels: side of each convolution's square kernel, in frames and bands
        units: of the dense layers after the convolutions and before the output
        dropout: of the LSTM's input and after each convolution
        learning_rate: of Adam
        batch_size: in clips
        epochs: of training
        statistics: what batch normalisation predicts with: "recomputed" on the training clips,
            "running" as collected while training, or what the "protocol" says
    """

    lstm_units: int = 128
    maps: tuple[int, ...] = (64, 128, 128)
    kernels: tuple[int, ...] = (8, 5, 3)
    units: int = 128
    dropout: float = 0.2
    learning_rate: float = 1e-4
    batch_size: int = 64
    epochs: int = 50
    statistics: Literal["protocol", "recomputed", "running"] = "protocol"


def build(
    config: Config, shapes: Mapping[str, tuple[int | None, ...]], n_classes: int
) -> keras.Model:
    """Build the uncompiled network.

    Args:
        config: hyper-parameters
        shapes: shape of `spectrogram` without the batch axis, `(frames, bands)`
        n_classes: number of emotions

    Returns:
        model from the spectrogram to probabilities of shape `(batch, n_classes)`
    """
    import keras
    from keras import layers

    spectrogram = keras.Input(shapes["spectrogram"], name="spectrogram")
    both = [_recurrent(config, spectrogram), _convolutional(config, spectrogram)]
    x = layers.Dense(config.units, activation="relu")(layers.Concatenate()(both))
    logits = layers.Dense(n_classes)(x)
    outputs = layers.Softmax()(logits)
    return keras.Model({"spectrogram": spectrogram}, outputs, name="zhao2019")


def _recurrent(config: Config, spectrogram: Any) -> Any:
    """Return the pooled states of the recurrent branch, of shape `(batch, 2 * lstm_units)`."""
    from .layers import LSTM, AttentionPooling, Bidirectional

    lstm = LSTM(config.lstm_units, return_sequences=True, dropout=config.dropout)
    return AttentionPooling()(Bidirectional(lstm)(spectrogram))


def _convolutional(config: Config, spectrogram: Any) -> Any:
    """Return the pooled maps of the convolutional branch, of shape `(batch, units)`."""
    from keras import layers

    from .layers import AttentionPooling, ConvolutionBlock

    x = layers.Reshape((-1, spectrogram.shape[-1], 1))(spectrogram)
    for maps, side in zip(config.maps, config.kernels, strict=True):
        x = ConvolutionBlock(maps, (side, side))(x)
        x = layers.Dropout(config.dropout)(x)
    x = layers.Reshape((-1, config.maps[-1]))(x)  # every remaining band is a step of its own
    x = layers.Dense(config.units, activation="tanh")(x)
    return AttentionPooling()(x)


CITATION = (
    "Z. Zhao, Z. Bao, Y. Zhao, Z. Zhang, N. Cummins, Z. Ren and B. Schuller, Exploring deep "
    "spectrum representations via attention-based recurrent and convolutional neural networks for "
    "speech emotion recognition, IEEE Access 7:97515, 2019, doi:10.1109/ACCESS.2019.2928625"
)
_LAYERS = "D-16: one bidirectional LSTM, as Keesing et al. (2020), instead of two"
_LENGTH = "D-15: 498 frames instead of 497"
_OPEN = "a spectrogram that Keesing et al. (2020) gave to another network only"


def _register(
    suffix: str, feature: str, bands: int, rows: int | None, deviations: tuple[str, ...]
) -> None:
    register(
        ModelSpec(
            name=f"zhao2019{suffix}",
            citation=CITATION,
            paper="keesing2020",
            config=Config(),
            inputs={"spectrogram": InputSpec(feature, {"bands": bands}, scaling="speaker")},
            build=build,
            deviations=(*deviations, _LAYERS),
        ),
        shapes={"spectrogram": (rows, bands)},
        smallest={"spectrogram": (31, 31)},
    )


_register("", "logmel5s", 40, 498, (_LENGTH,))
_register("-logmel40", "logmel", 40, None, (_OPEN,))
_register("-logmel240", "logmel", 240, None, (_OPEN,))
_register("-spec240", "logmel5s", 240, 498, (_OPEN, _LENGTH))
