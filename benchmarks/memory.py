"""Memory of a worker over fifty jobs: a network is trained, its epoch is chosen, clips are read.

Prints the resident memory after some of them and how far the last is above the fifth.

    python benchmarks/memory.py [--jobs 50]
"""

from __future__ import annotations

import argparse
import gc
import os

import on_cpu

on_cpu.start(threads=os.cpu_count() or 1)

import numpy as np  # noqa: E402
import psutil  # noqa: E402

from emobench import models  # noqa: E402
from emobench.backend import start_backend  # noqa: E402
from emobench.batches import Batches  # noqa: E402
from emobench.sources import Source  # noqa: E402

CLIPS, COLUMNS, CLASSES = 535, 180, 7


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=50)
    jobs = parser.parse_args().jobs
    start_backend()
    from emobench.training.best_epoch import BestEpoch
    from emobench.training.network import Network

    network = Network(models.get("librosa-mlp"), {"means": (1, COLUMNS)}, CLASSES)
    truth = np.eye(CLASSES, dtype=np.float32)[np.arange(CLIPS) % CLASSES]
    sizes = []
    for job in range(jobs):
        draw = np.random.default_rng(job)
        rows = draw.normal(size=(CLIPS, 1, COLUMNS)).astype(np.float32)
        feed = {"means": Source(rows.__getitem__, np.ones(CLIPS, int), rows=rows)}
        training, watched = np.arange(60, CLIPS), np.arange(60)
        common = {"batch_size": 1024, "batching": "padded-length"}
        network.restart(job)
        batches, dev = (
            Batches(
                feed,
                part,
                targets=truth[part],
                weights=np.ones(len(part), np.float32),
                seed=seed,
                **common,
            )
            for part, seed in ((training, job), (watched, None))
        )
        best = BestEpoch(lambda dev=dev: -network.loss(dev), patience=10)
        network.fit(batches, 30, lambda done, loss: None, best)
        network.predict(Batches(feed, watched, **common))
        gc.collect()
        sizes.append(psutil.Process().memory_info().rss / 2**20)
        if job + 1 in (1, 5, 10, 25, jobs):
            print(f"after job {job + 1}: {sizes[-1]:.0f} MiB", flush=True)
    print(f"last over fifth: {sizes[-1] / sizes[4] - 1:+.1%}")


if __name__ == "__main__":
    main()
