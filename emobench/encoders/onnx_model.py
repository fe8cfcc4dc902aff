"""An ONNX model as a function: waveform in, the output of every layer out."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import environment
from ..errors import FeatureError, SpecError, ToolError, first_line
from .card import Card

PACKAGE = "onnxruntime"

_CARD = "CUDAExecutionProvider"
_FRUGAL = {"arena_extend_strategy": "kSameAsRequested"}
"""Memory of a card is taken as it is needed, not twice as much each time."""

_FLOAT = "tensor(float)"
_WEIGHTS_APART = b"\n\x08location\x12"
"""How ONNX begins to say in which other file a weight is."""

_QUIET = 3


def accelerator() -> str | None:
    """Return what computes on cards: onnxruntime, where it is built for them; it is not loaded."""
    found = importlib.util.find_spec(PACKAGE)
    folders = (found.submodule_search_locations or ()) if found else ()
    built = any(any(Path(each, "capi").glob("*onnxruntime_providers_cuda*")) for each in folders)
    return PACKAGE if built else None


def open_model(folder: Path, card: Card) -> Callable[[np.ndarray], np.ndarray]:
    """Return what maps waveforms to the output of every layer; see `Encoder.encode`.

    Args:
        folder: that holds the model
        card: which vouches for it

    Raises:
        SpecError: if the model is not the one that the card speaks of
        FeatureError: if it cannot be opened, or does not take a waveform
    """
    path = folder / card.file
    session = _session(path, _content(path, card))
    name = _only_input(path, session)

    def compute(waveforms: np.ndarray) -> np.ndarray:
        return _stacked(session.run(None, {name: waveforms}))

    return compute


def _content(path: Path, card: Card) -> bytes:
    """Return the file of the model; what is computed with is what was vouched for."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise SpecError(f"{path}: changed while it was being read. Run again.")
    if _WEIGHTS_APART in content:
        raise FeatureError(
            f"{path}: expected a model in one file, found one with weights in another, "
            "for which its SHA-256 does not vouch. Export it with its weights inside."
        )
    return content


def _only_input(path: Path, session: Any) -> str:
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != _FLOAT or len(inputs[0].shape) != 2:
        found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise FeatureError(
            f"{path}: expected one input, float32 of shape (batch, samples), found "
            f"{found}. Export it so that it takes the waveform."
        )
    return inputs[0].name


def _session(path: Path, content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread, as everywhere in extraction: --jobs shares out the clips.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    on_card = _CARD in onnxruntime.get_available_providers() and environment.shows_cards()
    providers = [*([(_CARD, _FRUGAL)] if on_card else []), "CPUExecutionProvider"]
    try:
        return onnxruntime.InferenceSession(content, options, providers=providers)
    except Exception as error:  # onnxruntime's own have no common base
        raise ToolError(
            f"{path}: expected an ONNX model that onnxruntime {onnxruntime.__version__} can open, "
            f"found: {first_line(error)}"
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
