"""One job from its description to its record, in whatever process it is given to.

A worker lives through many jobs: the data set and the traced network of the last experiment are
kept, and given up when a job of another experiment arrives.
"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import corpora, folds, metrics, models, protocols, weights
from ..errors import EmobenchError
from ..spec import Experiment, Fold, Job, ModelSpec, Places, Protocol
from ..store import Store
from . import dataset
from .dataset import Dataset

Report = Callable[[int, int, float], None]
"""Called with finished epochs, epochs in all, and the training loss."""

PACKAGES = ("emobench", "keras", "tensorflow", "jax", "numpy", "scikit-learn", "opensmile")


@dataclass(frozen=True)
class Settings:
    """How a worker computes; recorded beside every result.

    Attributes:
        threads: threads of one network's arithmetic
        tuning_jobs: grid cells computed at once; changes no number
    """

    threads: int = 1
    tuning_jobs: int = 1


@dataclass(frozen=True)
class Context:
    """What the jobs of one experiment share."""

    experiment: Experiment
    model: ModelSpec
    protocol: Protocol
    data: Dataset
    folds: list[Fold]

    @property
    def epochs(self) -> int:
        """Number of epochs: asked for, else the protocol's, else the model's own."""
        override = self.experiment.configuration["epochs_override"]
        return override or self.protocol.epochs or self.model.config.epochs


_open: dict[str, Context] = {}
_networks: dict[str, Any] = {}


def run(
    experiment: Experiment,
    job: Job,
    places: Places,
    settings: Settings,
    report: Report = lambda done, total, loss: None,
) -> dict[str, Any]:
    """Run one job and file its record.

    Args:
        experiment: what is run
        job: which part of it
        places: where to read and write
        settings: threads
        report: called after every epoch

    Returns:
        the record

    Raises:
        EmobenchError: if the corpus, a feature, training or the disk fails
    """
    context = open_context(experiment, places)
    store = Store(places.results)
    started = time.perf_counter()
    if job.fold is None:
        facts, predictions = _tune_on_evaluation_folds(context, settings), None
    elif context.model.kind == "estimator":
        facts, predictions = _run_estimator(context, job, store, settings)
    else:
        facts, predictions = _run_network(context, job, report)
    record = {
        **_provenance(experiment, settings),
        **facts,
        "fold": job.fold,
        "repetition": job.repetition,
        "seconds": round(time.perf_counter() - started, 3),
        "peak_resident_mib": peak_resident_mib(),
    }
    store.add(experiment, job, record, predictions)
    return record


def open_context(experiment: Experiment, places: Places) -> Context:
    """Return what an experiment's jobs share, reading it once per process."""
    if experiment.fingerprint not in _open:
        registry = corpora.load_registry(places.datasets)
        model = models.get(experiment.model)
        protocol = protocols.get(experiment.protocol)
        data = dataset.load(
            registry.get(experiment.corpus), model, places, skip_bad=experiment.skip_bad
        )
        if data.digest != experiment.clips:
            raise EmobenchError(
                f"{experiment.corpus}: the corpus changed while it was being used. "
                "Run the same command again."
            )
        _open.clear()
        _open[experiment.fingerprint] = Context(
            experiment, model, protocol, data, data.folds(protocol)
        )
    return _open[experiment.fingerprint]


def job_seed(job: Job) -> int:
    """Return the random seed of a job: its own, and the same on every machine."""
    sequence = np.random.SeedSequence([job.repetition, job.fold or 0])
    return int(sequence.generate_state(1)[0])


def _run_network(context: Context, job: Job, report: Report) -> tuple[dict[str, Any], pd.DataFrame]:
    """Train a network on a fold and test it."""
    from ..batches import Batches

    data, model, seed = context.data, context.model, job_seed(job)
    fold = context.folds[job.fold]
    training, test = data.positions(fold.training), data.positions(fold.test)
    network = _network(context)
    network.restart(seed)
    sources = {name: data.source(name, training) for name in data.inputs}
    truth = np.eye(len(data.labels), dtype=np.float32)[data.targets]
    sample_weights = weights.for_fold(list(data.table["label"]), training, context.protocol.weights)
    common = {
        "batch_size": model.config.batch_size,
        "batching": context.protocol.batching,
        "outputs": network.trained_outputs,
    }
    batches = Batches(
        sources,
        training,
        targets=truth[training],
        weights=sample_weights.astype(np.float32),
        seed=seed,
        **common,
    )
    started = time.perf_counter()
    losses = network.fit(
        batches, context.epochs, lambda done, loss: report(done, context.epochs, loss)
    )
    trained = time.perf_counter()
    probabilities = network.predict(Batches(sources, test, **common))
    facts = {
        "seed": seed,
        "epochs": len(losses),
        "loss": [round(loss, 6) for loss in losses],
        "network_parameters": network.model.count_params(),
        "seconds_training": round(trained - started, 3),
        "seconds_prediction": round(time.perf_counter() - trained, 3),
    }
    return _scored(context, fold, job, facts, data.labels, probabilities)


