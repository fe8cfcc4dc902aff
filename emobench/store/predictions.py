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
    missing = {"id", "label", "predicted"} - set(frame.columns)
    if missing or not chances:
        found = ", ".join(map(str, frame.columns))
        raise ValueError(f"predictions: expected id, label, predicted, p_<label>; found {found}.")
    if frame.empty or frame["id"].duplicated().any():
        raise ValueError("predictions: expected one row for every clip, found none or several.")
    columns = {name: _text(frame[name]) for name in ("id", "label", "predicted")}
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
) -> pd.DataFrame:
    """Read predictions and make sure that they are the whole of that job's.

    Args:
        path: Parquet file
        job: whose predictions they must be
        rows: how many the record promises
        columns: which to read; `fold` and `repetition` always are
        fingerprint: of the experiment
        sha256: of the file's bytes, as the record has it; None for a record from before it was kept

    Raises:
        Damage: if the file is absent, broken, short, altered, or another job's
    """
    wanted = None if columns is None else list(dict.fromkeys([*columns, *_COUNTS]))
    content = read_bytes(path, sha256, "predictions")
    try:
        with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
            frame = file.read(columns=wanted, use_threads=False).to_pandas()
            marked = (file.schema_arrow.metadata or {}).get(_FINGERPRINT)
    except (OSError, ValueError, KeyError, pa.ArrowException):
        raise Damage("the predictions cannot be read") from None
    if marked != fingerprint.encode() and (marked is not None or sha256 is not None):
        raise Damage("the predictions are those of another experiment")
    lacking = sorted({"id", "label", "predicted", *_COUNTS, *(columns or ())} - set(frame.columns))
    if wanted is not None:
        lacking = sorted(set(wanted) - set(frame.columns))
    if lacking:
        raise Damage(f"the predictions lack {', '.join(lacking)}")
    if len(frame) != rows:
        raise Damage(f"{len(frame)} predictions where the record says {rows}")
    if set(frame["fold"]) != {job.fold} or set(frame["repetition"]) != {job.repetition}:
        raise Damage("the predictions are those of another fold or repetition")
    return frame


def _text(values: pd.Series) -> pa.Array:
    """Return a column as text, with what is unknown as null."""
    unknown = values.isna().to_numpy()
    items = values.astype(object).to_numpy()
    return pa.array(
        [None if gone else str(item) for item, gone in zip(items, unknown, strict=True)],
        pa.string(),
    )
