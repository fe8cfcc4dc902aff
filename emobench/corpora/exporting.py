"""Writing what is known of a corpus as a database in audformat, the field's format."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SpecError
from ..storage import output, storing
from .entries.schema import Corpus

if TYPE_CHECKING:
    import audformat

TABLE = "utterances"

_NAMES = {
    "emotion": "emotion",
    "raw_emotion": "emotion.original",
    "speaker": "speaker",
    "group": "group",
    "sex": "gender",
    "age": "age",
    "sentence": "sentence",
    "intensity": "intensity",
    "repetition": "repetition",
    "transcript": "transcription",
    "id": "id",
}
"""What audformat calls our columns."""


def write_audformat(
    corpus: Corpus, columns: Mapping[str, Sequence[Any]], folder: Path
) -> tuple[Path, bool]:
    """Write a database with one table, of files or, where clips are parts of files, of segments.

    Args:
        corpus: that is written
        columns: `id` and what `table_columns.columns` returns
        folder: where to write; the sound is not copied

    Returns:
        the header, and whether paths are relative to the folder: they are where the sound is below
        it, and absolute else

    Raises:
        SpecError: if there is a database already, or it cannot be written
    """
    try:
        import audformat
    except ImportError:
        raise SpecError(
            "--audformat: expected the package audformat, found that it is not installed. Run "
            '`pip install "emobench[audformat]"`.'
        ) from None
    header = folder / "db.yaml"
    if header.exists():
        raise SpecError(
            f"{header}: expected no database here, found one. Remove it, or name another folder "
            "with --audformat."
        )
    paths, below = _relative(columns["path"], folder)
    database = audformat.Database(
        corpus.name,
        source=corpus.homepage or "",
        usage=audformat.define.Usage.OTHER,
        languages=_languages(corpus, audformat),
        description=". ".join(filter(None, [corpus.title, corpus.citation])),
        license=corpus.licence,
    )
    starts, ends = columns["start"], columns["end"]
    if any(at is not None for at in (*starts, *ends)):
        index = audformat.segmented_index(
            paths, [_seconds(at or 0.0) for at in starts], [_seconds(at) for at in ends]
        )
    else:
        index = audformat.filewise_index(paths)
    _fill(database, index, columns, audformat)
    with storing(folder, output("--audformat")):
        database.save(str(folder), storage_format=audformat.define.TableStorageFormat.CSV)
    return header, below


def _fill(
    database: audformat.Database,
    index: Any,
    columns: Mapping[str, Sequence[Any]],
    package: Any,
) -> None:
    """Add a scheme and a column for each column of ours that says something."""
    table = package.Table(index)
    database[TABLE] = table
    for ours, theirs in _NAMES.items():
        values = columns.get(ours, ())
        told = [value for value in values if value is not None]
        if not told:
            continue
        if ours in ("emotion", "speaker", "sex"):
            scheme = package.Scheme(labels=sorted(set(map(str, told))))
        else:
            scheme = package.Scheme("int" if all(isinstance(v, int) for v in told) else "str")
        database.schemes[theirs] = scheme
        table[theirs] = package.Column(scheme_id=theirs)
        text = scheme.dtype == "str"
        table[theirs].set([str(v) if text and v is not None else v for v in values])


def _relative(paths: Sequence[str], folder: Path) -> tuple[list[str], bool]:
    """Return paths below a folder, or as they are where one is not below it."""
    root = os.path.join(os.path.realpath(folder), "")
    real = [os.path.realpath(path) for path in paths]
    if not all(path.startswith(root) for path in real):
        return list(paths), False
    return [path.removeprefix(root).replace(os.sep, "/") for path in real], True


def _languages(corpus: Corpus, package: Any) -> list[str]:
    """Return the languages that ISO 639-3 knows."""
    found = []
    for name in (corpus.language or "").replace(" and ", ",").split(","):
        try:
            found.append(package.utils.map_language(name.strip()))
        except ValueError:  # such as "Canadian French", or none at all
            continue
    return found


def _seconds(at: float | None) -> Any:
    import pandas as pd

    return pd.NaT if at is None else pd.Timedelta(at, unit="s")