def _network(context: Context) -> Any:
    """Return the traced network of an experiment, building it once per process."""
    from .network import Network

    shapes = {name: source.shape for name, source in context.data.inputs.items()}
    key = repr((context.model.name, context.model.config, shapes, len(context.data.labels)))
    if key not in _networks:
        _networks.clear()
        _networks[key] = Network(context.model, shapes, len(context.data.labels))
    return _networks[key]


def _matrix(context: Context, training: np.ndarray) -> np.ndarray:
    """Return the single input of an estimator, of shape `(clips, columns)`."""
    (name,) = context.data.inputs
    return context.data.matrix(name, training)


def _tune_on_evaluation_folds(context: Context, settings: Settings) -> dict[str, Any]:
    """Search an estimator's parameters on the folds that are later reported, as published."""
    data = context.data
    splits = [(data.positions(fold.training), data.positions(fold.test)) for fold in context.folds]
    found = context.model.build(context.model.config).tune(
        _matrix(context, np.arange(len(data.table))),
        list(data.table["label"]),
        splits,
        weights=context.protocol.weights,
        n_jobs=settings.tuning_jobs,
    )
    return {"parameters": found.parameters, "grid": found.scores, "tuned_on": "evaluation folds"}


def _run_estimator(
    context: Context, job: Job, store: Store, settings: Settings
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Tune where the protocol nests it, fit an estimator on a fold, and test it."""
    data, protocol = context.data, context.protocol
    fold = context.folds[job.fold]
    training, test = data.positions(fold.training), data.positions(fold.test)
    labels = np.asarray(data.table["label"], dtype=object)
    features = _matrix(context, training)
    estimator = context.model.build(context.model.config)
    facts: dict[str, Any] = {"seed": job_seed(job)}
    if protocol.tuning == "none":
        parameters = dict(protocol.fixed_parameters)
    elif protocol.tuning == "evaluation":
        parameters = store.record(context.experiment, Job(None))["parameters"]
    else:
        splits, kind = _inner_splits(context, fold)
        found = estimator.tune(
            features, list(labels), splits, weights=protocol.weights, n_jobs=settings.tuning_jobs
        )
        parameters = found.parameters
        facts |= {"grid": found.scores, "tuned_on": f"training folds, {kind}"}
    fitted = estimator.fit(
        features[training],
        list(labels[training]),
        weights.for_fold(list(labels), training, protocol.weights),
        parameters,
        seed=facts["seed"],
    )
    facts["parameters"] = parameters
    return _scored(context, fold, job, facts, fitted.classes, fitted.predict(features[test]))


def _inner_splits(context: Context, fold: Fold) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Return the splits of a fold's training clips, as positions in the whole table."""
    return folds.inner_splits(fold, context.data.table)


def _scored(
    context: Context,
    fold: Fold,
    job: Job,
    facts: Mapping[str, Any],
    classes: tuple[str, ...],
    probabilities: np.ndarray,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return a job's facts with its scores, and its predictions as a table."""
    data = context.data
    known = data.table.loc[list(fold.test)]
    columns = {label: probabilities[:, classes.index(label)] for label in classes}
    chances = np.stack(
        [columns.get(label, np.zeros(len(known))) for label in data.labels], axis=1
    ).astype(np.float32)
    predictions = pd.DataFrame(
        {
            "id": known.index.astype(str),
            "label": known["label"].to_numpy(),
            "predicted": np.asarray(data.labels, dtype=object)[chances.argmax(axis=1)],
            **{f"p_{label}": chances[:, index] for index, label in enumerate(data.labels)},
            **{name: known[name].to_numpy() for name in ("speaker", "group", "sex", "sentence")},
            "fold": job.fold,
            "repetition": job.repetition,
        }
    )
    scores = metrics.score(predictions, data.labels)
    counts = {"n_training": len(fold.training), "n_test": len(fold.test)}
    return {**facts, **counts, "held_out": list(fold.held_out), "scores": scores}, predictions


def _provenance(experiment: Experiment, settings: Settings) -> dict[str, Any]:
    """Return what a reader needs to know about the machine and the code."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "fingerprint": experiment.fingerprint,
        "backend": experiment.backend,
        "threads": settings.threads,
        "device": _device(experiment),
        "versions": versions,
        "python": platform.python_version(),
        "git_commit": git_commit(),
    }


def _device(experiment: Experiment) -> str:
    """Return what computed: a graphics processor where the backend sees one, else the CPU."""
    if experiment.backend != "scikit-learn":
        import keras

        devices = keras.distribution.list_devices("gpu")
        if devices:
            return str(devices[0])
    return f"cpu {platform.machine()}"


def peak_resident_mib() -> int:
    """Return the most memory that this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (2**20 if sys.platform == "darwin" else 2**10)


def git_commit() -> str | None:
    """Return the commit of the source tree, or None for an installed package."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    found = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None
