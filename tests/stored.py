"""Makes records without training anything, for tests of what reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from emobench import metrics, protocols
from emobench.errors import SpecError
from emobench.results.result import Result
from emobench.spec import Experiment, Job, plain
from emobench.store import Store, StoredExperiment

FIRST = Job(0)
LABELS = ("anger", "happiness", "neutral", "sadness")


@dataclass(frozen=True)
class Expected:
    emotions: Mapping[str, int]


@dataclass(frozen=True)
class FakeCorpus:
    name: str
    title: str
    synthetic: bool = False
    expect: Expected | None = None
    aliases: tuple[str, ...] = ()
    parts: tuple[FakeCorpus, ...] = ()


@dataclass(frozen=True)
class FakeRegistry:
    """What a leaderboard asks of the registry, with its corpora given."""

    corpora: tuple[FakeCorpus, ...] = (
        FakeCorpus("crema-d", "CREMA-D"),
        FakeCorpus("emo-db", "EMO-DB", expect=Expected({"anger": 30, "neutral": 30})),
        FakeCorpus("iemocap", "IEMOCAP"),
        FakeCorpus("iemocap:paper-speakers", "IEMOCAP"),
        FakeCorpus("ravdess", "RAVDESS"),
        FakeCorpus("demo", "Demo", synthetic=True),
    )

    def names(self) -> list[str]:
        return [corpus.name for corpus in self.corpora if ":" not in corpus.name]

    def get(self, name: str) -> FakeCorpus:
        for corpus in self.corpora:
            if corpus.name == name:
                return corpus
        raise SpecError(f"no corpus {name}")

    side = get


def experiment(
    corpus: str = "emo-db",
    model: str = "svm-is09",
    protocol: str = "keesing2020",
    *,
    backend: str = "tensorflow",
    n_folds: int = 3,
    repetitions: int = 1,
    clips: str = "clips",
    **configuration: Any,
) -> Experiment:
    configured = {
        "corpus": corpus,
        "model": model,
        "protocol": protocol,
        "epochs_override": None,
        "backend": backend,
        **configuration,
    }
    return Experiment(
        corpus=corpus,
        model=model,
        protocol=protocol,
        backend=backend,
        configuration=configured,
        clips=clips,
        n_folds=n_folds,
        repetitions=repetitions,
    )


def predictions(
    job: Job = FIRST, n_clips: int = 20, skill: float = 0.7, seed: int = 0
) -> pd.DataFrame:
    """Return predictions that are right with the probability `skill`."""
    generator = np.random.default_rng([seed, job.fold or 0, job.repetition])
    truth = np.arange(n_clips) % len(LABELS)
    chances = generator.dirichlet(np.ones(len(LABELS)), n_clips).astype(np.float32)
    winner = np.where(
        generator.random(n_clips) < skill, truth, generator.integers(0, len(LABELS), n_clips)
    )
    chances[np.arange(n_clips), winner] += 1
    chances /= chances.sum(axis=1, keepdims=True)
    names = np.asarray(LABELS, dtype=object)
    return pd.DataFrame(
        {
            "id": [f"speaker{job.fold}-clip{number:03d}" for number in range(n_clips)],
            "label": names[truth],
            "predicted": names[winner],
            **{f"p_{label}": chances[:, index] for index, label in enumerate(LABELS)},
            "speaker": f"speaker{job.fold}",
            "group": f"speaker{job.fold}",
            "sex": [None, "female"] * (n_clips // 2) + [None] * (n_clips % 2),
            "sentence": "a02",
            "fold": job.fold,
            "repetition": job.repetition,
        }
    )


@dataclass
class Filled:
    """A results folder that is filled bit by bit."""

    results: Path
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(self.results)

    def run(
        self, made: Experiment, jobs: list[Job] | None = None, skill: float = 0.7, seed: int = 0
    ) -> Path:
        """File records of some jobs of an experiment, or of all of them."""
        if jobs is None:
            jobs = [
                Job(fold, repetition + 1)
                for repetition in range(made.repetitions)
                for fold in range(made.n_folds)
            ]
        folder = self.store.open(made, {"labels": LABELS, "n_clips": 20 * made.n_folds})
        for job in jobs:
            table = predictions(job, skill=skill, seed=seed)
            self.store.add(made, job, {"scores": metrics.score(table, LABELS)}, table)
        return folder


def result(
    table: pd.DataFrame,
    model: str = "svm-is09",
    *,
    corpus: str = "emo-db",
    protocol: str = "losgo",
    labels: tuple[str, ...] = LABELS,
) -> Result:
    """Return predictions as the complete result of a model, without any file."""
    folds, repetitions = (sorted(set(table[key])) for key in ("fold", "repetition"))
    described = {
        "corpus": corpus,
        "model": model,
        "protocol": protocol,
        "backend": "tensorflow",
        "fingerprint": model,
        "labels": labels,
        "n_folds": 1 + max(folds),
        "repetitions": max(repetitions),
        "configuration": {},
    }
    records = tuple({"fold": one, "repetition": other} for one in folds for other in repetitions)
    stored = StoredExperiment(Path(model), described, records, predictions=table)
    return Result(stored, protocol=protocols.get(protocol))


def in_memory(made: Experiment, seed: int = 0) -> StoredExperiment:
    """Return a complete experiment as it is read, without any file."""
    predicted, scores = _predicted(made.n_folds, made.repetitions, seed % 8)
    records = tuple({**score, "fingerprint": made.fingerprint} for score in scores)
    described = {
        **plain(made),
        "fingerprint": made.fingerprint,
        "configuration_fingerprint": made.configuration_fingerprint,
        "labels": LABELS,
        "n_clips": 20 * made.n_folds,
    }
    folder = Path(made.protocol, made.corpus, made.model, made.fingerprint[:8])
    return StoredExperiment(folder, described, records, predictions=predicted)


@cache
def _predicted(folds: int, repetitions: int, seed: int) -> tuple[pd.DataFrame, list[dict]]:
    """Return the predictions of all jobs of an experiment, and what their records say of them."""
    jobs = [Job(fold, number + 1) for number in range(repetitions) for fold in range(folds)]
    tables = [predictions(job, skill=0.4 + seed / 20, seed=seed) for job in jobs]
    scores = [
        {"fold": job.fold, "repetition": job.repetition, "scores": metrics.score(table, LABELS)}
        for job, table in zip(jobs, tables, strict=True)
    ]
    return pd.concat(tables), scores


def older(path: Path) -> None:
    """Turn a record into one from before records vouched for their predictions."""
    record = json.loads(path.read_text())
    del record["sha256"]
    path.write_text(json.dumps(record))
    source = path.with_suffix(".parquet")
    pq.write_table(pq.read_table(source).replace_schema_metadata(None), source)


def current(stored: Mapping[str, Any]) -> str:
    """Take every configuration for today's."""
    return stored["configuration_fingerprint"]
