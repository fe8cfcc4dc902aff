"""One finished job as the files that it is: read whole, and filed in another folder as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ..spec import Job
from ..storage import locked
from . import attention
from .collecting import experiment_folders
from .filing import file_new, file_whole, make_folder, remove, tidy
from .reading import (
    EXPERIMENT,
    FAILURE,
    read_description,
    read_predictions,
    read_record,
    record_files,
)
from .vouching import Damage, promised, read_bytes


@dataclass(frozen=True)
class Filed:
    """A finished job, all of whose files are as its record vouches.

    Attributes:
        path: of the record
        job: which
        record: what it says
        predictions: all columns; empty for tuning
        contents: bytes of every file by name, the record's last
    """

    path: Path
    job: Job
    record: Mapping[str, Any]
    predictions: pd.DataFrame = field(repr=False)
    contents: Mapping[str, bytes] = field(repr=False)


def described(results: Path) -> Iterator[tuple[Path, dict[str, Any] | Damage]]:
    """Yield the folder of every experiment with its description, or what is wrong with that.

    Raises:
        StoreError: if there is no such folder of results
    """
    for folder in experiment_folders(results):
        try:
            yield folder, read_description(folder)
        except Damage as damage:
            yield folder, damage


def filed_jobs(folder: Path) -> tuple[list[Job], list[Job]]:
    """Return the jobs of a folder that have a record, and those that have a failure only."""
    done, failed = {}, {}
    for job, path in record_files(folder):
        (failed if path.name.endswith(FAILURE) else done)[job] = None
    return list(done), [job for job in failed if job not in done]


def read_job(folder: Path, job: Job, fingerprint: str) -> Filed:
    """Read a finished job with all its files.

    Raises:
        Damage: if something is absent, broken, altered, or another job's
    """
    path = folder / f"{job.name}.json"
    record = read_record(path, job, fingerprint)
    beside: dict[str, tuple[Path, str]] = {}
    predictions = pd.DataFrame()
    if job.fold is not None:
        predictions = read_predictions(path, job, record, None).to_pandas()
        beside["predictions"] = (path.with_suffix(".parquet"), "predictions")
    if attention.path_of(folder, job).exists():
        beside[attention.NAME] = (attention.path_of(folder, job), "attention weights")
    contents = {
        file.name: read_bytes(file, promised(record, key), noun)
        for key, (file, noun) in beside.items()
    }
    contents[path.name] = read_bytes(path, None, "record")
    return Filed(path, job, record, predictions, contents)


def read_failure(folder: Path, job: Job, fingerprint: str) -> bytes:
    """Return the file that says why a job failed.

    Raises:
        Damage: if it cannot be read, or is another job's
    """
    path = folder / f"{job.name}{FAILURE}"
    read_record(path, job, fingerprint)
    return read_bytes(path, None, "reason")


def open_like(source: Path, folder: Path) -> None:
    """Make the folder of an experiment and describe it as another folder does.

    A description that is there is left as it is.

    Raises:
        StoreError: if it cannot be written
    """
    make_folder(folder)
    with locked(folder):
        tidy(folder)
        if not (folder / EXPERIMENT).exists():
            file_whole((folder / EXPERIMENT, (source / EXPERIMENT).read_bytes()))


def file_job(filed: Filed, folder: Path) -> bool:
    """File a job in another folder, unless that has a record of it by now.

    Returns:
        whether it was filed

    Raises:
        StoreError: if it cannot be written
    """
    with locked(folder):
        if (folder / filed.path.name).exists():
            return False
        if not file_new(*((folder / name, held) for name, held in filed.contents.items())):
            return False
        remove(folder / f"{filed.job.name}{FAILURE}")
    return True


def file_failure(content: bytes, job: Job, folder: Path) -> bool:
    """File why a job failed in another folder, unless that knows of the job by now.

    Returns:
        whether it was filed

    Raises:
        StoreError: if it cannot be written
    """
    path = folder / f"{job.name}{FAILURE}"
    with locked(folder):
        if path.exists() or (folder / f"{job.name}.json").exists():
            return False
        return file_new((path, content))
