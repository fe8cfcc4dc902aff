"""Answers of the trainers on JAX: of one network at a time, and of several at once.

Two small networks go through both, a convolutional one and a masked recurrent one. All of it is
measured in one process of its own, as a process has one backend: `python -m tests.golden.on_jax`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from emobench import models
from emobench.spec import ModelSpec
from emobench.versions import VERSIONS

from .entries import Entry
from .networks import CLASSES, SEED, TRAINER, batches_of, learnt, noise, shapes_of, variables_of

SMALL = {
    "aldeneh2017-logmel40": {"filters": 6, "units": 8, "learning_rate": 1e-3},
    "mirsamadi2017-mean-lld": {"lstm_units": 5},
}

TRAINERS = {"training": TRAINER, "training together": (*TRAINER, "training together")}
"""Parts of either trainer, see `versions`."""


def measures() -> Iterator[tuple[str, Any]]:
    """Yield the name of each trainer and network, and what measures it."""
    for name in SMALL:
        for trainer, parts in TRAINERS.items():
            versions = {"model": models.get(name).version, **{one: VERSIONS[one] for one in parts}}
            yield (
                f"{trainer} on JAX, {name}",
                lambda name=name, trainer=trainer, versions=versions: Entry(
                    versions, _told()[name][trainer]
                ),
            )


@cache
def _told() -> dict[str, dict[str, Any]]:
    """Return the answers of the process, by network and trainer."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.golden.on_jax"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=Path(__file__).parent.parent.parent,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def answer(spec: ModelSpec) -> dict[str, dict[str, Any]]:
    """Return how a network learns in an optimizer step, by trainer.

    Args:
        spec: the network
    """
    from emobench.training.network import Network
    from emobench.training.stacked_batches import Member
    from emobench.training.together import train

    inputs = noise(spec)
    network = Network(spec, shapes_of(spec), CLASSES)
    batches = batches_of(spec, network, inputs, learn=True)
    network.restart(SEED)
    before = variables_of(network)
    losses = network.fit(batches, 1, lambda done, loss: None)
    alone = learnt(spec, network, inputs, before, losses)
    # Another is trained beside it, so that whose numbers are whose is asked as well.
    members = [Member(seed, (), batches) for seed in (SEED + 1, SEED)]
    _, found = train(network, spec, members, 1, lambda *_: None)
    network.take(found.variables, found.loss)
    together = learnt(spec, network, inputs, before, found.loss)
    return {"training": alone, "training together": together}


if __name__ == "__main__":
    specs = {name: models.get(name) for name in SMALL}
    small = {
        name: replace(spec, config=replace(spec.config, **SMALL[name]))
        for name, spec in specs.items()
    }
    print(json.dumps({name: answer(spec) for name, spec in small.items()}))
