"""Tiny encoders of random weights, made on the spot, and what they should give."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import yaml

KERNEL, HOP, WIDTH, LAYERS = 200, 160, 6, 3

CARD = {
    "name": "tiny-random",
    "sampling_rate": 16_000,
    "layers": LAYERS,
    "width": WIDTH,
    "licence": "none, it is noise",
    "citation": "made by a test",
    "training_corpora": [],
}


def weights(seed: int = 0) -> list[np.ndarray]:
    """The kernels of the layers: the first strides over samples, the others look at a frame."""
    random = np.random.default_rng(seed)
    shapes = [(WIDTH, 1, KERNEL), *[(WIDTH, WIDTH, 1)] * (LAYERS - 1)]
    return [
        (random.standard_normal(shape) / np.sqrt(shape[1] * shape[2]) * 3).astype(np.float32)
        for shape in shapes
    ]


def reference(samples: np.ndarray, seed: int = 0) -> np.ndarray:
    """The layers of a clip by a plain loop, of shape `(layers, frames, width)`."""
    first, *others = weights(seed)
    starts = range(0, len(samples) - KERNEL + 1, HOP)
    frames = np.stack([samples[start : start + KERNEL] for start in starts]).astype(np.float64)
    layers = [np.tanh(frames @ first[:, 0].T)]
    for kernel in others:
        layers.append(np.tanh(layers[-1] @ kernel[:, :, 0].T))
    return np.stack(layers)


def write_encoder(
    folder: Path,
    *,
    seed: int = 0,
    stacked: bool = False,
    over_batch: bool = False,
    window: int = 0,
    **card: Any,
) -> Path:
    """Write an encoder and its card.

    Args:
        folder: where
        seed: of the weights
        stacked: one output for all layers in place of one for each
        over_batch: subtract the mean of the batch, as no encoder should
        window: frames that every clip is cut to, as no encoder should
        card: keys that differ
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model(seed, stacked, over_batch, window))
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    content = {key: value for key, value in {**CARD, "sha256": digest, **card}.items()}
    kept = {key: value for key, value in content.items() if value is not None}
    (folder / "card.yaml").write_text(yaml.safe_dump(kept))
    return folder


def model(seed: int = 0, stacked: bool = False, over_batch: bool = False, window: int = 0) -> bytes:
    """An ONNX file: convolutions with tanh, the output of each a layer."""
    from onnx import TensorProto, helper, numpy_helper

    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    kept, nodes, outputs = [axis], [], []
    value = "waveform"
    if over_batch:
        nodes.append(helper.make_node("ReduceMean", [value], ["mean"], axes=[0], keepdims=1))
        nodes.append(helper.make_node("Sub", [value, "mean"], ["centred"]))
        value = "centred"
    nodes.append(helper.make_node("Unsqueeze", [value, "axis"], ["channels"]))
    value = "channels"
    for number, kernel in enumerate(weights(seed)):
        kept.append(numpy_helper.from_array(kernel, f"kernel{number}"))
        stride = HOP if number == 0 else 1
        nodes += [
            helper.make_node("Conv", [value, f"kernel{number}"], [f"c{number}"], strides=[stride]),
            helper.make_node("Tanh", [f"c{number}"], [f"t{number}"]),
            helper.make_node("Transpose", [f"t{number}"], [f"whole{number}"], perm=[0, 2, 1]),
        ]
        value = f"t{number}"
        outputs.append(f"whole{number}")
    if window:
        bounds = {"from": [0], "to": [window], "along": [1]}
        kept += [numpy_helper.from_array(np.array(at, np.int64), key) for key, at in bounds.items()]
        cut = [f"cut{number}" for number in range(LAYERS)]
        for whole, part in zip(outputs, cut, strict=True):
            nodes.append(helper.make_node("Slice", [whole, *bounds], [part]))
        outputs = cut
    shape: tuple[Any, ...] = ("batch", "frames", WIDTH)
    if stacked:
        parts = [f"{name}-layer" for name in outputs]
        for name, part in zip(outputs, parts, strict=True):
            nodes.append(helper.make_node("Unsqueeze", [name, "axis"], [part]))
        nodes.append(helper.make_node("Concat", parts, ["layers"], axis=1))
        outputs, shape = ["layers"], ("batch", LAYERS, "frames", WIDTH)
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", "samples"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs],
        kept,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()
