"""Rows of the tables that lie beside the audio: text with separators, workbooks, and JSON."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from ...errors import CorpusError, suggest
from ..entries.items import SideTable
from ..entries.schema import Corpus
from .audio_files import AudioFile

Line = tuple[int, Sequence[str]]
"""Number of a line, from 1, and its cells."""

_MOST_BYTES = 300_000_000
_MOST_COLUMNS = 20_000
_STUB = b"version https://git-lfs"


@dataclass(frozen=True)
class Part:
    """A table that a file holds: all of it, or a sheet of a workbook.

    Attributes:
        header: names of the columns
        lines: the lines below, with their numbers
        where: what the numbers count: "line", "row of sheet 'female'" or "record"
    """

    header: Sequence[str]
    lines: Sequence[Line]
    where: str = "line"


def read(corpus: Corpus, table: SideTable, position: int, file: AudioFile) -> list[Part]:
    """Return what a file of tables holds.

    Args:
        corpus: whose table it is
        table: what the entry says of it
        position: of the table in the entry
        file: which file

    Raises:
        CorpusError: if it cannot be read as a table
    """
    where = corpus.at("tables", position)
    try:
        content = Path(file.path).read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{file.path}: expected a table ({where}), found: {error.strerror}. Change its "
            "permissions, or unpack it again."
        ) from error
    if len(content) > _MOST_BYTES:
        raise CorpusError(
            f"{file.path}: expected a table ({where}), found {len(content):,} bytes. Correct "
            "`file:`, or shorten it."
        )
    if content.startswith(_STUB):
        raise CorpusError(
            f"{file.path}: expected a table ({where}), found a stub of Git LFS. Fetch the file "
            "with `git lfs pull`."
        )
    if file.name.endswith(".xlsx"):
        parts = _workbook(table, content, file.path, where)
    else:
        text = unicodedata.normalize("NFC", _decoded(table, content, file.path, where))
        is_json = file.name.endswith(".json")
        one = _records(text, file.path, where) if is_json else _separated(table, text, file, where)
        parts = [one]
    _insist(parts, file.path, where)
    return parts


def _decoded(table: SideTable, content: bytes, path: str, where: str) -> str:
    encoding = "utf-8-sig" if table.encoding.lower() in ("utf-8", "utf8") else table.encoding
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise CorpusError(
            f"{path}: expected a table in {table.encoding} ({where}), found: {error}. Correct "
            "`encoding:`, for instance to latin-1 or cp1252."
        ) from error


def _separated(table: SideTable, text: str, file: AudioFile, where: str) -> Part:
    separator = table.separator or ("," if file.name.endswith(".csv") else "\t")
    kept = io.StringIO("".join(text.splitlines(keepends=True)[table.skip :]), newline="")
    reader = csv.reader(kept, delimiter=separator)
    try:
        lines = [(table.skip + reader.line_num, line) for line in reader if any(line)]
    except csv.Error as error:
        line = table.skip + reader.line_num
        raise CorpusError(
            f"{file.path}, line {line}: expected a table with '{separator}' between the columns, "
            f"found: {error}. Correct `separator:` ({where})."
        ) from error
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    return Part(header, lines[1:])


def _insist(parts: Sequence[Part], path: str, where: str) -> None:
    """Refuse what is no table, or none that anybody wrote.

    Raises:
        CorpusError: if there is no sheet, or a header of too many columns
    """
    widest = max((len(part.header) for part in parts), default=0)
    if not parts or widest > _MOST_COLUMNS:
        found = f"{widest:,}" if parts else "none"
        raise CorpusError(
            f"{path}: expected a table of 1 to {_MOST_COLUMNS:,} columns ({where}), found {found}. "
            "Correct `separator:` and `skip:`, or restore the file."
        )


def _workbook(table: SideTable, content: bytes, path: str, where: str) -> list[Part]:
    from openpyxl import load_workbook  # takes a while, and few corpora have one

    try:
        with ZipFile(io.BytesIO(content)) as packed:
            if sum(member.file_size for member in packed.infolist()) > _MOST_BYTES:
                raise ValueError(f"more than {_MOST_BYTES:,} bytes when unpacked")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        parts = []
        for name in table.sheet or sheets:
            found = next((each for each in sheets if _same(each, name)), None)
            if found is None:
                raise CorpusError(
                    f"{path}: expected a sheet '{name}' ({where}), found "
                    f"{', '.join(sheets) or 'none'}.{suggest(name, sheets)} Correct `sheet:`."
                )
            rows = sheets[found].iter_rows(values_only=True)
            parts.append(_sheet(rows, found, table.skip))
    except CorpusError:
        raise
    except Exception as error:  # a library of many parsers, each with errors of its own
        raise CorpusError(
            f"{path}: expected a workbook ({where}), found: {error or type(error).__name__}. Open "
            "it and save it anew as .xlsx."
        ) from error
    return parts


def _sheet(rows: Iterable[Sequence[Any]], name: str, skip: int) -> Part:
    lines = [(number, [_cell(value) for value in row]) for number, row in enumerate(rows, 1)]
    filled = [line for line in lines if line[0] > skip and any(line[1])]
    header = filled[0][1] if filled else []
    return Part(header, filled[1:], f"row of sheet '{name}'")


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _cell(value: Any) -> str:
    """Return what a cell shows: a whole number without a decimal point, an empty one as ""."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFC", " ".join(str(value).split()))


def _records(text: str, path: str, where: str) -> Part:
    """Return a list of objects, or the objects of an object; columns are their keys."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorpusError(
            f"{path}: expected JSON ({where}), found: {error}. Download it again."
        ) from error
    records = list(root.values()) if isinstance(root, Mapping) else root
    if not isinstance(records, list) or not all(isinstance(each, Mapping) for each in records):
        raise CorpusError(
            f"{path}: expected a list of {{column: value}} ({where}), found something else. "
            "Convert it, or write the table as CSV."
        )
    header = list(dict.fromkeys(key for record in records for key in record))
    lines = [
        (number, [_cell(record.get(key)) for key in header])
        for number, record in enumerate(records, 1)
    ]
    return Part(header, lines, "record")
