"""Tables as they are written: what is read, how, and what is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from ...errors import suggest
from ..entries.table_kinds import ARROW, BOOKS, JSON, REFUSED, suffix
from .audio_files import POINTER, AudioFile
from .table_parts import MOST_BYTES, Form, Part, Unreadable, decoded, headed, shown
from .table_records import arrow, json_records

_MOST_COLUMNS = 20_000


def content_of(file: AudioFile) -> bytes:
    """Return what a file of tables holds, if it may be read.

    Raises:
        OSError: if it cannot be
        Unreadable: if it is of a kind that is not read, or too large
    """
    if (refused := REFUSED.get(suffix(file.name))) is not None:
        raise Unreadable(*refused)
    if file.size > MOST_BYTES:
        raise Unreadable(f"{file.size:,} bytes", "Correct `file:`, or shorten it.")
    content = Path(file.path).read_bytes()
    if content.startswith(POINTER):
        raise Unreadable("a Git LFS pointer", "Run `git lfs pull` there.")
    return content


def read(name: str, content: bytes, form: Form) -> list[Part]:
    """Return what a file of tables holds.

    Args:
        name: of the file, whose ending says what it is; text where that says nothing
        content: of the file
        form: how it is written

    Raises:
        Unreadable: if it is none
    """
    reader = _READERS.get(suffix(name))
    if reader is None:
        parts = [separated(name, decoded(content, form), form)]
    else:
        parts = list(reader(content, form))
    widest = max((len(part.header) for part in parts), default=0)
    if not parts or widest > _MOST_COLUMNS:
        raise Unreadable(
            f"{widest:,}" if parts else "none",
            "Correct `separator:` and `skip:`, or restore the file.",
            f"a table of 1 to {_MOST_COLUMNS:,} columns",
        )
    return parts


def separated(name: str, text: str, form: Form) -> Part:
    """Return a table of lines with a separator between the columns.

    Raises:
        Unreadable: if the separator does not part them
    """
    separator = form.separator or ("," if suffix(name) == "csv" else "\t")
    kept = io.StringIO("".join(text.splitlines(keepends=True)[form.skip :]), newline="")
    reader = csv.reader(kept, delimiter=separator)
    try:
        lines = [(form.skip + reader.line_num, line) for line in reader if any(line)]
    except csv.Error as error:
        raise Unreadable(
            error,
            "Correct `separator:`.",
            f"'{separator}' between the columns of line {form.skip + reader.line_num}",
        ) from error
    return Part(*headed(lines, form))


def _workbook(content: bytes, form: Form) -> Iterator[Part]:
    from openpyxl import load_workbook  # takes a while, and few corpora have one

    try:
        with ZipFile(io.BytesIO(content)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES:,} bytes when unpacked")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        for name in form.sheet or sheets:
            found = next((each for each in sheets if _same(each, name)), None)
            if found is None:
                raise Unreadable(
                    f"{', '.join(sheets) or 'none'}.{suggest(name, sheets)}".rstrip("."),
                    "Correct `sheet:`.",
                    f"a sheet '{name}'",
                )
            yield _sheet(sheets[found].iter_rows(values_only=True), found, form)
    except Unreadable:
        raise
    except Exception as error:  # a library of many parsers, each with errors of its own
        found = str(error) or type(error).__name__
        advice = "Open it and save it anew as .xlsx."
        raise Unreadable(found, advice, "a workbook") from error


def _sheet(rows: Iterable[Sequence[Any]], name: str, form: Form) -> Part:
    lines = [(number, [shown(value) for value in row]) for number, row in enumerate(rows, 1)]
    filled = [line for line in lines if line[0] > form.skip and any(line[1])]
    where = f"row of sheet '{name}'"
    return Part(*headed(filled, form, where), where, name)


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


_READERS: Mapping[str, Callable[[bytes, Form], Iterator[Part]]] = {
    **dict.fromkeys(BOOKS, _workbook),
    **dict.fromkeys(JSON, json_records),
    **dict.fromkeys(ARROW, arrow),
}
