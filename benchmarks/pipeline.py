"""Which share of a training step the making of its batch takes, on the demo corpus.

python benchmarks/pipeline.py [--model NAME ...]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import on_cpu

on_cpu.start(threads=1)

import numpy as np  # noqa: E402

from emobench import corpora, models  # noqa: E402
from emobench.batches import Batches  # noqa: E402
from emobench.experiments import dataset  # noqa: E402
from emobench.experiments.configuration import takes_encoder  # noqa: E402
from emobench.spec import Places  # noqa: E402
from emobench.training.network import Network  # noqa: E402

ROUNDS = 3


def fastest(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def measure(name: str, places: Places) -> tuple[float, float]:
    """Return the seconds that making the longest batch takes, and those of a step on it."""
    spec = models.get(name)
    data = dataset.load(corpora.load_registry().get("demo"), spec, places)
    positions = np.arange(len(data.table))
    inputs = {key: data.prepare(key, positions) for key in data.inputs}
    network = Network(spec, {key: item.shape for key, item in inputs.items()}, len(data.labels))
    batches = Batches(
        {key: item.source for key, item in inputs.items()},
        positions,
        targets=np.eye(len(data.labels), dtype=np.float32)[data.targets],
        weights=np.ones(len(positions), np.float32),
        batch_size=spec.config.batch_size,
        batching="padded-length",
        outputs=network.trained_outputs,
        seed=0,
    )
    longest = max(range(len(batches)), key=lambda number: batches.current[number].rows)
    batch, targets, weights = batches[longest]

    def train() -> None:
        network.learner.train_on_batch(batch, targets, sample_weight=weights)

    train()  # traces the network
    return fastest(lambda: batches[longest]), fastest(train)


def main() -> None:
    """Print one line a network."""
    networks = [
        name
        for name in models.names()
        if models.get(name).kind == "network" and not takes_encoder(models.get(name))
    ]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="*", default=networks)
    chosen = parser.parse_args().model
    print(f"{'model':22} {'batch ms':>9} {'step ms':>9} {'share':>6}")
    with tempfile.TemporaryDirectory() as folder:
        places = Places(Path(folder) / "results", Path(folder) / "cache", Path(folder) / "data")
        for name in chosen:
            making, step = measure(name, places)
            print(f"{name:22} {1e3 * making:9.1f} {1e3 * step:9.0f} {making / step:6.1%}")


if __name__ == "__main__":
    main()
