"""Tables that are written as records: JSON, Parquet and Arrow."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from .table_parts import MOST_CELLS, Form, Part, Unreadable, decoded, named, shown

KEY, VALUE = "(key)", "(value)"
"""Columns of a JSON object that maps names to records, or to texts."""

_NESTED = (Mapping, list)


def json_records(content: bytes, form: Form) -> Iterator[Part]:
    """Yield the records of a JSON document, or of one a line."""
    text = decoded(content, form)
    try:
        try:
            root = json.loads(text)
        except json.JSONDecodeError:
            lines = [line for line in text.split("\n") if line.strip()]
            if len(lines) < 2 or not lines[0].lstrip().startswith("{"):
                raise
            root = [json.loads(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise Unreadable(error, "Download it again.", "JSON") from error
    records = _records(root)
    if records is None:
        raise Unreadable(
            "something else",
            "Convert it, or write the table as CSV.",
            "a list of {column: value}",
        )
    yield _table([dict(_flat(record)) for record in records])


def _records(root: Any) -> list[Mapping[str, Any]] | None:
    """Return the records of a JSON document, however they are nested; None if there are none."""
    if isinstance(root, list):
        return root if all(isinstance(each, Mapping) for each in root) else None
    if not isinstance(root, Mapping) or not root:
        return None
    values = list(root.values())
    if all(isinstance(value, str) for value in values):  # texts by name
        return [{KEY: key, VALUE: value} for key, value in root.items()]
    if all(isinstance(value, Mapping) for value in values):
        rows = list(dict.fromkeys(chain.from_iterable(values)))
        same = all(len(value) == len(rows) for value in values)
        if same and len(rows) > 1 and all(row.isdecimal() for row in rows):
            # Columns by name, each of them by row, as pandas writes them.
            return [{KEY: row, **{name: root[name][row] for name in root}} for row in rows]
        return [{KEY: key, **value} for key, value in root.items()]
    if all(isinstance(value, list) for value in values):
        cells = [cell for value in values for cell in value]
        if len(set(map(len, values))) == 1 and not any(isinstance(cell, _NESTED) for cell in cells):
            return [dict(zip(root, row, strict=True)) for row in zip(*values, strict=True)]
    # Something about the table, and the table; or several parts of one.
    by_form: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for value in values:
        if isinstance(value, _NESTED) and (records := _records(value)):
            by_form[tuple(sorted(records[0]))] += records
    return max(by_form.values(), key=len, default=None)


def _flat(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a record; what is nested is called `speaker.id`."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _table(records: Sequence[Mapping[str, Any]]) -> Part:
    header = list(dict.fromkeys(key for record in records for key in record))
    if len(header) * len(records) > MOST_CELLS:
        raise Unreadable(f"more than {MOST_CELLS:,} cells", "Shorten it.")
    lines = [
        (number, [shown(record.get(key)) for key in header])
        for number, record in enumerate(records, 1)
    ]
    return Part(named([key.strip() for key in header]), lines, "record")


def arrow(content: bytes, form: Form) -> Iterator[Part]:
    """Yield the table of a Parquet file, or of Arrow's own format in both of its forms."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if content.startswith(b"PAR1"):
            file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
            schema, batches = file.schema_arrow, file.iter_batches
            rows = file.metadata.num_rows
        else:
            opened = pa.ipc.open_file if content.startswith(b"ARROW1") else pa.ipc.open_stream
            found = opened(content).read_all()
            schema, batches, rows = found.schema, found.to_batches, found.num_rows
        names = [field.name for field in schema if not pa.types.is_binary(field.type)]
        if rows * len(names) > MOST_CELLS:
            raise Unreadable(f"more than {MOST_CELLS:,} cells", "Shorten it.")
        words = _class_names(schema.metadata)
        records = []
        for batch in batches():
            batch.validate(full=True)  # offsets that lead elsewhere would end the process
            for record in batch.select(names).to_pylist():
                flat = {key: cell for key, cell in _flat(record) if not isinstance(cell, bytes)}
                for key in words.keys() & flat.keys():
                    flat[key] = words[key].get(flat[key], flat[key])
                records.append(flat)
        yield _table(records)
    except Unreadable:
        raise
    except Exception as error:  # what is damaged fails in many ways
        advice = "Download it again, or write the table anew."
        raise Unreadable(error, advice, "a Parquet or Arrow table") from error


def _class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, dict[int, str]]:
    """Return the words for numbers that Hugging Face's `datasets` keeps of columns of classes."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: dict(enumerate(map(str, feature["names"])))
            for name, feature in features.items()
            if isinstance(feature, Mapping) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
