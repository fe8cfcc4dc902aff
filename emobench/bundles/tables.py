"""Clips from a table: a file, or a pandas table, with a row for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from ..errors import SpecError, first_line
from .wanted import Wanted

_AS_WRITTEN = {"dtype": str, "keep_default_na": False}
_SEPARATED = {**_AS_WRITTEN, "encoding": "utf-8-sig"}

READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": partial(pd.read_csv, **_SEPARATED),
    ".tsv": partial(pd.read_csv, sep="\t", **_SEPARATED),
    ".xlsx": partial(pd.read_excel, **_AS_WRITTEN),
    ".json": partial(pd.read_json, dtype=False),
    ".jsonl": partial(pd.read_json, dtype=False, lines=True),
    ".parquet": pd.read_parquet,
}
"""What reads a table, by the ending of its file."""

PATHS = ("path", "file")
"""Names of the column of files; the first that is there counts."""

TRANSCRIPT = "transcript"


def read(file: Path, *, speaker: str | None = None, root: Path | None = None) -> list[Wanted]:
    """Return the clips that a table names.

    Args:
        file: of one of `READERS`, text in UTF-8, with a column `path` (or `file`) and, where there
            are such, `start` and `end` in seconds, `transcript`, and who speaks
        speaker: name of the column that tells who speaks; None if none is to be read
        root: folder that relative paths begin in; None for that of the table

    Raises:
        SpecError: if it cannot be read, lacks a column, or holds no row or what is no time
    """
    reader = READERS.get(file.suffix.lower(), READERS[".csv"])
    try:
        table = reader(file)
    except Exception as error:  # of as many kinds as there are parsers
        reason = getattr(error, "strerror", None) or first_line(error)
        advice = "Save it as CSV with the names of the columns in the first line"
        raise SpecError(
            f"{file}: expected a table in UTF-8 with a column path, found: "
            f"{reason.rstrip('.')}. {advice}."
        ) from None
    return clips_of(table, str(file), speaker=speaker, root=root or file.parent)


def clips_of(
    table: pd.DataFrame, name: str, *, speaker: str | None = None, root: Path = Path()
) -> list[Wanted]:
    """Return the clips of a table; see `read`.

    Args:
        table: as `read` describes it
        name: of the table, for messages
        speaker: column that tells who speaks
        root: folder that relative paths begin in
    """
    paths = next((column for column in PATHS if column in table), None)
    for wanted in (paths or PATHS[0], speaker):
        if wanted is not None and wanted not in table:
            raise SpecError(
                f"{name}: expected a column '{wanted}', found "
                f"{', '.join(map(str, table.columns)) or 'none'}. Name it above the rows."
            )
    if table.empty:
        raise SpecError(f"{name}: expected a row for each clip, found none. Add one.")
    return list(_rows(table, name, paths, speaker, root))


def _rows(
    table: pd.DataFrame, name: str, paths: str, speaker: str | None, root: Path
) -> Iterator[Wanted]:
    columns = {
        key: list(table[column]) if column in table else [None] * len(table)
        for key, column in (
            *(("path", paths), ("start", "start"), ("end", "end")),
            *(("speaker", speaker), ("transcript", TRANSCRIPT)),
        )
    }
    for number, row in enumerate(zip(*columns.values(), strict=True), start=1):
        path, start, end, who, said = (None if _missing(value) else value for value in row)
        where = f"{name}, row {number}"
        if path is None:
            raise SpecError(f"{where}: expected the path of a file, found none. Fill it in.")
        start, end = _time(start, f"{where}, start"), _time(end, f"{where}, end")
        if start is not None and end is not None and end <= start:
            raise SpecError(
                f"{where}: expected an end after the start, found {start:g} s to {end:g} s. "
                "Correct the times, which are in seconds."
            )
        yield Wanted(
            name=str(path),
            path=root / str(path),
            start=start,
            end=end,
            speaker=None if who is None else str(who),
            transcript=None if said is None else str(said),
        )


def _missing(value: object) -> bool:
    """Tell whether a cell is empty."""
    return value is None or value is pd.NA or value == "" or value != value


def _time(value: object, where: str) -> float | None:
    """Return a time in seconds; None where there is none."""
    if value is None:
        return None
    try:
        time = float(value)
    except (TypeError, ValueError):
        time = math.nan
    if not math.isfinite(time) or time < 0:
        raise SpecError(f"{where}: expected a time in seconds, such as 2.5, found '{value}'.")
    return time
