"""A results folder of very many records: how long it takes to read, and to find what is missing.

    python benchmarks/scale.py make FOLDER --records 100000
    python benchmarks/scale.py read FOLDER

`make` files records as a run would, of every model on every registered corpus under conditions of
the sound, with eight folds, three repetitions and a few clips; `read` times what commands do first.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from emobench import conditions, corpora, experiments, leaderboard, metrics, models, protocols
from emobench.experiments import configuration
from emobench.spec import Experiment, Job, Places
from emobench.store import Store, predictions, read_experiments, vouching
from emobench.store.json_files import to_json

FOLDS, REPETITIONS, CLIPS = 8, 3, 12
PROTOCOL = "losgo"


def every_experiment() -> Iterator[tuple[Experiment, tuple[str, ...]]]:
    """Yield experiments that today's version would run, with their labels."""
    registry, protocol = corpora.load_registry(), protocols.get(PROTOCOL)
    heard = (conditions.Condition(), *conditions.expand("mp3:all"))
    everything = itertools.product(dict.fromkeys(heard), registry.names(), models.names())
    for condition, corpus_name, model_name in everything:
        corpus, model = registry.get(corpus_name), models.get(model_name)
        beside = experiments.extras(model, Places(Path(), Path()), condition, "test")
        if condition != conditions.Condition() and not beside:
            continue
        configured = configuration(corpus, model, protocol, extras=beside)
        made = Experiment(
            corpus=corpus.name,
            model=model.name,
            protocol=protocol.name,
            backend=configured["backend"],
            configuration=configured,
            clips="0" * 64,
            n_folds=FOLDS,
            repetitions=protocol.repetitions_of(model),
        )
        yield made, corpus.labels


def predicted(job: Job, labels: tuple[str, ...]) -> pd.DataFrame:
    """Return predictions that are mostly right."""
    draw = np.random.default_rng([job.fold, job.repetition, len(labels)])
    truth = np.arange(CLIPS) % len(labels)
    chances = draw.dirichlet(np.ones(len(labels)), CLIPS).astype(np.float32)
    names = np.asarray(labels, dtype=object)
    return pd.DataFrame(
        {
            "id": [f"speaker{job.fold}-clip{number:03d}" for number in range(CLIPS)],
            "label": names[truth],
            "predicted": names[chances.argmax(axis=1)],
            **{f"p_{label}": chances[:, index] for index, label in enumerate(labels)},
            **dict.fromkeys(("speaker", "group"), f"speaker{job.fold}"),
        }
    )


def make(results: Path, wanted: int) -> None:
    """File records, without waiting for the disk after each."""
    store, filed = Store(results), 0
    known = {}
    for made, labels in every_experiment():
        folder = store.open(made, {"labels": list(labels), "n_clips": FOLDS * CLIPS})
        for number in range(FOLDS * made.repetitions):
            job = Job(number % FOLDS, number // FOLDS + 1)
            if (job, labels) not in known:
                table = predicted(job, labels)
                known[job, labels] = table, metrics.score(table, labels)
            table, scores = known[job, labels]
            content = predictions.to_parquet(table, job, made.fingerprint)
            record = {
                **{"fold": job.fold, "repetition": job.repetition, "rows": CLIPS},
                **{"fingerprint": made.fingerprint, "scores": scores, "seconds": 1.5},
                **{"versions": dict.fromkeys(map(str, range(20)), "1.2.3"), "backend": "x"},
                "sha256": {"predictions": vouching.digest(content)},
            }
            (folder / f"{job.name}.parquet").write_bytes(content)
            (folder / f"{job.name}.json").write_bytes(to_json(record))
        filed += FOLDS * made.repetitions
        if filed >= wanted:
            break
    print(f"{filed} records in {results}")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long something took, with its processes, and the most memory that was held."""
    started, before = time.perf_counter(), os.times()
    yield
    seconds, cpu = time.perf_counter() - started, sum(os.times()[:4]) - sum(before[:4])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"{what:<36}{seconds:8.1f} s, of CPU {cpu:6.1f} s, {peak:6.0f} MiB at most", flush=True)


def read(results: Path) -> None:
    """Time what commands do with a folder of results."""
    with timed("every file read"):
        sizes = [len(path.read_bytes()) for path in sorted(results.rglob("*.*"))]
    print(f"{len(sizes)} files, {sum(sizes) / 2**20:.0f} MiB")
    store, sought = Store(results), 0
    known = [made for made, _ in every_experiment() if store.folder(made).exists()]
    with timed(f"missing, of {len(known)} experiments"):
        for made in known:
            jobs = [Job(fold, turn + 1) for turn in range(REPETITIONS + 1) for fold in range(FOLDS)]
            sought += len(store.missing(made, jobs))
    print(f"{sought} jobs missing")
    registry = corpora.load_registry()
    with timed("leaderboard"):
        boards = leaderboard.build_all(
            results,
            current=lambda stored: experiments.current_fingerprint(stored, registry),
            registry=registry,
        )
        text = leaderboard.render(boards, "json")
    print(f"{len(text)} characters")
    with timed("all predictions"):
        read_experiments(results)


def main() -> None:
    """Make or read a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["make", "read"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=10_000)
    given = parser.parse_args()
    if given.what == "make":
        make(given.folder, given.records)
    else:
        read(given.folder)


if __name__ == "__main__":
    main()
