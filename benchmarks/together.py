"""Measure networks that are trained alone and several at once, on JAX and a card.

    python benchmarks/together.py [--model NAME ...] [--members 10 30] [--seconds 5]
                                  [--cpu] [--steps 8] [--clips N]

For each network the clips a second of an epoch on noise, as emobench trains it: one member with
Keras' own step, then several in one step, fewer where the card's memory does not hold so many, and
none where folds are not trained together. A network that fails is told of, and the next one
follows. Making the batches is part of a step. The share is that of the fastest matrix products so
far, in float32 as the network computes it: on a card of NVIDIA's with TF32 unless told otherwise.
`operations.py` says what counts. Without a card there is nothing to measure; `--cpu` shows on the
CPU that it runs, with few members and steps.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from products import of_backend, rate

from emobench import environment, executors, models
from emobench.errors import SpecError

if TYPE_CHECKING:
    from emobench.spec import ModelSpec
    from emobench.training.network import Network
    from emobench.training.stacked_batches import Member

NETWORKS = (
    "aldeneh2017-logmel40",
    "aldeneh2017-logmel240",
    "aldeneh2017-spec240",
    "latif2019",
    "zhao2019",
    "zhang2019",
    "wang2020-dslstm",
    "mirsamadi2017-attention-lld",
    "krishna2019-combined-word",
    "yoon2018-are",
)
"""The networks of Keesing et al. (2020), and one of each other paper."""

PROTOCOL = "losgo"
"""Whether folds are trained together is asked for it."""

EPOCHS = 10**6
"""More than there is time for."""


@dataclass(frozen=True)
class Subject:
    """A network and the noise that it is trained on.

    Attributes:
        spec: the model
        network: built
        member: a fresh training with a random seed
        clips: of an epoch
        operations: of a training step for one clip
    """

    spec: ModelSpec
    network: Network
    member: Callable[[int], Member]
    clips: int
    operations: float


@dataclass(frozen=True)
class Measured:
    """How fast members are trained.

    Attributes:
        members: trained at once
        rate: clips of all of them a second
        first_seconds: what the first epoch took, which compiles the step
    """

    members: int
    rate: float
    first_seconds: float


class _EnoughError(Exception):
    """Ends a training that has been timed for long enough."""


def prepare(name: str, steps: int, clips: int | None) -> Subject:
    """Build a network and draw what it is trained on.

    Args:
        name: of the model
        steps: batches an epoch
        clips: clips a batch; None means the paper's batch
    """
    import noise
    import numpy as np

    from emobench.batches import Batches
    from emobench.sources import Source
    from emobench.training.stacked_batches import Member

    spec, network, shapes, operations = noise.network(name)
    size = clips or spec.config.batch_size
    number = steps * size
    inputs, truth = noise.clips(spec, shapes, number)
    sources = {
        key: Source(values.__getitem__, np.full(number, values.shape[1]))
        for key, values in inputs.items()
    }

    def member(seed: int) -> Member:
        batches = Batches(
            sources,
            np.arange(number),
            targets=truth,
            weights=np.ones(number, np.float32),
            batch_size=size,
            batching="padded-length",
            outputs=network.trained_outputs,
            seed=seed,
        )
        return Member(seed, (), batches)

    return Subject(spec, network, member, number, operations)


def alone(subject: Subject, seconds: float) -> Measured:
    """Time a member that is trained by itself, with Keras' own step."""
    member = subject.member(0)
    subject.network.restart(member.seed)
    first, epoch = timed(
        lambda report: subject.network.fit(member.batches, EPOCHS, report), seconds
    )
    return Measured(1, subject.clips / epoch, first)


def at_once(subject: Subject, members: int, seconds: float) -> Measured:
    """Time members that are trained at once, as many of them as memory holds."""
    from emobench import backend
    from emobench.training.together import train

    while True:
        several = [subject.member(seed) for seed in range(members)]
        try:
            first, epoch = timed(
                lambda report, several=several: train(
                    subject.network, subject.spec, several, EPOCHS, report
                ),
                seconds,
            )
        except Exception as error:
            if not backend.wants_memory(error) or members == 1:
                raise
            members //= 2
            continue
        return Measured(members, members * subject.clips / epoch, first)


def timed(
    train: Callable[[Callable[[int, Any], None]], Any], seconds: float
) -> tuple[float, float]:
    """Return the seconds of the first epoch of a training, and of the fastest of the others.

    Args:
        train: trains until it is stopped, and calls what it is given after every epoch
        seconds: how long to go on after the first epoch; two more are timed at least
    """
    ends = [time.perf_counter()]

    def report(done: int, loss: Any) -> None:
        ends.append(time.perf_counter())
        if done > 2 and ends[-1] - ends[1] > seconds:
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        train(report)
    taken = [after - before for before, after in pairwise(ends)]
    return taken[0], min(taken[1:])


