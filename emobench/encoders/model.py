"""An encoder as a function: waveform in, the output of every layer out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FeatureError, SpecError
from .card import CARD, Card, digest_of, read_card

_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""Where it is computed: on a card, where onnxruntime can use one."""

_FLOAT = "tensor(float)"
_WEIGHTS_APART = b"\n\x08location\x12"
"""How ONNX begins to say in which other file a weight is."""

_QUIET = 3


class Encoder:
    """A frozen encoder.

    Attributes:
        card: what its folder says of it
    """

    def __init__(self, folder: Path) -> None:
        """Open the model of a folder.

        Args:
            folder: that holds card and model

        Raises:
            SpecError: if the card is wrong, or the model is not the one that it speaks of
            FeatureError: if the model cannot be opened, or does not take a waveform
        """
        self.card: Card = read_card(folder)
        self._path = Path(folder) / self.card.file
        self._session = _session(self._path, self._content(folder))
        self._input = self._only_input()

    def encode(self, waveforms: np.ndarray) -> np.ndarray:
        """Return the output of every layer.

        Args:
            waveforms: float32 of shape `(batch, samples)` at the card's rate; clips of different
                lengths go one by one, since nothing tells a model where padding begins

        Returns:
            float32 of shape `(batch, layers, frames, width)`

        Raises:
            FeatureError: with the bare reason why it gives nothing of this kind
        """
        waveforms = np.ascontiguousarray(waveforms, np.float32)
        try:
            outputs = self._session.run(None, {self._input: waveforms})
        except Exception as error:  # onnxruntime's own have no common base
            raise FeatureError(f"the encoder refuses it: {_first_line(error)}") from error
        values = _stacked(outputs)
        wanted = (len(waveforms), self.card.layers, self.card.width)
        found = (*values.shape[:2], values.shape[3])
        if found != wanted:
            raise FeatureError(
                f"expected {wanted[1]} layers of {wanted[2]} columns, as {CARD} says, for "
                f"{wanted[0]} clips, found {found[1]} of {found[2]} for {found[0]}"
            )
        if not values.shape[2]:
            raise FeatureError("too short for the encoder: it gives no frame")
        return values

    def _content(self, folder: Path) -> bytes:
        """Return the file of the model; what is computed with is what was vouched for."""
        digest_of(folder, self.card)
        content = self._path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.card.sha256:
            raise SpecError(f"{self._path}: changed while it was being read. Run again.")
        if _WEIGHTS_APART in content:
            raise FeatureError(
                f"{self._path}: expected a model in one file, found one with weights in another, "
                "for which its SHA-256 does not vouch. Export it with its weights inside."
            )
        return content

    def _only_input(self) -> str:
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != _FLOAT or len(inputs[0].shape) != 2:
            found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
            raise FeatureError(
                f"{self._path}: expected one input, float32 of shape (batch, samples), found "
                f"{found}. Export it so that it takes the waveform."
            )
        return inputs[0].name


def open_encoder(folder: Path) -> Encoder:
    """Return the encoder of a folder, which a process opens once.

    Raises:
        SpecError: as `Encoder` does
        FeatureError: as `Encoder` does
    """
    card = read_card(folder)
    digest_of(folder, card)
    return _opened(Path(folder), card)


@lru_cache(maxsize=1)
def _opened(folder: Path, card: Card) -> Encoder:
    return Encoder(folder)


def _session(path: Path, content: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise FeatureError(
            f"{path}: expected the package onnxruntime, found that it is not installed. "
            'Run `pip install "emobench[encoders]"`.'
        ) from None
    options = onnxruntime.SessionOptions()
    # One thread, as everywhere in extraction: --jobs shares out the clips.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    there = onnxruntime.get_available_providers()
    try:
        return onnxruntime.InferenceSession(
            content, options, providers=[one for one in _PROVIDERS if one in there]
        )
    except Exception as error:  # onnxruntime's own have no common base
        raise FeatureError(
            f"{path}: expected an ONNX model that onnxruntime {onnxruntime.__version__} can open, "
            f"found: {_first_line(error)}"
        ) from error


def _stacked(outputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return the layers as one array of shape `(batch, layers, frames, width)`."""
    shapes = [np.shape(output) for output in outputs]
    if len(shapes) == 1 and len(shapes[0]) == 4:
        return np.asarray(outputs[0], np.float32)
    if {len(shape) for shape in shapes} == {3} and len(set(shapes)) == 1:
        return np.stack(outputs, axis=1).astype(np.float32, copy=False)
    raise FeatureError(
        "expected an output of shape (batch, frames, width) for each layer, or one of shape "
        f"(batch, layers, frames, width), found {', '.join(map(str, shapes))}"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
