"""How many operations a training step of a network takes.

They are those of the forward pass, of the gradients of every layer's weights, and of the gradients
of the inputs of every layer but the first; two a multiply-add; nothing recomputed, no element-wise
work.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def step_operations(model: keras.Model) -> float:
    """Return the operations of a training step for one clip, see the module's docstring.

    Args:
        model: built with every size known, so that output shapes say how often a kernel is used
    """
    trained: set[int] = set()
    total = 0
    for layer in model.layers:
        inputs = listed(layer.input)
        downstream = any(id(tensor) in trained for tensor in inputs)
        for count, recurrent in multiply_adds(layer):
            total += count * (3 if downstream or recurrent else 2)
        if downstream or layer.trainable_weights:
            trained.update(id(tensor) for tensor in listed(layer.output))
    return 2.0 * total


def multiply_adds(layer: keras.Layer) -> list[tuple[int, bool]]:
    """Return a layer's multiply-adds forward for one clip, each with whether it is recurrent.

    A recurrent product has a gradient with respect to its input even in a first layer.
    """
    from keras import layers

    given = [tensor for tensor in listed(layer.input) if tensor.dtype != "bool"]  # no masks
    shapes = [(1, *tensor.shape[1:]) for tensor in given]
    if hasattr(layer, "multiply_adds"):
        found = layer.multiply_adds(*shapes)
        return [(found, False)] if isinstance(found, int) else [(found[0], False), (found[1], True)]
    if isinstance(layer, (layers.Conv1D, layers.Conv2D)):
        return [(math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape), False)]
    if isinstance(layer, layers.Dense):
        return [(math.prod(shapes[0][1:-1]) * math.prod(layer.kernel.shape), False)]
    if isinstance(layer, (layers.RNN, layers.Bidirectional)):
        steps = shapes[0][1]
        directions = [layer]
        if isinstance(layer, layers.Bidirectional):
            directions = [layer.forward_layer, layer.backward_layer]
        return [
            (steps * math.prod(weight.shape), "recurrent" in weight.name)
            for one in directions
            for weight in one.cell.weights
            if "kernel" in weight.name or "recurrent" in weight.name
        ]
    return []


def listed(tensors: Any) -> list[Any]:
    """Return the tensors that a layer takes or gives, whether one, several or by name."""
    if isinstance(tensors, dict):
        return list(tensors.values())
    return list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
