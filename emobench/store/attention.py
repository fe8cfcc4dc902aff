"""Attention weights of the test clips of a job, beside its predictions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import StoreError
from ..spec import Job

SUFFIX = ".attention.parquet"


def to_parquet(weights: Mapping[str, np.ndarray]) -> bytes:
    """Return weights of shape `(rows,)` by clip id as a file's content."""
    table = pa.table(
        {
            "id": pa.array(list(weights), pa.string()),
            "attention": pa.array(
                [np.asarray(values, np.float32) for values in weights.values()],
                pa.list_(pa.float32()),
            ),
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def read_attention(folder: Path, job: Job) -> dict[str, np.ndarray]:
    """Return the weights that a job gave each row of its test clips.

    Args:
        folder: of the experiment
        job: a fold of a repetition

    Returns:
        weights of shape `(rows,)` by clip id; nothing where none were filed

    Raises:
        StoreError: if the file is damaged
    """
    path = folder / f"{job.name}{SUFFIX}"
    try:
        table = pq.read_table(path)
        ids, weights = table["id"].to_pylist(), table["attention"]
        return {name: values.values.to_numpy() for name, values in zip(ids, weights, strict=True)}
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, pa.ArrowException) as error:
        raise StoreError(
            f"{path}: expected attention weights, found: {error}. Remove the file and the record "
            "beside it, and run the same command again."
        ) from error
