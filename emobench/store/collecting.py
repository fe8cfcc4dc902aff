"""Everything that a results folder holds, in several processes where that is quicker."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import StoreError
from .reading import EXPERIMENT, StoredExperiment, inspect, record_files

WORTH_PROCESSES = 400
"""Experiments from which on several processes save more than their start takes."""

_BATCH = 16
_KEYS = ("protocol", "corpus", "model", "fingerprint", "fold", "repetition")
_CLIP = ("id", "speaker", "label", "predicted")
_OPTIONS = (
    *("backend", "epochs", "condition", "condition_on", "control"),
    *("transcripts", "vectors", "encoder"),
)

_log = logging.getLogger(__name__)


def read_experiments(
    results: Path, *, protocol: str | None = None, columns: Sequence[str] | None = None
) -> list[StoredExperiment]:
    """Read every experiment of a results folder, in the order of their paths.

    Args:
        results: folder that runs wrote to
        protocol: read only this protocol's
        columns: columns of the predictions; None for all

    Returns:
        the experiments; damaged files are named in their `problems` and nothing is raised for them

    Raises:
        StoreError: if there is no such folder
    """
    folders = experiment_folders(results, protocol)
    processes = _processors() if len(folders) >= WORTH_PROCESSES else 1
    if processes == 1:
        return _inspect(folders, columns)
    return list(_in_processes(folders, columns, processes))


def _inspect(folders: Sequence[Path], columns: Sequence[str] | None) -> list[StoredExperiment]:
    return [inspect(folder, columns) for folder in folders]


def _in_processes(
    folders: Sequence[Path], columns: Sequence[str] | None, processes: int
) -> Iterator[StoredExperiment]:
    # These processes import nothing of the calling script, which so needs no guard.
    from joblib.externals.loky import ProcessPoolExecutor

    batches = [folders[start : start + _BATCH] for start in range(0, len(folders), _BATCH)]
    pool, whole = ProcessPoolExecutor(processes), False
    try:
        for read in pool.map(partial(_inspect, columns=columns), batches):
            yield from read
        whole = True
    finally:
        pool.shutdown(wait=True, kill_workers=not whole)


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def experiment_folders(results: Path, protocol: str | None = None) -> list[Path]:
    """Return the folders of experiments, in the order of their paths.

    Args:
        results: folder that runs wrote to
        protocol: only this protocol's

    Raises:
        StoreError: if there is no such folder
    """
    _insist_on(results)
    pattern = f"{protocol or '*'}/*/*/*"
    folders = (path for path in sorted(results.glob(pattern)) if path.is_dir())
    return [folder for folder in folders if _holds_records(folder)]


def stored_protocols(results: Path) -> list[str]:
    """Return the names of the protocols that have records, sorted.

    Raises:
        StoreError: if there is no such folder
    """
    _insist_on(results)
    return sorted(path.name for path in results.iterdir() if any(path.glob("*/*/*/*.json")))


def read_results(results: str | Path) -> pd.DataFrame:
    """Read every prediction of a results folder; damaged files are left out with a log message.

    Args:
        results: folder that runs wrote to

    Returns:
        one row for each clip and repetition, with columns `protocol`, `corpus`, `model`,
        `fingerprint`, `fold`, `repetition`, `id`, `speaker`, `label`, `predicted`; how it was run:
        `backend`, `epochs` (where it was asked for), `condition` ("none" for sound as it is),
        `condition_on` (which clips went through it), `control` ("labels" where they were permuted,
        else "none"), and the SHA-256 of files of `transcripts` and `vectors` and of the model of a
        frozen `encoder` (missing where there were none); and one `p_<label>` for each class
        (missing where a corpus lacks the class)

    Raises:
        StoreError: if there is no such folder
    """
    parts = []
    for stored in read_experiments(Path(results)):
        for problem in stored.problems:
            _log.warning("%s; left out", problem)
        if stored.records and not stored.predictions.empty:
            named = {key: stored.experiment[key] for key in _KEYS[:4]}
            parts.append(stored.predictions.assign(**named, **_options(stored.experiment)))
    if not parts:
        return pd.DataFrame(columns=[*_KEYS, *_CLIP, *_OPTIONS])
    table = pd.concat(parts, ignore_index=True)
    table["epochs"] = table["epochs"].astype("Int64")
    chances = sorted(name for name in table.columns if name.startswith("p_"))
    return table[[*_KEYS, *_CLIP, *_OPTIONS, *chances]]


def _options(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an experiment was run beside its corpus, model and protocol."""
    configured = experiment["configuration"]

    def part(key: str, name: str) -> str | None:
        extra = configured.get(key)
        return str(extra[name]) if isinstance(extra, Mapping) and name in extra else None

    return {
        "backend": experiment["backend"],
        "epochs": configured.get("epochs_override"),
        "condition": part("condition", "name") or "none",
        "condition_on": part("condition", "sides"),
        "control": part("control", "name") or "none",
        "transcripts": part("transcripts", "sha256"),
        "vectors": part("vectors", "sha256"),
        "encoder": part("encoder", "sha256"),
    }


def _insist_on(results: Path) -> None:
    if not results.is_dir():
        raise StoreError(
            f"{results}: expected a folder of results, found none. "
            "Run `emobench run` first, or name another folder with --results."
        )


def _holds_records(folder: Path) -> bool:
    return (folder / EXPERIMENT).exists() or any(record_files(folder))
