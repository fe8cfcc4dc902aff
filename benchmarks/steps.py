"""Measure a training step of each network against the machine's float32 matrix-product rate.

    python benchmarks/steps.py [--model NAME ...] [--threads 1] [--seconds 8] [--clips N]
                               [--clock wall|processor]

`operations.py` says what counts. The rate that they are held against is the fastest square matrix
product found in the same process with the same threads, timed between the steps so that both see
the same machine. On a machine that others use too, one thread and `--clock processor` leave their
share out of both times.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import on_cpu
from products import elapsed, of_backend, of_numpy, rate

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
        bare: computes the step's matrix products and nothing else, or None
    """

    step: Callable[[], Any]
    clips: int
    operations: float
    first_seconds: float
    bare: Callable[[], Any] | None = None


def prepare(name: str, clips: int | None = None, *, bare: bool = False) -> Work:
    """Build a network, and train it on a first batch.

    Args:
        name: of the model
        clips: clips a batch; None means the paper's batch
        bare: whether its matrix products alone are wanted as well
    """
    import noise
    import numpy as np

    spec, network, shapes, operations = noise.network(name)
    clips = clips or spec.config.batch_size
    batch, truth = noise.clips(spec, shapes, clips)
    weights = np.ones(clips, np.float32)
    outputs = network.trained_outputs
    several = (dict.fromkeys(outputs, truth), dict.fromkeys(outputs, weights))
    targets, weights = several if outputs else (truth, weights)

    def step() -> None:
        network.learner.train_on_batch(batch, targets, sample_weight=weights)

    alone = _products_of(name, shapes, clips) if bare else None
    return Work(step, clips, operations, elapsed(step, time.perf_counter), alone)


def _products_of(name: str, shapes: Mapping[str, tuple[int, ...]], clips: int) -> Callable[[], Any]:
    """Return what computes the matrix products of a step."""
    import bare_products
    import noise

    from emobench import models

    model = models.build(name, noise.CLASSES, shapes)
    return bare_products.run_of(bare_products.of_model(model, clips))


def measure(work: Work, seconds: float, clock: Callable[[], float]) -> dict[str, float]:
    """Time training steps of a network, with matrix products between them.

    Args:
        work: the network's steps
        seconds: how long to go on
        clock: what times are read from, in seconds

    Returns:
        clips a batch, clips a second, operations a second, the matrix-product rate, and the share
        of the step's time that its products alone take
    """
    product_rate, step_seconds, bare_seconds, rounds = 0.0, math.inf, math.inf, 0
    sizes = (512, 1024, 2048)
    products = [kind(size) for size in sizes for kind in (of_numpy, of_backend)]
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds or rounds < 3:
        latest = elapsed(work.step, clock)
        step_seconds = min(step_seconds, latest)
        if work.bare is not None:
            bare_seconds = min(bare_seconds, elapsed(work.bare, clock))
        # A rate sampled less often than the step would come out low.
        product_rate = max(product_rate, rate(products, latest / 4, clock))
        rounds += 1
    step_rate = work.operations * work.clips / step_seconds
    return {
        "batch": work.clips,
        "clips": work.clips / step_seconds,
        "gigaflops": step_rate / 1e9,
        "product": product_rate / 1e9,
        "operations": work.operations / 1e9,
        "first": work.first_seconds,
        "bare": bare_seconds / step_seconds,
    }


def parsed(description: str) -> argparse.Namespace:
    """Return what the command line says, and tell the libraries what they compute with."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8.0, help="for each network")
    parser.add_argument("--clips", type=int, help="clips a batch; default: the paper's batch")
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    arguments = parser.parse_args()
    if arguments.clock == "processor" and arguments.threads != 1:
        parser.error("--clock processor: expected --threads 1, as threads' times add up")
    arguments.clock = time.perf_counter if arguments.clock == "wall" else time.process_time
    arguments.backend = on_cpu.start(arguments.threads)
    return arguments


def report(arguments: argparse.Namespace, *, bare: bool = False) -> None:
    """Print one line a network.

    Args:
        arguments: what `parsed` returns
        bare: also print which part of a step its matrix products alone take
    """
    print(f"training step, {arguments.backend} on the CPU, threads: {arguments.threads}")
    print(
        f"{'model':27} {'batch':>5} {'GFLOP/clip':>10} {'clips/s':>8} {'GFLOP/s':>8} "
        f"{'product':>8} {'share':>6} {'first s':>8}{' products alone' if bare else ''}"
    )
    for name in arguments.model:
        work = prepare(name, arguments.clips, bare=bare)
        found = measure(work, arguments.seconds, arguments.clock)
        print(
            f"{name:27} {found['batch']:5} {found['operations']:10.3f} {found['clips']:8.1f} "
            f"{found['gigaflops']:8.1f} {found['product']:8.1f} "
            f"{found['gigaflops'] / found['product']:6.1%} {found['first']:8.1f}"
            + (f"{found['bare']:15.0%}" if bare else ""),
            flush=True,
        )


if __name__ == "__main__":
    told = parsed(__doc__.splitlines()[0])
    told.model = told.model or list(NETWORKS)
    report(told)