class Product:
    """The matrix products that networks are held against: the fastest until now.

    Args:
        card: whether it is a card that computes
        seconds: how long each look takes
    """

    def __init__(self, card: bool, seconds: float) -> None:
        sizes, times = ((4096, 8192), 16) if card else ((512, 1024), 1)
        self._products = [of_backend(size, times) for size in sizes]
        self._seconds = seconds
        self._fastest = 0.0

    def rate(self) -> float:
        """Return operations a second, measured once more."""
        found = rate(self._products, self._seconds, time.perf_counter)
        self._fastest = max(self._fastest, found)
        return self._fastest


def measure(subject: Subject, arguments: argparse.Namespace, product: Product) -> None:
    """Print one line for the network alone, and one for each number of members, as it is known."""
    from emobench import protocols
    from emobench.training.together import obstacle

    product.rate()
    found = by_itself = alone(subject, arguments.seconds)
    show(subject, found, by_itself, product)
    why = obstacle(subject.spec, protocols.get(PROTOCOL))
    if why:
        print(f"{subject.spec.name:27} not trained together: {why}", flush=True)
        return
    for members in arguments.members:
        found = at_once(subject, members, arguments.seconds)
        show(subject, found, by_itself, product)
        if found.members < members:  # memory holds no more
            break


def show(subject: Subject, found: Measured, by_itself: Measured, product: Product) -> None:
    """Print a line."""
    reached, most = found.rate * subject.operations, product.rate()
    print(
        f"{subject.spec.name:27} {found.members:7} {found.rate:9.1f} "
        f"{found.rate / by_itself.rate:6.2f} {reached / 1e9:9.1f} {most / 1e9:9.1f} "
        f"{reached / most:6.1%} {found.first_seconds:8.1f}",
        flush=True,
    )


def measure_all(arguments: argparse.Namespace, product: Product) -> list[str]:
    """Measure one network after another, whatever becomes of each.

    Returns:
        names of those that failed
    """
    failed = []
    for name in arguments.model:
        try:
            measure(prepare(name, arguments.steps, arguments.clips), arguments, product)
        except Exception as error:
            said = str(error).strip().splitlines() or [""]
            print(f"{name:27} failed: {type(error).__name__}: {said[0][:200]}", flush=True)
            failed.append(name)
        gc.collect()  # what it held on the card is the next one's
    return failed


def named(text: str) -> str:
    """Return the name of a network, as a word of the command line."""
    try:
        spec = models.get(text)
    except SpecError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if spec.kind != "network":
        raise argparse.ArgumentTypeError(f"expected a network, found '{text}', an estimator")
    return spec.name


def parsed() -> argparse.Namespace:
    """Return what the command line says, with what it leaves to where the networks are trained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="*", type=named, default=list(NETWORKS))
    parser.add_argument("--members", nargs="*", type=int, help="default: 10 30; on the CPU 3")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each number of members")
    parser.add_argument("--steps", type=int, help="batches an epoch; default: 8; on the CPU 1")
    parser.add_argument("--clips", type=int, help="clips a batch; default: the paper's; CPU 2")
    parser.add_argument("--cpu", action="store_true", help="measure on the CPU")
    arguments = parser.parse_args()
    arguments.members = arguments.members or ([3] if arguments.cpu else [10, 30])
    arguments.steps = arguments.steps or (1 if arguments.cpu else 8)
    arguments.clips = arguments.clips or (2 if arguments.cpu else None)
    return arguments


def main() -> int:
    """Find a card, see of it what a worker sees, and print the lines of every network.

    Returns:
        1 if a network failed
    """
    arguments = parsed()
    devices = executors.find(executors.parse("cpu" if arguments.cpu else "auto"), "jax")
    if not devices.cards and not arguments.cpu:
        print(f"{Path(__file__).name}: no card that JAX can use; --cpu measures on the CPU.")
        return 0
    seat = environment.Seat(devices.cards[0].address) if devices.cards else None
    os.environ.update(environment.of_worker("jax", 1, seat=seat))
    from emobench import backend

    backend.start_backend()
    place = str(devices.cards[0]) if devices.cards else "the CPU"
    print(f"training alone and together on {place}, {backend.precision(bool(devices.cards))}")
    print(
        f"{'model':27} {'members':>7} {'clips/s':>9} {'times':>6} {'GFLOP/s':>9} {'product':>9} "
        f"{'share':>6} {'first s':>8}",
        flush=True,
    )
    return bool(measure_all(arguments, Product(bool(devices.cards), arguments.seconds / 5)))


if __name__ == "__main__":
    sys.exit(main())
