"""Tables beside the audio (speakers, labels, texts), joined to clips by what both know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import CorpusError, suggest
from ..entries.items import Listing, SideTable
from ..entries.schema import Corpus
from . import table_files
from .audio_files import AudioFile, scan
from .table_keys import Paths, spelled
from .table_parts import Part

_Rows = dict[tuple[str, ...], dict[str, str]]


@dataclass(frozen=True)
class Join:
    """A side table, ready to be asked.

    Attributes:
        key: our columns that lead to a row
        rows: what the table says, by the texts of these columns
        paths: what the table calls files, where it is joined by their path
    """

    key: tuple[str, ...]
    rows: Mapping[tuple[str, ...], Mapping[str, str]]
    paths: Paths | None = None

    def facts_of(self, facts: Mapping[str, str]) -> Mapping[str, str]:
        """Return what the table says of a clip; nothing if it does not list it."""
        texts = {column: facts.get(column, "") for column in self.key}
        if self.paths is not None:
            texts["path"] = self.paths.cell_of(texts["path"]) or texts["path"]
        return self.rows.get(tuple(texts.values()), {})


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
            advice = "Unpack it there, or write `required: false`."
            if table.source is not None:
                advice = f"It comes from {table.source}."
            raise CorpusError(
                f"{corpus.at('tables', position, 'file')}: expected a file {table.file} somewhere "
                f"below {folder}, found none. {advice}"
            )
    return joins


def read_lists(corpus: Corpus, folder: Path) -> list[Paths | None]:
    """Return the files that each rule under `drop` lists; None where it lists none.

    Raises:
        CorpusError: if such a table cannot be read, or lacks its column
    """
    lists: list[Paths | None] = []
    for position, rule in enumerate(corpus.drop):
        found = scan(folder, [rule.listed.file]) if rule.listed else []
        lists.append(_listed(corpus, rule.listed, position, found[0]) if found else None)
    return lists


def _listed(corpus: Corpus, table: Listing, position: int, file: AudioFile) -> Paths:
    cells: list[str] = []
    place = ("drop", position, "listed")
    for part in table_files.read(file, table, corpus.at(*place)):
        column = _column(corpus, part.header, table.column, (*place, "column"))
        cells += [spelled("path", line[column].strip()) for _, line in part.lines if line[column:]]
    return Paths(cells)


def _join(corpus: Corpus, table: SideTable, position: int, file: AudioFile) -> Join:
    rows: _Rows = {}
    for part in table_files.read(file, table, corpus.at("tables", position)):
        _add(corpus, table, position, file, part, rows)
    if "path" not in table.key:
        return Join(tuple(table.key), rows)
    place = list(table.key).index("path")
    return Join(tuple(table.key), rows, Paths(key[place] for key in rows))


def _add(
    corpus: Corpus, table: SideTable, position: int, file: AudioFile, part: Part, rows: _Rows
) -> None:
    """Enter the lines of a table under their keys."""
    place = ("tables", position)
    keys = {
        ours: _column(corpus, part.header, name, (*place, "key", ours))
        for ours, name in table.key.items()
    }
    columns = {
        ours: _column(corpus, part.header, name, (*place, "columns", ours))
        for ours, name in table.columns.items()
    }
    for number, line in part.lines:
        cells = [cell.strip() for cell in line] + [""] * (len(part.header) - len(line))
        key = tuple(spelled(ours, cells[index]) for ours, index in keys.items())
        if not any(key):
            continue
        said = {ours: cells[index] for ours, index in columns.items() if _known(cells[index])}
        known = rows.setdefault(key, said)
        also = tuple(table.spelt.get(text, text) for text in key)
        rows.setdefault(also, known)
        if any(known.setdefault(column, text) != text for column, text in said.items()):
            raise CorpusError(
                f"{file.path}, {part.where} {number}: expected one row for {', '.join(key)}, found "
                f"a second that says otherwise ({corpus.at(*place)}). Correct the table, or join "
                "by more columns."
            )


def _column(corpus: Corpus, header: Sequence[str], name: str, place: tuple[str | int, ...]) -> int:
    if name.strip() in header:
        return header.index(name.strip())
    raise CorpusError(
        f"{corpus.at(*place)}: expected one of the table's columns "
        f"{', '.join(header) or '(none)'}, found '{name}'.{suggest(name, header)} Correct it, or "
        "`separator:` and `skip:`."
    )


def _known(cell: str) -> bool:
    """Tell whether a cell says anything; question marks do not."""
    return re.fullmatch(r"\?*", cell) is None
