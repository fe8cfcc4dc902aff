"""Noise in the shape of clips, and networks that are built to be trained on it."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from operations import step_operations

from emobench import models
from emobench.spec import ModelSpec
from emobench.training.network import Network

CLASSES = 7

ROWS = {"raw5s": 48_000}
"""Length of a clip where the model leaves it open, by front-end: 3 s of samples, whole buckets."""

FRAMES = 320
"""The same for front-ends of frames: 3.2 s."""

Shapes = Mapping[str, tuple[int, ...]]


def network(name: str) -> tuple[ModelSpec, Network, Shapes, float]:
    """Build a network as it is trained, its open lengths left open.

    Returns:
        the model, the network, the shapes of a clip's inputs, and the operations of a training
        step for one clip
    """
    spec = models.get(name)
    lengths_open = models.shapes(name)
    shapes = {
        key: (shape[0] or ROWS.get(spec.inputs[key].feature, FRAMES), *shape[1:])
        for key, shape in lengths_open.items()
    }
    keras.utils.set_random_seed(0)
    operations = step_operations(models.build(name, CLASSES, shapes))
    return spec, Network(spec, lengths_open, CLASSES), shapes, operations


def clips(spec: ModelSpec, shapes: Shapes, number: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return inputs by name, each of shape `(clips, …)`, and one-hot truth."""
    random = np.random.default_rng(0)
    inputs = {
        key: random.integers(1, 1000, (number, *shape)).astype(np.float32)
        if spec.inputs[key].feature == "tokens"
        else random.standard_normal((number, *shape), np.float32)
        for key, shape in shapes.items()
    }
    return inputs, np.eye(CLASSES, dtype=np.float32)[random.integers(0, CLASSES, number)]
