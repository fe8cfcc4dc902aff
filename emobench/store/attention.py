"""Attention weights of the test clips of a job, beside its predictions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import StoreError
from ..spec import Job
from .json_files import from_json
from .vouching import Damage, promised, read_bytes

NAME = "attention"
SUFFIX = f".{NAME}.parquet"


def to_parquet(weights: Mapping[str, np.ndarray]) -> bytes:
    """Return weights of shape `(rows,)` by clip id as a file's content."""
    table = pa.table(
        {
            "id": pa.array(list(weights), pa.string()),
            NAME: pa.array(
                [np.asarray(values, np.float32) for values in weights.values()],
                pa.list_(pa.float32()),
            ),
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def path_of(folder: Path, job: Job) -> Path:
    """Return where the weights of a job are filed."""
    return folder / f"{job.name}{SUFFIX}"


def read_attention(folder: Path, job: Job) -> dict[str, np.ndarray]:
    """Return the weights that a job gave each row of its test clips.

    Args:
        folder: of the experiment
        job: a fold of a repetition

    Returns:
        weights of shape `(rows,)` by clip id; nothing where none were filed

    Raises:
        StoreError: if the file is damaged, or is not the one that the record vouches for
    """
    path = path_of(folder, job)
    try:
        record = folder / f"{job.name}.json"
        sha256 = promised(from_json(record), NAME) if record.exists() else None
        if sha256 is None and not path.exists():
            return {}
        table = pq.read_table(pa.BufferReader(read_bytes(path, sha256, NAME)))
        ids, weights = table["id"].to_pylist(), table[NAME]
        return {name: values.values.to_numpy() for name, values in zip(ids, weights, strict=True)}
    except (OSError, ValueError, RecursionError, KeyError, Damage, pa.ArrowException) as error:
        raise StoreError(
            f"{path}: expected attention weights, found: {error}. Remove the file and the record "
            "beside it, and run the same command again."
        ) from error
