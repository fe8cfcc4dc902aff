"""Frozen encoders of speech as a front-end: what each of their layers says of a clip.

Of every layer, mean and standard deviation over time are kept. Clips are encoded one by one, as
they are: a model that is not told where padding begins would hear it. How a layer is chosen or
layers are weighed is left to the models that are fed from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import audio, encoders
from ..encoders import Card
from ..errors import FeatureError, SpecError
from .front_end import Fitted, FrontEnd, nothing

ALL = "all"
MEAN = "mean"


def encode(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return mean and standard deviation over time of every layer.

    Args:
        samples: at 16 kHz, of shape `(samples,)`; brought to the card's rate
        params: `encoder`, the folder

    Returns:
        float32 of shape `(1, layers · 2 · width)`: layer by layer, means before deviations

    Raises:
        FeatureError: if the encoder gives nothing
    """
    encoder = encoders.open_encoder(_folder(params))
    sound = audio.resample(samples, audio.SAMPLE_RATE, encoder.card.sampling_rate)
    (layers,) = encoder.encode(sound[None])
    statistics = [
        (layer.mean(axis=0, dtype=np.float64), layer.std(axis=0, dtype=np.float64))
        for layer in layers
    ]
    return np.array(statistics, np.float32).reshape(1, -1)


def fit(values: Sequence[np.ndarray], params: Mapping[str, Any]) -> Fitted:
    """Return what a model sees of a clip; no clip is looked at.

    Args:
        values: not read
        params: `encoder`, the folder; `layer`, which layers

    Returns:
        shape: `(layers, 2 · width)` for all layers, `(1, 2 · width)` for one or their mean

    Raises:
        SpecError: if the encoder has no such layer
    """
    card = encoders.read_card(_folder(params))
    rows = card.layers if _checked(params["layer"], card) == ALL else 1
    state = (card.layers, 2 * card.width)
    return Fitted((rows, state[1]), state, facts={"encoder": card.name, "layer": params["layer"]})


def choose(values: np.ndarray, params: Mapping[str, Any], state: tuple[int, int]) -> np.ndarray:
    """Return the layers that are asked for, of shape `(rows, 2 · width)`."""
    layers = values.reshape(state)
    if params["layer"] == ALL:
        return layers
    if params["layer"] == MEAN:
        return layers.mean(axis=0, keepdims=True)
    return layers[int(params["layer"])][None]


def _checked(layer: str, card: Card) -> str:
    known = (ALL, MEAN, *map(str, range(card.layers)))
    if layer not in known:
        raise SpecError(
            f"layer: expected {ALL}, {MEAN} or a number from 0 to {card.layers - 1}, as "
            f"{card.name} has {card.layers} layers, found '{layer}'. Correct it."
        )
    return layer


def _folder(params: Mapping[str, Any]) -> Path:
    if not params["encoder"]:
        raise FeatureError(
            "encoder: expected the folder of an encoder, found none. Give it with --encoder FOLDER"
        )
    return Path(params["encoder"])


def _columns(params: Mapping[str, Any]) -> int:
    card = encoders.read_card(_folder(params))
    return card.layers * 2 * card.width


ENCODER = FrontEnd(
    name="encoder",
    title="mean and deviation over time of each layer of a frozen encoder (--encoder FOLDER)",
    extract=encode,
    shape=lambda params: (1, _columns(params)),
    defaults={"encoder": "", "layer": ALL},
    late=("layer",),
    minimum=400,
    fit=fit,
    transform=choose,
    measured=nothing,  # six times as much as the values, and nothing that they do not tell
    folder="encoder",
    network=True,
    identity=lambda params: encoders.identity(_folder(params)),
)
