"""Writing clips, and what models say of them, as a database in audformat, the field's format."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SpecError
from ..storage import output, storing
from .entries.schema import Corpus

if TYPE_CHECKING:
    import audformat

TABLE = "utterances"
HEADER = "db.yaml"

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

_PREDICTED, _PROBABILITY = "predicted", "probability"
"""Schemes of predictions; a column `emotion` would be taken for what a listener or actor says."""


@dataclass(frozen=True)
class Predictions:
    """What a model says of clips: a table of a database.

    Attributes:
        table: name of the table
        model: who says it
        labels: classes that the model knows
        clips: of each row, its file, and where it begins and ends there in seconds, None for an end
            of the file
        predicted: class of each row
        probabilities: of each row, by class
        more: other columns of text, by name; None where a value is unknown
    """

    table: str
    model: str
    labels: tuple[str, ...]
    clips: Sequence[tuple[str, float | None, float | None]]
    predicted: Sequence[str]
    probabilities: Mapping[str, Sequence[float]]
    more: Mapping[str, Sequence[str | None]] = field(default_factory=dict)


def insist_on_room(folder: Path) -> Path:
    """Return the header of a database that can be written to a folder.

    Raises:
        SpecError: if there is one already, or audformat is not installed
    """
    if importlib.util.find_spec("audformat") is None:
        raise SpecError(
            "--audformat: expected the package audformat, found that it is not installed. Run "
            '`pip install "emobench[audformat]"`.'
        )
    header = folder / HEADER
    if header.exists():
        raise SpecError(
            f"{header}: expected no database here, found one. Remove it, or name another folder "
            "with --audformat."
        )
    return header


def insist_on_text(names: Iterable[str]) -> None:
    """Check that names of files can stand in the tables of a database, which are UTF-8.

    Raises:
        SpecError: if one cannot
    """
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise SpecError(
                "--audformat: expected names of files that are text, found "
                f"{name!a}. Rename the file, or leave it out."
            ) from None


def write_audformat(
    corpus: Corpus,
    columns: Mapping[str, Sequence[Any]],
    folder: Path,
    predictions: Sequence[Predictions] = (),
) -> tuple[Path, bool]:
    """Write a database with a table of clips: files or, where they are parts of files, segments.

    Args:
        corpus: that is written
        columns: `id` and what `table_columns.columns` returns
        folder: where to write; the sound is not copied
        predictions: tables beside that of the clips

    Returns:
        the header, and whether paths are relative to the folder: they are where the sound is below
        it, and absolute else

    Raises:
        SpecError: if there is a database already, or it cannot be written
    """
    header = insist_on_room(folder)
    import audformat

    insist_on_text(columns["path"])
    database = audformat.Database(
        corpus.name,
        source=corpus.homepage or "",
        usage=audformat.define.Usage.OTHER,
        languages=_languages(corpus, audformat),
        description=". ".join(filter(None, [corpus.title, corpus.citation])),
        license=corpus.licence,
    )
    paths, below = _relative(columns["path"], folder)
    index = _index(paths, columns["start"], columns["end"], audformat)
    _fill(database, index, columns, audformat)
    for each in predictions:
        _add(database, each, folder, audformat)
    _save(database, folder, audformat)
    return header, below


def write_predictions(name: str, description: str, found: Predictions, folder: Path) -> Path:
    """Write a database with nothing but what a model says of clips; return its header.

    Args:
        name: of the database
        description: of it
        found: its only table
        folder: where to write; the sound is not copied

    Raises:
        SpecError: if there is a database already, or it cannot be written
    """
    header = insist_on_room(folder)
    import audformat

    insist_on_text(path for path, _, _ in found.clips)
    usage = audformat.define.Usage.OTHER
    database = audformat.Database(name, usage=usage, description=description)
    _add(database, found, folder, audformat)
    _save(database, folder, audformat)
    return header


def _add(database: audformat.Database, found: Predictions, folder: Path, package: Any) -> None:
    """Add a table of predictions; who makes them is a machine among its raters."""
    paths, starts, ends = zip(*found.clips, strict=True)
    rater = f"{found.table}.model"
    database.raters[rater] = package.Rater(
        package.define.RaterType.MACHINE, description=found.model
    )
    predicted = _scheme(database, _PREDICTED, package.Scheme(labels=list(found.labels)))
    share = _scheme(database, _PROBABILITY, package.Scheme("float", minimum=0, maximum=1))
    table = package.Table(_index(_relative(paths, folder)[0], starts, ends, package))
    database[found.table] = table
    columns = {"predicted": (predicted, found.predicted)}
    columns |= {f"p_{label}": (share, found.probabilities[label]) for label in found.labels}
    for name, (scheme, values) in columns.items():
        table[name] = package.Column(scheme_id=scheme, rater_id=rater)
        table[name].set(list(values))
    for name, values in found.more.items():
        if any(value is not None for value in values):
            scheme = _scheme(database, name, package.Scheme("str"))
            table[name] = package.Column(scheme_id=scheme)
            table[name].set(list(values))


def _scheme(database: audformat.Database, name: str, scheme: audformat.Scheme) -> str:
    """Return the name of a scheme, which is added where the database does not know it yet."""
    wanted = name
    number = 1
    while wanted in database.schemes and database.schemes[wanted] != scheme:
        number += 1
        wanted = f"{name}.{number}"
    if wanted not in database.schemes:
        database.schemes[wanted] = scheme
    return wanted


def _index(
    paths: Sequence[str],
    starts: Sequence[float | None],
    ends: Sequence[float | None],
    package: Any,
) -> Any:
    """Return an index of files or, where a clip is a part of one, of segments."""
    if any(at is not None for at in (*starts, *ends)):
        return package.segmented_index(
            paths, [_seconds(at or 0.0) for at in starts], [_seconds(at) for at in ends]
        )
    return package.filewise_index(list(paths))


def _save(database: audformat.Database, folder: Path, package: Any) -> None:
    with storing(folder, output("--audformat")):
        database.save(str(folder), storage_format=package.define.TableStorageFormat.CSV)


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
    """Return paths below a folder, or absolute where one is not below it."""
    root = os.path.join(os.path.realpath(folder), "")
    real = [os.path.realpath(path) for path in paths]
    if not all(path.startswith(root) for path in real):
        return [os.path.abspath(path) for path in paths], False
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
