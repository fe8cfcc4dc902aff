"""What a network attends to: the weight that its pooling gives each row of a clip."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from ..batches import Batches


def attention(
    model: keras.Model, layer: str, batches: Batches, lengths: np.ndarray
) -> list[np.ndarray]:
    """Return the attention weights of clips.

    Args:
        model: trained network of one input
        layer: name of its attention pooling
        batches: the clips, in any order
        lengths: rows of each clip of `batches.positions`, of shape `(clips,)`

    Returns:
        weights of shape `(rows,)` of each clip, in the order of the positions
    """
    pooling = model.get_layer(layer)
    states, mask = _inputs_of(model, pooling)
    weights: list[np.ndarray] = [np.empty(0)] * len(lengths)
    for batch in batches.current:
        inputs = batches.inputs(batch)
        found = pooling.attention(states(inputs), None if mask is None else mask(inputs))
        rows = keras.ops.convert_to_numpy(found)[..., 0]
        for clip, row in zip(batch.members[batch.counted], rows[batch.counted], strict=True):
            weights[clip] = row[: lengths[clip]]
    return weights


def _inputs_of(
    model: keras.Model, layer: keras.layers.Layer
) -> tuple[keras.Model, keras.Model | None]:
    """Return networks up to what a layer pools and up to the mask that it pools with."""
    (node,) = layer._inbound_nodes
    states = keras.Model(model.input, node.arguments.args[0])
    mask: Mapping = node.arguments.kwargs
    given = mask.get("mask")
    return states, None if given is None else keras.Model(model.input, given)
