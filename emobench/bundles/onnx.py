"""A bundle's network as an ONNX file: from standardised inputs to probabilities.

tf2onnx converts TensorFlow's graph. It knows loops that carry tensors and write one row a step, and
not those that `keras.ops.scan` makes, which carry everything in arrays; so while a network is
traced for it, our layers have their loops made in the form that it knows. They compute the same.

Clips must be filled up with zeros to a multiple of what `bundle.json` calls `rows_multiple`, as
they are here. Other lengths a network pads itself, for which it divides negative numbers, and what
tf2onnx makes of that rounds towards zero and not down: latif2019 would lose its last frame.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import models
from ..errors import BundleError, EmobenchError, SpecError
from ..storage import unfinished
from . import folder as folders
from .contents import Contents
from .model import load_model

TOLERANCE = 1e-4
"""Largest difference of probabilities between Keras and the converted network."""

OUTPUT = "probabilities"
OPSET = 17
PACKAGES = ("tensorflow", "tf2onnx", "onnx", "onnxruntime")


def insist_on_converter() -> None:
    """Check that networks can be converted here.

    Raises:
        SpecError: if a package that it takes is not installed
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise SpecError(
            f"--onnx: expected the packages {', '.join(PACKAGES)}, found no "
            f"{' and no '.join(missing)}. Run `pip install emobench[onnx]`."
        )


def convert(folder: Path, encoder: Path | None = None) -> Path:
    """Add the network of a bundle to it as an ONNX file, and compare what both predict.

    Args:
        folder: of the bundle
        encoder: folder of the frozen encoder that the network is fed from, where there is one

    Returns:
        the file. Its inputs have the names of the bundle's, with any number of clips and, where the
        bundle leaves that open, of rows; its output is `probabilities`

    Raises:
        BundleError: if it cannot be converted, or predicts something else
    """
    model = load_model(folder, encoder=encoder)
    network, output = model.predictor.model, model.predictor.output
    with unfinished(folder) as place:
        file = place / folders.ONNX
        try:
            _write(network, output, model.contents, file)
        except Exception as error:  # of many kinds, none of which a user can mend
            raise BundleError(
                f"{folder}: tf2onnx does not know all that {model.contents.model} computes "
                f"({type(error).__name__}: {str(error).splitlines()[0]})."
            ) from error
        _insist_on_the_same(network, output, model.contents, file)
        folders.add(folder, file)
    return folder / folders.ONNX


def _write(network: Any, output: str, contents: Contents, file: Path) -> None:
    import tensorflow as tf
    import tf2onnx

    from ..models.layers import loops_made_by

    names = list(contents.inputs)
    signature = [
        tf.TensorSpec((None, *item.shape), tf.float32, name=name)
        for name, item in contents.inputs.items()
    ]

    def predict(*inputs: Any) -> dict[str, Any]:
        found = network(dict(zip(names, inputs, strict=True)), training=False)
        return {OUTPUT: found[output] if isinstance(found, dict) else found}

    with loops_made_by(_loop):
        tf2onnx.convert.from_function(
            tf.function(predict), input_signature=signature, opset=OPSET, output_path=str(file)
        )


def _loop(
    step: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, reverse: bool
) -> tuple[Any, Any]:
    """Do what `keras.ops.scan` does; what a step gives has the structure of what it carries."""
    import tensorflow as tf
    from keras import tree

    sequences = [tf.convert_to_tensor(each) for each in tree.flatten(xs)]
    start = [tf.convert_to_tensor(each) for each in tree.flatten(init)]
    steps = tf.shape(sequences[0])[0]
    read = [
        tf.TensorArray(each.dtype, size=steps, element_shape=each.shape[1:]).unstack(each)
        for each in sequences
    ]
    written = [tf.TensorArray(each.dtype, size=steps, element_shape=each.shape) for each in start]

    def body(count: Any, carried: Any, arrays: Any) -> tuple[Any, Any, Any]:
        at = steps - 1 - count if reverse else count
        here = tree.pack_sequence_as(xs, [each.read(at) for each in read])
        carry, given = step(tree.pack_sequence_as(init, carried), here)
        rows = zip(arrays, tree.flatten(given), strict=True)
        return count + 1, tree.flatten(carry), [array.write(at, row) for array, row in rows]

    _, carried, arrays = tf.while_loop(
        lambda count, carried, arrays: count < steps, body, (0, start, written)
    )
    stacked = [array.stack() for array in arrays]
    return tree.pack_sequence_as(init, carried), tree.pack_sequence_as(init, stacked)


def _insist_on_the_same(network: Any, output: str, contents: Contents, file: Path) -> None:
    """Compare the two networks on inputs of several sizes.

    Raises:
        BundleError: if they differ
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    for clips, rows in ((1, 640), (3, 1280)):
        inputs = {
            name: _like(item.shape, clips, _rows(contents, name, rows), random)
            for name, item in contents.inputs.items()
        }
        known = network.predict_on_batch(inputs)
        known = known[output] if isinstance(known, dict) else known
        (found,) = session.run([OUTPUT], inputs)
        largest = float(np.abs(found - known).max())
        if not largest <= TOLERANCE:
            raise BundleError(
                f"{file.name}: expected probabilities as Keras computes them, found some that "
                f"differ by up to {largest:.2g}. The bundle holds no ONNX file; use it as it is."
            )


def _rows(contents: Contents, name: str, wanted: int) -> int:
    """Return about so many rows, enough for an input and a multiple as it is fed with."""
    multiple = contents.inputs[name].front_end.bucket_multiple
    least = max(wanted, 2 * (models.smallest(contents.model)[name][0] or 1))
    return -(-least // multiple) * multiple


def _like(
    shape: tuple[int | None, ...], clips: int, rows: int, random: np.random.Generator
) -> np.ndarray:
    """Return numbers such as a network is fed with; the first clip is padded to half its length."""
    sizes = [clips, *(rows if size is None else size for size in shape)]
    values = random.standard_normal(sizes) if len(shape) > 1 else random.integers(0, 3, sizes)
    if shape[0] is None:
        values[0, rows // 2 :] = 0
    return values.astype(np.float32)


def main() -> None:
    """Convert the network of the bundle that is named as a word, its encoder as a second."""
    import logging

    logging.disable(logging.WARNING)
    try:
        convert(*map(Path, sys.argv[1:]))
    except EmobenchError as error:
        sys.exit(str(error))
