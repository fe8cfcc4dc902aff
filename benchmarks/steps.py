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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

CLASSES = 7
FRAMES = 320
"""Length of a clip where the model leaves it open: 3.2 s."""

NETWORKS = (
    "aldeneh2017-logmel40",
    "aldeneh2017-logmel240",
    "aldeneh2017-spec240",
    "latif2019",
    "zhang2019",
    "zhao2019",
)
"""What is measured unless told; `recurrent.py` has the models of the other papers."""


@dataclass(frozen=True)
class Work:
    """Training steps of a network on noise.

    Attributes:
        step: trains on one batch
        clips: in a batch
        operations: of a step for one clip
        first_seconds: what the first step took, which traces the network
    """

    step: Callable[[], Any]
    clips: int
    operations: float
    first_seconds: float


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

    given = [tensor for tensor in _listed(layer.input) if tensor.dtype != "bool"]  # no masks
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


def prepare(name: str, clips: int | None = None) -> Work:
    """Build and compile a network, and train it on a first batch.

    Args:
        name: of the model
        clips: clips a batch; None means the paper's batch
    """
    import keras
    import numpy as np

    from emobench import models
    from emobench.training import losses

    spec = models.get(name)
    clips = clips or spec.config.batch_size
    open_shapes = models.shapes(name)  # lengths that vary stay unknown, as in training
    shapes = {key: (shape[0] or FRAMES, *shape[1:]) for key, shape in open_shapes.items()}
    keras.utils.set_random_seed(0)
    operations = step_operations(models.build(name, CLASSES, shapes))
    model = models.build(name, CLASSES, open_shapes)
    wanted = {key: losses.get(output.loss) for key, output in spec.outputs.items() if output.loss}
    several = len(spec.outputs) > 1
    model.compile(
        keras.optimizers.Adam(spec.config.learning_rate),
        wanted if several else next(iter(wanted.values())),
        loss_weights={key: spec.outputs[key].weight for key in wanted} if several else None,
        jit_compile=False,
    )
    random = np.random.default_rng(0)
    batch = {
        key: random.integers(1, 1000, (clips, *shape)).astype(np.float32)
        if spec.inputs[key].feature == "tokens"
        else random.standard_normal((clips, *shape), np.float32)
        for key, shape in shapes.items()
    }
    truth = np.eye(CLASSES, dtype=np.float32)[random.integers(0, CLASSES, clips)]
    weights = np.ones(clips, np.float32)

    def step() -> None:
        model.train_on_batch(
            batch,
            dict.fromkeys(wanted, truth) if several else truth,
            sample_weight=dict.fromkeys(wanted, weights) if several else weights,
        )

    return Work(step, clips, operations, elapsed(step, time.perf_counter))


def measure(work: Work, seconds: float, clock: Callable[[], float]) -> dict[str, float]:
    """Time training steps of a network, with matrix products between them.

    Args:
        work: the network's steps
        seconds: how long to go on
        clock: what times are read from, in seconds

    Returns:
        clips a batch, clips a second, operations a second, and the matrix-product rate
    """
    product_rate, step_seconds, rounds = 0.0, math.inf, 0
    products = matrix_products()
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds or rounds < 3:
        latest = elapsed(work.step, clock)
        step_seconds = min(step_seconds, latest)
        spent = 0.0
        while spent < latest / 4:  # a rate sampled less often than the step would come out low
            for size, product in products:
                taken = elapsed(product, clock)
                product_rate = max(product_rate, 2.0 * size**3 / taken)
                spent += taken
        rounds += 1
    rate = work.operations * work.clips / step_seconds
    return {
        "batch": work.clips,
        "clips": work.clips / step_seconds,
        "gigaflops": rate / 1e9,
        "product": product_rate / 1e9,
        "operations": work.operations / 1e9,
        "first": work.first_seconds,
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


def parsed(description: str, names: Sequence[str]) -> argparse.Namespace:
    """Return what the command line says, and tell the frameworks how many threads they have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", nargs="*", default=list(names))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8.0, help="for each network")
    parser.add_argument("--clips", type=int, help="clips a batch; default: the paper's batch")
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    arguments = parser.parse_args()
    if arguments.clock == "processor" and arguments.threads != 1:
        parser.error("--clock processor: expected --threads 1, as threads' times add up")
    arguments.clock = time.perf_counter if arguments.clock == "wall" else time.process_time
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ[variable] = str(arguments.threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return arguments


def report(arguments: argparse.Namespace) -> None:
    """Print one line a network."""
    print(f"training step, threads: {arguments.threads}")
    print(
        f"{'model':26} {'batch':>5} {'GFLOP/clip':>10} {'clips/s':>8} {'GFLOP/s':>8} "
        f"{'product':>8} {'share':>6} {'first s':>8}"
    )
    for name in arguments.model:
        found = measure(prepare(name, arguments.clips), arguments.seconds, arguments.clock)
        print(
            f"{name:26} {found['batch']:5} {found['operations']:10.3f} {found['clips']:8.1f} "
            f"{found['gigaflops']:8.1f} {found['product']:8.1f} "
            f"{found['gigaflops'] / found['product']:6.1%} {found['first']:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    report(parsed(__doc__.splitlines()[0], NETWORKS))
