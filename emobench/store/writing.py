"""Writing records: predictions first, the record last, each under a temporary name until whole."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import StoreError
from ..spec import Experiment, Job, plain
from ..storage import is_empty, locked
from .attention import NAME as ATTENTION
from .attention import path_of
from .attention import to_parquet as to_attention
from .describing import place, vouched
from .filing import file_whole, make_folder, remove, tidy
from .json_files import from_json, to_json
from .predictions import to_parquet
from .reading import EXPERIMENT, FAILURE, StoredExperiment, inspect, is_sound
from .vouching import KEY, digest

_log = logging.getLogger(__name__)

_ATTEMPTS = 5


@dataclass(frozen=True)
class Store:
    """A folder of results; any number of processes may write to it at once.

    Attributes:
        results: the folder; it is made when something is first written
    """

    results: Path

    def folder(self, experiment: Experiment) -> Path:
        """Return where an experiment is filed; `corpus:variant` becomes `corpus+variant`."""
        folders = place(experiment.protocol, experiment.corpus, experiment.model)
        return self.results.joinpath(*folders, experiment.fingerprint[:8])

    def open(self, experiment: Experiment, extra: Mapping[str, Any] | None = None) -> Path:
        """Make an experiment's folder and describe it there.

        Args:
            experiment: what is about to be run
            extra: further facts for `experiment.json`: labels, number of clips, version

        Returns:
            the folder

        Raises:
            StoreError: if it cannot be written, or holds another experiment
        """
        folder = self.folder(experiment)
        make_folder(folder)
        own = {
            **plain(experiment),
            "fingerprint": experiment.fingerprint,
            "configuration_fingerprint": experiment.configuration_fingerprint,
        }
        with locked(folder):
            tidy(folder)
            found = _read(folder / EXPERIMENT)
            other = found.get("fingerprint", experiment.fingerprint)
            if isinstance(other, str) and other != experiment.fingerprint:
                raise StoreError(
                    f"{folder}: expected results of {experiment.fingerprint[:12]}…, found those "
                    f"of {other[:12]}…. Move that folder away, or name "
                    "another one with --results."
                )
            # What a first run wrote (its version of emobench, say) is not touched by a second.
            known = (
                is_sound(folder) and own.items() <= found.items() and set(extra or ()) <= set(found)
            )
            if not known:
                file_whole((folder / EXPERIMENT, to_json(vouched({**(extra or {}), **own}))))
        return folder

    def done(self, experiment: Experiment, jobs: Iterable[Job] | None = None) -> set[Job]:
        """Return the jobs whose records and predictions are there, whole.

        Args:
            experiment: whose
            jobs: which to look for; None for all
        """
        return self._inspect(experiment, jobs).jobs

    def missing(self, experiment: Experiment, jobs: Iterable[Job]) -> list[Job]:
        """Return the jobs still to be run, in the order given.

        A job that failed, or whose files are damaged, is missing; damage is logged as a warning,
        once by a process.
        """
        stored = self._inspect(experiment)
        for problem in stored.problems:
            _warn(str(problem))
        return [job for job in jobs if job not in stored.jobs]

    def record(self, experiment: Experiment, job: Job) -> dict[str, Any]:
        """Return the record of a job.

        Raises:
            StoreError: if there is none that can be read
        """
        path = self.folder(experiment) / f"{job.name}.json"
        record = _read(path)
        if record.get("fingerprint") != experiment.fingerprint:
            raise StoreError(
                f"{path}: expected the record of a finished job, found "
                f"{'a damaged one' if path.exists() else 'none'}. Run the same command again."
            )
        return record

    def add(
        self,
        experiment: Experiment,
        job: Job,
        record: Mapping[str, Any],
        predictions: pd.DataFrame | None,
        attention: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """File a finished job.

        Args:
            experiment: what it belongs to
            job: which part of it
            record: scores, parameters, times, provenance; NaN is stored as null
            predictions: one row a clip (`id`, `label`, `predicted`, `p_<label>`, `speaker`,
                `group`, `sex`, `sentence`); None for tuning only
            attention: weights of shape `(rows,)` that the network gave each clip's rows, by id

        Raises:
            StoreError: if it cannot be written; what was filed before is untouched
            ValueError: if the predictions are not those of a whole fold
        """
        if (predictions is None) != (job.fold is None):
            raise ValueError(f"{job.name}: expected predictions of folds, and of nothing else.")
        folder = self._folder_in_use(experiment)
        path = folder / f"{job.name}.json"
        content = {
            **record,
            "fold": job.fold,
            "repetition": job.repetition,
            "fingerprint": experiment.fingerprint,
        }
        beside: dict[str, tuple[Path, bytes]] = {}
        if predictions is not None:
            content["rows"] = len(predictions)
            table = to_parquet(predictions, job, experiment.fingerprint)
            beside["predictions"] = (path.with_suffix(".parquet"), table)
        if attention:
            beside[ATTENTION] = (path_of(folder, job), to_attention(attention))
        if beside:
            content[KEY] = {name: digest(held) for name, (_, held) in beside.items()}
        # Under the lock, the record and the predictions of two writers cannot get mixed up. Some
        # file systems have no locks, or keep those of each machine apart, so that they are looked
        # at afterwards: the last writer finds them whole.
        with locked(folder):
            for _ in range(_ATTEMPTS):
                file_whole(*beside.values(), (path, to_json(content)))
                if self.done(experiment, [job]):
                    break
            remove(folder / f"{job.name}{FAILURE}")

    def fail(self, experiment: Experiment, job: Job, reason: str) -> None:
        """File why a job failed; it stays missing, and is tried again by the next run.

        Raises:
            StoreError: if it cannot be written
        """
        content = {
            "fold": job.fold,
            "repetition": job.repetition,
            "fingerprint": experiment.fingerprint,
            "reason": reason,
        }
        folder = self._folder_in_use(experiment)
        file_whole((folder / f"{job.name}{FAILURE}", to_json(content)))

    def failure(self, experiment: Experiment, job: Job) -> tuple[str, int] | None:
        """Return why a job failed last and a number that changes each time; None if it did not."""
        path = self.folder(experiment) / f"{job.name}{FAILURE}"
        try:
            written = path.stat().st_mtime_ns
        except OSError:
            return None
        return str(_read(path).get("reason") or "no reason given"), written

    def _folder_in_use(self, experiment: Experiment) -> Path:
        folder = self.folder(experiment)
        return folder if (folder / EXPERIMENT).exists() else self.open(experiment)

    def _inspect(
        self, experiment: Experiment, jobs: Iterable[Job] | None = None
    ) -> StoredExperiment:
        """Look which jobs are there, without taking in what they predicted."""
        folder = self.folder(experiment)
        if not folder.is_dir() or is_empty(folder):
            return StoredExperiment(folder, {})
        return inspect(folder, (), fingerprint=experiment.fingerprint, jobs=jobs)


@cache
def _warn(text: str) -> None:
    """Log a warning, unless it was told before."""
    _log.warning("%s", text)


def _read(path: Path) -> dict[str, Any]:
    """Return a file's content, or nothing where it is absent or damaged."""
    try:
        return from_json(path)
    except (OSError, ValueError, RecursionError):
        return {}
