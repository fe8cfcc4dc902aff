"""Predictions as Parquet: the same table is the same bytes, and damage is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..spec import Job
from .vouching import Damage, read_bytes

FACTS = ("speaker", "group", "sex", "sentence")
"""What is kept of each clip beside its labels, for statistics that need nothing else."""

_ALWAYS = ("id", "label", "predicted")
_COUNTS = ("fold", "repetition")
_FINGERPRINT = b"emobench.fingerprint"


def to_parquet(predictions: pd.DataFrame, job: Job, fingerprint: str) -> bytes:
    """Return predictions as a Parquet file without dates or names of machines.

    Args:
        predictions: columns `id` (or an index of that name), `label`, `predicted` and
            `p_<label>` for every class, and what is known of `FACTS`; other columns are kept
        job: whose predictions they are
        fingerprint: of the experiment, kept in the file's metadata

    Raises:
        ValueError: if a column is missing, there are no rows, or a clip occurs twice
    """
    frame = predictions.reset_index() if predictions.index.name == "id" else predictions
    chances = [column for column in frame.columns if str(column).startswith("p_")]
    missing = set(_ALWAYS) - set(frame.columns)
    if missing or not chances:
        found = ", ".join(map(str, frame.columns))
        raise ValueError(f"predictions: expected id, label, predicted, p_<label>; found {found}.")
    if frame.empty or frame["id"].duplicated().any():
        raise ValueError("predictions: expected one row for every clip, found none or several.")
    columns = {name: _text(frame[name]) for name in _ALWAYS}
    columns |= {name: pa.array(frame[name].to_numpy()) for name in chances}
    columns |= {
        name: _text(frame[name]) if name in frame.columns else pa.nulls(len(frame), pa.string())
        for name in FACTS
    }
    for name in frame.columns:
        if name not in columns and name not in _COUNTS:
            columns[name] = _text(frame[name])
    columns["fold"] = pa.array([job.fold] * len(frame), pa.int64())
    columns["repetition"] = pa.array([job.repetition] * len(frame), pa.int64())
    table = pa.table(columns, metadata={_FINGERPRINT: fingerprint})
    sink = pa.BufferOutputStream()
    # Checksums of pages find flipped bits, which would otherwise read as other labels.
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def read(
    path: Path,
    job: Job,
    rows: int,
    columns: Sequence[str] | None = None,
    *,
    fingerprint: str,
    sha256: str | None = None,
) -> pa.Table:
    """Read predictions and make sure that they are the whole of that job's.

    Args:
        path: Parquet file
        job: whose predictions they must be
        rows: how many the record promises
        columns: which to read; None for all. `fold` and `repetition` are always there
        fingerprint: of the experiment
        sha256: of the file's bytes, as the record has it; None for a record from before it was kept

    Raises:
        Damage: if the file is absent, broken, short, altered, or another job's
    """
    wanted = None if columns is None else [name for name in columns if name not in _COUNTS]
    content = pa.BufferReader(read_bytes(path, sha256, "predictions"))
    try:
        with pq.ParquetFile(content, page_checksum_verification=True) as file:
            facts = file.metadata
            names = set(facts.schema.names)
            lacking = sorted({*(wanted or _ALWAYS), *_COUNTS} - names)
            if lacking:
                raise Damage(f"the predictions lack {', '.join(lacking)}")
            _insist_on(facts, job, rows, fingerprint, sha256)
            table = file.read(columns=wanted, use_threads=False)
    except (OSError, ValueError, KeyError, pa.ArrowException):
        raise Damage("the predictions cannot be read") from None
    for name in () if wanted is None else _COUNTS:  # read from the file's head, being constant
        table = table.append_column(name, pa.array([getattr(job, name)] * rows, pa.int64()))
    return table


def check(path: Path, job: Job, rows: int, *, fingerprint: str, sha256: str) -> None:
    """Make sure of predictions by their digest and what the file says of itself; see `read`.

    Raises:
        Damage: if `read` would
    """
    content = pa.BufferReader(read_bytes(path, sha256, "predictions"))
    try:
        _insist_on(pq.read_metadata(content), job, rows, fingerprint, sha256)
    except (OSError, ValueError, pa.ArrowException):
        raise Damage("the predictions cannot be read") from None


def _insist_on(
    facts: pq.FileMetaData, job: Job, rows: int, fingerprint: str, sha256: str | None
) -> None:
    """Refuse the predictions of another experiment or job, and less than all of them."""
    marked = (facts.metadata or {}).get(_FINGERPRINT)
    if marked != fingerprint.encode() and (marked is not None or sha256 is not None):
        raise Damage("the predictions are those of another experiment")
    if facts.num_rows != rows:
        raise Damage(f"{facts.num_rows} predictions where the record says {rows}")
    if any(_only_value(facts, name) != getattr(job, name) for name in _COUNTS):
        raise Damage("the predictions are those of another fold or repetition")


def _only_value(facts: pq.FileMetaData, name: str) -> int | None:
    """Return the value that a column has in every row, as told by its statistics, or None."""
    position = facts.schema.names.index(name)
    ends = set()
    for group in range(facts.num_row_groups):
        statistics = facts.row_group(group).column(position).statistics
        if statistics is None or not statistics.has_min_max or statistics.null_count:
            return None
        ends |= {statistics.min, statistics.max}
    return ends.pop() if len(ends) == 1 else None


def _text(values: pd.Series) -> pa.Array:
    """Return a column as text, with what is unknown as null."""
    try:  # the usual case, many times faster
        found = pa.array(values, pa.string(), from_pandas=True)
    except (pa.ArrowException, ValueError):
        unknown = values.isna().to_numpy()
        items = values.astype(object).to_numpy()
        pairs = zip(items, unknown, strict=True)
        return pa.array([None if gone else str(item) for item, gone in pairs], pa.string())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
