"""Which share of a training step the making of its batch takes, on the demo corpus.

python benchmarks/pipeline.py [--model NAME ...]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ[_name] = "1"
os.environ["TF_NUM_INTEROP_THREADS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

from emobench import corpora, models  # noqa: E402
from emobench.batches import Batches  # noqa: E402
from emobench.spec import Places  # noqa: E402
from emobench.training import dataset  # noqa: E402
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
    batches = Batches(
        {key: data.source(key, positions) for key in data.inputs},
        positions,
        targets=np.eye(len(data.labels), dtype=np.float32)[data.targets],
        weights=np.ones(len(positions), np.float32),
        batch_size=spec.config.batch_size,
        batching="sorted",
    )
    shapes = {key: item.shape for key, item in data.inputs.items()}
    model = Network(spec, shapes, len(data.labels)).model
    inputs, targets, weights = batches[0]
    model.train_on_batch(inputs, targets, sample_weight=weights)
    step = fastest(lambda: model.train_on_batch(inputs, targets, sample_weight=weights))
    return fastest(lambda: batches[0]), step


def main() -> None:
    """Print one line a network."""
    networks = [name for name in models.names() if models.get(name).kind == "network"]
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
