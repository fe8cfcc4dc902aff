"""Measure a training step of each network against the machine's float32 matrix-product rate.

    python benchmarks/steps.py [--model NAME ...] [--threads 1] [--seconds 8] [--clips N]
                               [--clock wall|processor]

Operations of a step are the forward pass, the gradients of every layer's weights, and the
gradients of the inputs of every layer but the first; two a multiply-add; nothing recomputed, no
element-wise work. The rate they are held against is the fastest square matrix product found in the
same process with the same threads, timed between the steps so that both see the same machine. On a
machine that others use too, one thread and `--clock processor` leave their share out of both times.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

CLASSES = 7
SHAPES = {
    "aldeneh2017-logmel40": (320, 40),
    "aldeneh2017-logmel240": (320, 240),
    "aldeneh2017-spec240": (498, 240),
    "latif2019": (80_000, 1),
    "zhang2019": (500, 640),
    "zhao2019": (498, 40),
}
"""Shape of a clip: 3.2 s of log-mel frames, 5 s of everything else."""


def step_operations(model: keras.Model) -> float:
    """Return the operations of a training step for one clip, see the module's docstring.

    Args:
        model: built with every size known, so that output shapes say how often a kernel is used
    """
    trained: set[int] = set()
    total = 0
    for layer in model.layers:
        inputs = _listed(layer.input)
        downstream = any(id(tensor) in trained for tensor in inputs)
        for count, recurrent in multiply_adds(layer):
            total += count * (3 if downstream or recurrent else 2)
        if downstream or layer.trainable_weights:
            trained.update(id(tensor) for tensor in _listed(layer.output))
    return 2.0 * total


def multiply_adds(layer: keras.Layer) -> list[tuple[int, bool]]:
    """Return a layer's multiply-adds forward for one clip, each with whether it is recurrent.

    A recurrent product has a gradient with respect to its input even in a first layer.
    """
    from keras import layers

    if hasattr(layer, "multiply_adds"):
        return [(layer.multiply_adds((1, *layer.input.shape[1:])), False)]
    if isinstance(layer, (layers.Conv1D, layers.Conv2D)):
        return [(math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape), False)]
    if isinstance(layer, layers.Dense):
        return [(math.prod(layer.input.shape[1:-1]) * math.prod(layer.kernel.shape), False)]
    if isinstance(layer, (layers.RNN, layers.Bidirectional)):
        steps = layer.input.shape[1]
        directions = [layer]
        if isinstance(layer, layers.Bidirectional):
            directions = [layer.forward_layer, layer.backward_layer]
        return [
            (steps * math.prod(kernel.shape), recurrent)
            for one in directions
            for kernel, recurrent in (
                (one.cell.kernel, False),
                (one.cell.recurrent_kernel, True),
            )
        ]
    return []


def measure(
    name: str, clips: int | None, seconds: float, clock: Callable[[], float]
) -> dict[str, float]:
    """Time training steps of a network, with matrix products between them.

    Args:
        name: of the model
        clips: clips a batch; None means the paper's batch
        seconds: how long to go on
        clock: what times are read from, in seconds

    Returns:
        clips a batch, clips a second, operations a second, and the matrix-product rate
    """
    import keras
    import numpy as np

    from emobench import models

    spec = models.get(name)
    clips = clips or spec.config.batch_size
    [input_name] = spec.inputs
    shape = SHAPES[name]
    keras.utils.set_random_seed(0)
    operations = step_operations(models.build(name, CLASSES, {input_name: shape}))
    trained_shape = models.shapes(name)  # lengths that vary stay unknown, as in training
    model = models.build(name, CLASSES, trained_shape)
    model.compile(
        keras.optimizers.Adam(spec.config.learning_rate),
        "categorical_crossentropy",
        jit_compile=False,
    )
    random = np.random.default_rng(0)
    batch = {input_name: random.standard_normal((clips, *shape), np.float32)}
    truth = np.eye(CLASSES, dtype=np.float32)[random.integers(0, CLASSES, clips)]
    weights = np.ones(clips, np.float32)

    def step() -> None:
        model.train_on_batch(batch, truth, sample_weight=weights)

    step()
    product_rate, step_seconds, rounds = 0.0, math.inf, 0
    products = matrix_products()
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds or rounds < 3:
        latest = elapsed(step, clock)
        step_seconds = min(step_seconds, latest)
        spent = 0.0
        while spent < latest / 4:  # a rate sampled less often than the step would come out low
            for size, product in products:
                taken = elapsed(product, clock)
                product_rate = max(product_rate, 2.0 * size**3 / taken)
                spent += taken
        rounds += 1
    rate = operations * clips / step_seconds
    return {
        "batch": clips,
        "clips": clips / step_seconds,
        "gigaflops": rate / 1e9,
        "product": product_rate / 1e9,
        "operations": operations / 1e9,
    }


def matrix_products() -> list[tuple[int, Callable[[], Any]]]:
    """Return square matrix products to time, by size, of the network's framework and of NumPy."""
    import numpy as np
    from keras import ops

    products: list[tuple[int, Callable[[], Any]]] = []
    for size in (512, 1024, 2048):
        values = np.random.default_rng(0).standard_normal((size, size), np.float32)
        tensor = ops.convert_to_tensor(values)
        products.append((size, lambda values=values: values @ values))
        products.append((size, lambda tensor=tensor: np.asarray(ops.matmul(tensor, tensor))))
    return products


def elapsed(work: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Return the seconds that a call takes."""
    begin = clock()
    work()
    return clock() - begin


def _listed(tensors: Any) -> list[Any]:
    if isinstance(tensors, dict):
        return list(tensors.values())
    return list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]


def main() -> None:
    """Print one line a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="*", default=list(SHAPES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8.0, help="for each network")
    parser.add_argument("--clips", type=int, help="clips a batch; default: the paper's batch")
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    arguments = parser.parse_args()
    clock = time.perf_counter if arguments.clock == "wall" else time.process_time
    if arguments.clock == "processor" and arguments.threads != 1:
        parser.error("--clock processor: expected --threads 1, as threads' times add up")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ[variable] = str(arguments.threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    print(f"training step, threads: {arguments.threads}")
    print(
        f"{'model':22} {'batch':>5} {'GFLOP/clip':>10} {'clips/s':>8} {'GFLOP/s':>8} "
        f"{'product':>8} {'share':>6}"
    )
    for name in arguments.model:
        found = measure(name, arguments.clips, arguments.seconds, clock)
        print(
            f"{name:22} {found['batch']:5} {found['operations']:10.3f} {found['clips']:8.1f} "
            f"{found['gigaflops']:8.1f} {found['product']:8.1f} "
            f"{found['gigaflops'] / found['product']:6.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
