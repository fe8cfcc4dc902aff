"""A preset of KerasHub as a function: waveform in, the output of every layer of its encoder out.

Of models that turn speech into text, the part that listens is used; nothing is decoded.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import environment
from ..backend import start_backend
from ..errors import FeatureError, SpecError, ToolError, first_line
from .card import Card

PACKAGE = "keras_hub"

_CONFIG, _CONVERTER = "config.json", "audio_converter.json"
_WEIGHTS, _SHARDS = "model.weights.h5", "model.weights.json"
_OWN = ("keras", "keras_hub")
"""Packages that a preset may name classes of."""

_MOST_BYTES = 2**20
"""Of a file of settings, which has some thousand."""


@dataclass(frozen=True)
class _Kind:
    """How a kind of model is fed, and where its layers are.

    Attributes:
        layers: from the model to the outputs of its layers, the first ones first
        feed: from the model, what its audio converter makes of waveforms and their samples to the
            inputs by name
        frames: from the audio converter and samples to how many frames the sound takes; None where
            the model gives no others
        shortest: seconds that shorter sound is filled up to with silence
    """

    layers: Callable[[Any], Sequence[Any]]
    feed: Callable[[Any, int], Mapping[str, Any]]
    frames: Callable[[Any, int], int | None]
    shortest: float = 0.0


def _of_whisper(model: Any) -> Sequence[Any]:
    """Return the outputs of the convolutions and of each block, the last one normalised."""
    blocks = [layer.output for layer in model.encoder_transformer_layers[:-1]]
    return [model.encoder_embeddings_dropout.output, *blocks, model.encoder_layer_norm.output]


def _of_moonshine(model: Any) -> Sequence[Any]:
    blocks = [layer.output for layer in model.encoder_blocks[:-1]]
    return [model.encoder_dropout.output, *blocks, model.encoder_final_layer_norm.output]


def _feed_moonshine(converted: Any, samples: int) -> Mapping[str, Any]:
    heard = np.ones((len(converted), samples), bool)
    return {"encoder_input_values": converted, "encoder_padding_mask": heard}


_KINDS = {
    "WhisperBackbone": _Kind(
        layers=_of_whisper,
        feed=lambda converted, samples: {"encoder_features": converted},
        # It hears a window of 30 s, filled up with silence: two steps of its spectrogram a frame.
        frames=lambda converter, samples: -(-samples // (2 * converter.stride)),
    ),
    "MoonshineBackbone": _Kind(
        layers=_of_moonshine,
        feed=_feed_moonshine,
        frames=lambda converter, samples: None,
        shortest=0.1,
    ),
}


def files(folder: Path) -> tuple[Path, ...]:
    """Return the files that are computed with, in the order of their names."""
    shards = sorted(folder.glob("model_*.weights.h5")) if (folder / _SHARDS).exists() else []
    weights = [folder / _SHARDS, *shards] if shards else [folder / _WEIGHTS]
    return tuple(sorted([folder / _CONFIG, folder / _CONVERTER, *weights]))


def accelerator() -> str:
    """Return what computes on cards: the backend of Keras, which is not loaded."""
    return environment.keras_backend()


def open_model(folder: Path, card: Card) -> Callable[[np.ndarray], np.ndarray]:
    """Return what maps waveforms to the output of every layer; see `Encoder.encode`.

    Args:
        folder: of the preset
        card: which vouches for it

    Raises:
        FeatureError: if the preset is of another kind of model, or cannot be opened
    """
    kind = _KINDS[_class_of(folder)]
    rate = _settings(folder / _CONVERTER).get("config", {}).get("sampling_rate")
    if rate != card.sampling_rate:
        raise FeatureError(
            f"{folder}: expected the sampling rate of {_CONVERTER}, {rate}, found "
            f"{card.sampling_rate} in its card. Correct the card."
        )
    # As everywhere in extraction: --jobs shares out the clips.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    start_backend()
    import keras
    import keras_hub

    try:
        whole = keras_hub.models.Backbone.from_preset(str(folder), dtype="float32")
        converter = keras_hub.layers.AudioConverter.from_preset(str(folder))
        wanted = kind.feed(np.zeros((1, 1)), 1)
        inputs = {name: whole.input[name] for name in wanted}
        network = keras.Model(inputs, list(kind.layers(whole)))
    except Exception as error:  # of many kinds, whatever is in the files
        raise ToolError(
            f"{folder}: expected a preset that KerasHub {keras_hub.__version__} can open, found: "
            f"{first_line(error)}"
        ) from error
    return _Computing(kind, network, converter)


@dataclass(frozen=True)
class _Computing:
    """A network that gives its layers, with what makes its inputs of waveforms."""

    kind: _Kind
    network: Any
    converter: Any

    def __call__(self, waveforms: np.ndarray) -> np.ndarray:
        """Return float32 of shape `(batch, layers, frames, width)`."""
        from keras import ops

        least = round(self.kind.shortest * self.converter.sampling_rate)
        missing = max(least - waveforms.shape[1], 0)
        filled = np.pad(waveforms, ((0, 0), (0, missing)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a clip is long, at every long clip
            converted = self.converter(filled)
        inputs = self.kind.feed(converted, filled.shape[1])
        given = {name: ops.convert_to_tensor(values) for name, values in inputs.items()}
        outputs = self.network(given, training=False)
        values = np.stack([ops.convert_to_numpy(output) for output in outputs], axis=1)
        kept = self.kind.frames(self.converter, waveforms.shape[1])
        return values[:, :, :kept].astype(np.float32, copy=False)


def _class_of(folder: Path) -> str:
    """Return the kind of model, if it is one whose layers are known, made by KerasHub's own code.

    Raises:
        FeatureError: if it is another, or the settings name classes of other packages
    """
    settings = _settings(folder / _CONFIG)
    named = str(settings.get("class_name"))
    if named not in _KINDS:
        raise FeatureError(
            f"{folder / _CONFIG}: expected one of {', '.join(_KINDS)}, found '{named}', whose "
            "layers are not known here. Export it to ONNX; the documentation has recipes."
        )
    for path in (folder / _CONFIG, folder / _CONVERTER):
        for module in _modules(_settings(path)):
            if module.partition(".")[0] not in _OWN:
                raise FeatureError(
                    f"{path}: expected classes of {' and '.join(_OWN)} alone, found one of "
                    f"'{module}'. Do not use it."
                )
    return named


def _settings(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("more than settings have")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SpecError(
            f"{path}: expected the settings of a preset, found: {reason}. Get the preset again."
        ) from error
    if not isinstance(content, Mapping):
        raise SpecError(f"{path}: expected the settings of a preset, found something else.")
    return content


def _modules(value: Any) -> Iterator[str]:
    """Yield the module of every class that settings name."""
    if isinstance(value, Mapping):
        if "module" in value and value["module"] is not None:
            yield str(value["module"])
        for inside in value.values():
            yield from _modules(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _modules(inside)
