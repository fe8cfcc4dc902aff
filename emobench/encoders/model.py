"""An encoder as a function: waveform in, the output of every layer out."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import FeatureError, ToolError, first_line
from . import onnx_model, preset
from .card import CARD, Card, read_card
from .identity import digest_of

_KINDS = {"onnx": onnx_model, "keras-hub": preset}
"""What computes, by what the card says that the folder holds."""

_EXTRAS = {"onnxruntime": "encoders", "keras_hub": "keras-hub"}


def missing_package(folder: Path) -> str | None:
    """Return the extra of emobench that an encoder needs and that is not installed, or None.

    Raises:
        SpecError: if the card is wrong
    """
    package = _KINDS[read_card(folder).format].PACKAGE
    return _EXTRAS[package] if importlib.util.find_spec(package) is None else None


def accelerator(folder: Path) -> str | None:
    """Return what would compute an encoder on a graphics card; None if nothing installed can.

    Raises:
        SpecError: if the card is wrong
    """
    return _KINDS[read_card(folder).format].accelerator()


_OUT_OF_MEMORY = re.compile(r"out of memory|allocat|RESOURCE_EXHAUSTED|bad_alloc", re.IGNORECASE)
"""What onnxruntime and the backends of Keras say where memory ran out."""


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
        folder = Path(folder)
        self.card: Card = read_card(folder)
        digest_of(folder, self.card)
        kind = _KINDS[self.card.format]
        if extra := missing_package(folder):
            raise ToolError(
                f"{folder}: expected the package {kind.PACKAGE}, found that it is not installed. "
                f'Run `pip install "emobench[{extra}]"`.'
            )
        self._compute = kind.open_model(folder, self.card)

    def encode(self, waveforms: np.ndarray) -> np.ndarray:
        """Return the output of every layer.

        Args:
            waveforms: float32 of shape `(batch, samples)` at the card's rate; clips of different
                lengths go one by one, since nothing tells a model where padding begins

        Returns:
            float32 of shape `(batch, layers, frames, width)`

        Raises:
            FeatureError: with the bare reason why it gives nothing of this kind
            ToolError: if memory ran out
        """
        waveforms = np.ascontiguousarray(waveforms, np.float32)
        try:
            values = self._compute(waveforms)
        except FeatureError:
            raise
        except Exception as error:  # onnxruntime's own have no common base
            if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
                raise ToolError(
                    f"{self.card.name}: expected memory for {waveforms.shape[1]:,} samples, found "
                    f"none left: {first_line(error)}. Run again with fewer --jobs or, if it is "
                    "that of a graphics card, once nothing else is on it, or with --device cpu."
                ) from error
            raise FeatureError(f"the encoder refuses it: {first_line(error)}") from error
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
