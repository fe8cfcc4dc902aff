"""Tables beside the audio (speakers, labels, texts), joined to clips by what both know."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import CorpusError, suggest
from .files import AudioFile, scan, with_small_extension
from .schema import Corpus, SideTable


@dataclass(frozen=True)
class Join:
    """A side table, ready to be asked.

    Attributes:
        key: our columns that lead to a row
        rows: what the table says, by the texts of these columns
    """

    key: tuple[str, ...]
    rows: Mapping[tuple[str, ...], Mapping[str, str]]

    def facts_of(self, facts: Mapping[str, str]) -> Mapping[str, str]:
        """Return what the table says of a clip; nothing if it does not list it."""
        return self.rows.get(tuple(facts.get(column, "") for column in self.key), {})


def read_joins(corpus: Corpus, folder: Path) -> list[Join]:
    """Read the side tables of a corpus.

    Raises:
        CorpusError: if a required table is absent, or one lacks a column or says two things of
            the same clip
    """
    joins = []
    for position, table in enumerate(corpus.tables):
        found = scan(folder, [table.file])
        if found:
            joins.append(_join(corpus, table, position, found[0]))
        elif table.required:
            raise CorpusError(
                f"{corpus.at('tables', position, 'file')}: expected a file {table.file} somewhere "
                f"below {folder}, found none. Unpack it there, or write `required: false`."
            )
    return joins


def _join(corpus: Corpus, table: SideTable, position: int, file: AudioFile) -> Join:
    header, lines = _read(corpus, table, position, file)
    place = ("tables", position)
    keys = [
        _column(corpus, header, name, (*place, "key", ours)) for ours, name in table.key.items()
    ]
    columns = {
        ours: _column(corpus, header, name, (*place, "columns", ours))
        for ours, name in table.columns.items()
    }
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for number, line in lines:
        cells = [cell.strip() for cell in line] + [""] * (len(header) - len(line))
        key = tuple(
            _file_name(cells[index]) if ours in ("name", "path") else cells[index]
            for ours, index in zip(table.key, keys, strict=True)
        )
        facts = {ours: cells[index] for ours, index in columns.items() if cells[index]}
        if rows.setdefault(key, facts) != facts:
            raise CorpusError(
                f"{file.path}, line {number}: expected one row for {', '.join(key)}, found a "
                f"second that says otherwise ({corpus.at(*place)}). Correct the table, or join by "
                "more columns."
            )
    return Join(tuple(table.key), rows)


def _read(
    corpus: Corpus, table: SideTable, position: int, file: AudioFile
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the lines with their numbers."""
    encoding = "utf-8-sig" if table.encoding.lower() in ("utf-8", "utf8") else table.encoding
    try:
        text = Path(file.path).read_bytes().decode(encoding)
    except (OSError, UnicodeDecodeError) as error:
        where = corpus.at("tables", position)
        raise CorpusError(
            f"{file.path}: expected a table in {table.encoding} ({where}), found: {error}. Correct "
            "`encoding:`, for instance to latin-1 or cp1252."
        ) from error
    separator = table.separator or ("," if file.name.endswith(".csv") else "\t")
    composed = unicodedata.normalize("NFC", text)
    kept = io.StringIO("".join(composed.splitlines(keepends=True)[table.skip :]), newline="")
    reader = csv.reader(kept, delimiter=separator)
    try:
        lines = [(table.skip + reader.line_num, line) for line in reader if any(line)]
    except csv.Error as error:
        line = table.skip + reader.line_num
        raise CorpusError(
            f"{file.path}, line {line}: expected a table with '{separator}' between the columns, "
            f"found: {error}. Correct `separator:` ({corpus.at('tables', position)})."
        ) from error
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    return header, lines[1:]


def _column(corpus: Corpus, header: Sequence[str], name: str, place: tuple[str | int, ...]) -> int:
    if name.strip() in header:
        return header.index(name.strip())
    raise CorpusError(
        f"{corpus.at(*place)}: expected one of the table's columns "
        f"{', '.join(header) or '(none)'}, found '{name}'.{suggest(name, header)} Correct it, or "
        "`separator:` and `skip:`."
    )


def _file_name(text: str) -> str:
    """Return a file's name or path in a table as `AudioFile` spells it."""
    return with_small_extension(text.replace("\\", "/").removeprefix("./"))
