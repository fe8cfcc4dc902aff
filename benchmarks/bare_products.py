"""The matrix products of a training step and nothing else: the least that its arithmetic takes.

They have the shapes and the order that they have in the step, forward and for the gradients of
kernels and inputs; those of a recurrence are in a loop of as many steps. No value is computed from
another in between, so that what is left of the step's time is element-wise work and the loops'
keeping of values. Poolings have no kernel and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from operations import listed, multiply_adds

from emobench.models.layers.lstm_loop import WIDE

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Products:
    """A kernel's products in a step.

    Attributes:
        rows: of the inputs that are multiplied at once
        columns: of these inputs
        outputs: of the kernel
        steps: of the loop that they are in, or 1
        directions: kernels of this shape that are used beside each other
        carried: columns whose gradient is computed in the loop too
        backwards: whether the inputs have a gradient
    """

    rows: int
    columns: int
    outputs: int
    steps: int = 1
    directions: int = 1
    carried: int = 0
    backwards: bool = True

    @property
    def operations(self) -> float:
        """Two a multiply-add, of all products."""
        given = self.columns - self.carried
        used = 2 * self.columns + self.carried + given * self.backwards
        return 2.0 * self.rows * self.steps * self.directions * self.outputs * used


def of_model(model: keras.Model, clips: int) -> list[Products]:
    """Return the products of a training step.

    Args:
        model: built with every size known
        clips: in the batch
    """
    trained: set[int] = set()
    found: list[Products] = []
    for layer in model.layers:
        downstream = any(id(tensor) in trained for tensor in listed(layer.input))
        found += _of_layer(layer, clips, downstream)
        if downstream or layer.trainable_weights:
            trained.update(id(tensor) for tensor in listed(layer.output))
    return found


def _of_layer(layer: keras.Layer, clips: int, downstream: bool) -> Iterator[Products]:
    counts = multiply_adds(layer)
    if isinstance(layer, (layers.RNN, layers.Bidirectional)):
        yield from _recurrent(layer, clips, downstream)
    elif len(counts) == 2:  # inputs are projected ahead, the recurrence is a loop
        shapes = [tensor.shape for tensor in listed(layer.input)]
        steps, columns = shapes[0][1], sum(shape[2] for shape in shapes)
        outputs = round(counts[0][0] / steps / columns)
        yield Products(clips * steps, columns, outputs, backwards=downstream)
        units = layer.units
        outputs = round(counts[1][0] / steps / units)
        yield Products(clips, units, outputs, steps, carried=units)
    else:
        kernels = [weight.shape for weight in layer.weights if len(weight.shape) > 1]
        if counts and kernels:
            *inner, outputs = max(kernels, key=math.prod)
            columns = math.prod(inner)
            places = round(counts[0][0] / columns / outputs)
            yield Products(clips * places, columns, outputs, backwards=downstream)


def _recurrent(layer: keras.Layer, clips: int, downstream: bool) -> Iterator[Products]:
    """Yield the products of a recurrence: of inputs and state in one, or one after the other."""
    both = isinstance(layer, layers.Bidirectional)
    cell, directions = (layer.forward_layer.cell, 2) if both else (layer.cell, 1)
    steps, columns = listed(layer.input)[0].shape[1:]
    units = cell.units
    # A classic GRU has two, one after the other, that count as one.
    outputs = sum(weight.shape[-1] for weight in cell.weights if "recurrent" in weight.name)
    common = {"directions": directions}
    if hasattr(cell, "project") or columns > WIDE * units:
        yield Products(clips * steps, columns, outputs, backwards=downstream, **common)
        yield Products(clips, units, outputs, steps, carried=units, **common)
    else:
        joined = {"carried": units, "backwards": downstream}
        yield Products(clips, columns + units, outputs, steps, **joined, **common)


class _Bare(layers.Layer):
    """Computes products on values of no meaning."""

    def __init__(self, products: list[Products]) -> None:
        super().__init__()
        # As weights: the products of constants would be computed once, ahead.
        self._all = [
            (each, self._values(each, each.columns), self._values(each, each.outputs),
             self._kernel(each)) for each in products
        ]  # fmt: skip

    def _values(self, each: Products, columns: int) -> Any:
        return self._drawn((each.steps, each.directions, each.rows, columns))

    def _kernel(self, each: Products) -> Any:
        return self._drawn((each.directions, each.columns, each.outputs))

    def _drawn(self, shape: Shape) -> Any:
        values = np.random.default_rng(0).standard_normal(shape, np.float32)
        return self.add_weight(
            shape=shape, initializer=lambda *_, **__: ops.convert_to_tensor(values), trainable=False
        )

    def call(self, inputs: Any) -> Any:
        forward = [_in_turn(each.steps, inputs, kernel) for each, inputs, _, kernel in self._all]
        gradients = [one for every in reversed(self._all) for one in _back(*every)]
        # A value of each, as what nobody asks for is not computed.
        taken = [ops.ravel(each)[0] for each in (*forward, *gradients)]
        return ops.reshape(ops.stack(taken), (1, -1))


def _in_turn(steps: int, factors: Any, kernel: Any) -> Any:
    """Return the last of the products of each step's factors with a kernel."""
    factors, kernel = ops.convert_to_tensor(factors), ops.convert_to_tensor(kernel)
    if steps == 1:
        return ops.matmul(factors[0], kernel)
    start = ops.zeros((*factors.shape[1:-1], kernel.shape[-1]))
    return ops.fori_loop(0, steps, lambda at, _: ops.matmul(factors[at], kernel), start)


def _back(each: Products, inputs: Any, upstream: Any, kernel: Any) -> Iterator[Any]:
    """Yield the gradients of carried columns step by step, then those of kernel and inputs."""
    kernel, given = ops.convert_to_tensor(kernel), each.columns - each.carried
    turned = ops.transpose(kernel, (0, 2, 1))
    if each.carried:
        yield _in_turn(each.steps, upstream, turned[:, :, given:])
    for at in range(each.directions):
        seen = ops.reshape(inputs[:, at], (-1, each.columns))
        came = ops.reshape(upstream[:, at], (-1, each.outputs))
        yield ops.matmul(ops.transpose(seen), came)
        if each.backwards and given:
            yield ops.matmul(came, turned[at, :, :given])


def run_of(products: list[Products]) -> Callable[[], Any]:
    """Return what computes the products once, traced already."""
    start = keras.Input((1,), batch_size=1)
    model = keras.Model(start, _Bare(products)(start))
    model.jit_compile = keras.backend.backend() != "tensorflow"
    nothing = np.zeros((1, 1), np.float32)
    model.predict_on_batch(nothing)
    return lambda: model.predict_on_batch(nothing)
