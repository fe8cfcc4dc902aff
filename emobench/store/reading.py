"""Everything that is on disk of one experiment, however damaged some of it may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ..spec import Job
from . import attention
from .describing import describe
from .json_files import from_json
from .predictions import check, read
from .vouching import Damage, promised, read_bytes

EXPERIMENT = "experiment.json"
FAILURE = ".failure.json"

_RECORD = re.compile(r"(?:tuning|fold-(\d{2,})-repetition-(\d+))(\.failure)?\.json")


@dataclass(frozen=True)
class Problem:
    """A file that is left out, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True)
class StoredExperiment:
    """What is on disk of one experiment.

    Attributes:
        folder: where it lies
        experiment: content of `experiment.json`; empty if that is damaged
        records: records of the finished jobs, by repetition and fold
        failures: records of the jobs that failed and were not done since
        problems: files that are damaged; their jobs count as missing
        predictions: rows of all finished jobs, with the columns that were asked for
    """

    folder: Path
    experiment: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[Problem, ...] = ()
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    @property
    def jobs(self) -> set[Job]:
        """Return the jobs that are done."""
        return {Job(record["fold"], record["repetition"]) for record in self.records}


def inspect(
    folder: Path,
    columns: Sequence[str] | None = None,
    *,
    fingerprint: str | None = None,
    jobs: Iterable[Job] | None = None,
) -> StoredExperiment:
    """Read one experiment's folder, naming what cannot be used.

    Args:
        folder: where the experiment lies
        columns: columns of the predictions; None for all, empty to look only whether they are whole
        fingerprint: whose records count; None for what `experiment.json` says
        jobs: whose records to read, without a look at `experiment.json`; None for all
    """
    experiment: dict[str, Any] = {}
    records, failures, problems, parts = [], [], [], []
    try:
        # To look for some jobs, often, their fingerprint is enough.
        experiment = read_description(folder) if jobs is None or fingerprint is None else {}
    except Damage as damage:
        problems.append(Problem(folder / EXPERIMENT, str(damage)))
    fingerprint = fingerprint or experiment.get("fingerprint")
    if fingerprint is None:
        return StoredExperiment(folder, {}, problems=tuple(problems))
    for job, path in record_files(folder) if jobs is None else _files_of(folder, jobs):
        try:
            record = read_record(path, job, fingerprint)
            if job.fold is not None and job.fold >= experiment.get("n_folds", job.fold + 1):
                raise Damage("it is the record of a fold that the experiment does not have")
            if not path.name.endswith(FAILURE):
                if job.fold is not None:
                    parts.append(read_predictions(path, job, record, columns))
                records.append(record)
            elif not path.with_name(f"{job.name}.json").exists():
                failures.append(record)
        except Damage as damage:
            problems.append(Problem(path, str(damage)))
    # One frame made of all is many times faster than one made of each.
    read = [part for part in parts if part is not None]
    joined = pa.concat_tables(read, promote_options="permissive") if read else None
    predictions = pd.DataFrame() if joined is None else joined.to_pandas(use_threads=False)
    return StoredExperiment(
        folder, experiment, tuple(records), tuple(failures), tuple(problems), predictions
    )


def record_files(folder: Path) -> Iterator[tuple[Job, Path]]:
    """Yield records and failures with their jobs, by repetition and fold, tuning first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _RECORD.fullmatch(path.name)
        if match:
            fold = None if match[1] is None else int(match[1])
            found.append((Job(fold, int(match[2] or 1)), path))
    yield from sorted(
        found,
        key=lambda item: (
            item[0].repetition,
            -1 if item[0].fold is None else item[0].fold,
            item[1].name,
        ),
    )


def _files_of(folder: Path, jobs: Iterable[Job]) -> Iterator[tuple[Job, Path]]:
    """Yield the records that there are of jobs."""
    for job in jobs:
        path = folder / f"{job.name}.json"
        if path.exists():
            yield job, path


def is_sound(folder: Path) -> bool:
    """Tell whether the description of an experiment can be used."""
    try:
        read_description(folder)
    except Damage:
        return False
    return True


def read_description(folder: Path) -> dict[str, Any]:
    """Return the description of the experiment that a folder holds.

    Raises:
        Damage: if it cannot be used
    """
    return describe(folder, _object(folder / EXPERIMENT))


def read_predictions(
    path: Path, job: Job, record: Mapping[str, Any], columns: Sequence[str] | None
) -> pa.Table | None:
    """Return the predictions of a record, all of whose files are as it vouches.

    Args:
        path: of the record
        job: which it is
        record: what it says
        columns: which to read; None for all, empty for none

    Raises:
        Damage: if a file is not what the record vouches for
    """
    sha256 = promised(record, attention.NAME)
    if sha256 is not None:
        read_bytes(attention.path_of(path.parent, job), sha256, "attention weights")
    file, rows, sha256 = (
        path.with_suffix(".parquet"),
        record.get("rows", -1),
        promised(record, "predictions"),
    )
    vouched = {"fingerprint": record["fingerprint"], "sha256": sha256}
    if columns is not None and not columns and sha256 is not None:
        check(file, job, rows, **vouched)
        return None
    return read(file, job, rows, columns, **vouched)


def read_record(path: Path, job: Job, fingerprint: str) -> dict[str, Any]:
    """Return the record in a file if it is this job's.

    Raises:
        Damage: if it cannot be read, or is that of another job
    """
    record = _object(path)
    if (record.get("fold"), record.get("repetition")) != (job.fold, job.repetition):
        raise Damage("it is the record of another fold or repetition")
    if record.get("fingerprint") != fingerprint:
        raise Damage("it is the record of another experiment")
    return record


def _object(path: Path) -> dict[str, Any]:
    try:
        return from_json(path)
    except FileNotFoundError:
        raise Damage("there is no such file") from None
    except (OSError, ValueError, RecursionError):
        raise Damage("it is damaged") from None
