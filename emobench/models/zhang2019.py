"""Convolutions over frames of raw samples, two GRUs and attention pooling.

Z. Zhang, B. Wu and B. Schuller, "Attention-augmented end-to-end multi-task learning for emotion
prediction from speech", ICASSP 2019, doi:10.1109/ICASSP.2019.8682896, arXiv:1903.12424; layer sizes
and training of the re-implementation in A. Keesing, I. Watson and M. Witbrock, "Convolutional and
Recurrent Neural Networks for Spoken Emotion Recognition", ALTA 2020.

Differences from the paper: one categorical task instead of arousal and valence, as in Keesing et
al.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..spec import InputSpec, ModelSpec
from . import register

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Config:
    """Hyper-parameters, as Keesing et al. (2020) give them.

    Attributes:
        filters: of both convolutions
        width: of both convolutions, in samples and in pooled samples
        map_group: consecutive feature maps over which the maximum is taken
        gru_units: of both GRUs
        dropout: of the samples
        learning_rate: of Adam
        batch_size: in clips
        epochs: of training
    """

    filters: int = 40
    width: int = 40
    map_group: int = 10
    gru_units: int = 128
    dropout: float = 0.1
    learning_rate: float = 1e-4
    batch_size: int = 16
    epochs: int = 50


def build(
    config: Config, shapes: Mapping[str, tuple[int | None, ...]], n_classes: int
) -> keras.Model:
    """Build the uncompiled network.

    Args:
        config: hyper-parameters
        shapes: shape of `frames` without the batch axis, `(frames, samples)`
        n_classes: number of emotions

    Returns:
        model from the framed waveform to probabilities of shape `(batch, n_classes)`
    """
    import keras
    from keras import layers

    from .layers import (
        AttentionPooling,
        GRUCell,
        MapPooledRowConv1D,
        PooledRowConv1D,
        ProjectedRNN,
    )

    frames = keras.Input(shapes["frames"], name="frames")
    samples = shapes["frames"][-1]
    x = layers.Dropout(config.dropout)(frames)
    x = layers.Reshape((-1, samples, 1))(x)
    x = PooledRowConv1D(config.filters, config.width, pool=2)(x)
    x = MapPooledRowConv1D(config.filters, config.width, pool=config.map_group)(x)
    # of shape `(batch, frames, samples / 2, maps / map_group)`
    x = layers.Reshape((-1, samples // 2 * (config.filters // config.map_group)))(x)
    for _ in range(2):
        x = ProjectedRNN(GRUCell(config.gru_units), return_sequences=True)(x)
    x = AttentionPooling()(x)
    logits = layers.Dense(n_classes)(x)
    outputs = layers.Softmax()(logits)
    return keras.Model({"frames": frames}, outputs, name="zhang2019")


register(
    ModelSpec(
        name="zhang2019",
        citation=(
            "Z. Zhang, B. Wu and B. Schuller, Attention-augmented end-to-end multi-task learning "
            "for emotion prediction from speech, ICASSP 2019, doi:10.1109/ICASSP.2019.8682896"
        ),
        paper="keesing2020",
        config=Config(),
        inputs={"frames": InputSpec("frames640", scaling="speaker")},
        build=build,
    ),
    shapes={"frames": (500, 640)},
    smallest={"frames": (2, 2)},
)
