"""Time the SVM's grid search against scikit-learn's `GridSearchCV` over `SVC(kernel="rbf")`.

Synthetic data of the size of CREMA-D: 7,441 clips of 384 columns, 6 classes, 91 speakers, six
groups of speakers. Both search the same cells with the same number of workers, and their
predictions are compared clip by clip.

    python benchmarks/grid.py            four of the 42 cells (minutes)
    python benchmarks/grid.py --full     the whole grid (most of an hour)
"""

from __future__ import annotations

import argparse
import time
import warnings
import zlib
from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.svm import SVC

from emobench.metrics import uar
from emobench.models.svm_is09 import Config, SupportVectorMachine
from emobench.weights import balanced

N_CLASSES, N_SPEAKERS, N_COLUMNS, N_FACTORS = 6, 91, 384, 40
N_FOLDS = 6
SUBSET = Config(C=(2.0**-6, 4.0), gamma=(2.0**-12, 2.0**-6))


def synthesise(n_clips: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return correlated features, labels and speakers; about as hard as real emotions are."""
    random = np.random.default_rng(0)
    label = random.integers(0, N_CLASSES, n_clips)
    speaker = random.integers(0, N_SPEAKERS, n_clips)
    factors = random.normal(size=(n_clips, N_FACTORS))
    factors += 0.3 * random.normal(size=(N_CLASSES, N_FACTORS))[label]
    mixing = random.normal(size=(N_FACTORS, N_COLUMNS)) / np.sqrt(N_FACTORS)
    features = factors @ mixing + 0.5 * random.normal(size=(n_clips, N_COLUMNS))
    for name in np.unique(speaker):
        own = features[speaker == name]
        features[speaker == name] = (own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-6)
    return features, np.array(list("abcdef"))[label], speaker


def digest(predicted: Sequence[str]) -> float:
    """Return a number that names these predictions."""
    return float(zlib.crc32("".join(predicted).encode()))


def measure_ours(
    config: Config, data: tuple[np.ndarray, np.ndarray], splits: list, n_jobs: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the seconds, and the UAR and the digest of each cell and fold."""
    score_of: dict[float, float] = {}

    def criterion(truth: Sequence[str], predicted: Sequence[str]) -> float:
        name = digest(predicted)
        score_of[name] = uar(truth, predicted)
        return name

    started = time.perf_counter()
    found = SupportVectorMachine(config).tune(
        *data, splits, weights="corpus", criterion=criterion, n_jobs=n_jobs
    )
    seconds = time.perf_counter() - started
    digests = np.array([cell["splits"] for cell in found.scores])
    return seconds, np.vectorize(score_of.__getitem__)(digests), digests


def measure_plain(
    config: Config, data: tuple[np.ndarray, np.ndarray], splits: list, n_jobs: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the same of a search as anyone would write it."""

    def scores(machine: SVC, features: np.ndarray, truth: np.ndarray) -> dict[str, float]:
        predicted = machine.predict(features)
        return {"uar": uar(truth, predicted), "digest": digest(predicted)}

    axes = {"C": config.C, "gamma": config.gamma}
    machine = SVC(kernel="rbf", break_ties=True)
    search = GridSearchCV(machine, axes, scoring=scores, cv=splits, refit=False, n_jobs=n_jobs)
    started = time.perf_counter()
    with warnings.catch_warnings():
        # Training clips are weighted, scored ones are not: what is meant.
        warnings.filterwarnings("ignore", message=".*does not support sample_weight")
        search.fit(*data, sample_weight=balanced(data[1]))
    seconds = time.perf_counter() - started
    uars, digests = (
        np.stack([search.cv_results_[f"split{fold}_test_{key}"] for fold in range(N_FOLDS)], axis=1)
        for key in ("uar", "digest")
    )
    return seconds, uars, digests


def main() -> None:
    """Run both and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the whole grid")
    parser.add_argument("--clips", type=int, default=7441)
    parser.add_argument("--jobs", type=int, default=2, help="workers of each")
    options = parser.parse_args()
    config = Config() if options.full else SUBSET
    features, labels, speakers = synthesise(options.clips)
    splits = list(GroupKFold(N_FOLDS).split(features, labels, speakers))
    cells = [(cost, gamma) for cost in config.C for gamma in config.gamma]
    work = f"{len(cells)} cells x {N_FOLDS} folds of {options.clips} clips, {options.jobs} workers"
    results = []
    for name, search in (("emobench", measure_ours), ("GridSearchCV", measure_plain)):
        seconds, uars, digests = search(config, (features, labels), splits, options.jobs)
        cost, gamma = cells[int(uars.mean(axis=1).argmax())]
        print(
            f"{name:>12}: {seconds:7.1f} s for {work}; best UAR "
            f"{100 * uars.mean(axis=1).max():.2f} at C={cost:g}, gamma={gamma:g}",
            flush=True,
        )
        results.append((seconds, digests))
    (ours, our_digests), (theirs, their_digests) = results
    agree = our_digests == their_digests
    print(f"{theirs / ours:.1f} times as fast; same predictions in {agree.sum()} of {agree.size}")


if __name__ == "__main__":
    main()
