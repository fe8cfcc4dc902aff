"""Tables beside the audio: which of them speak of the clips, and what their columns mean."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from ...errors import named
from ..entries.table_kinds import BOOKS, REFUSED, TABLES, TEXTS, suffix
from ..reading.audio_files import AudioFile, scan
from ..reading.table_formats import content_of, read
from ..reading.table_keys import Paths, spelled
from ..reading.table_parts import Form, Unreadable
from ..reading.table_sniffing import cleaned, invented, sniffed
from ..table_columns import is_number
from .choice import MOST_SPEAKERS
from .legends import Texts, understood
from .vocabulary import COLUMNS, Meaning, plain, sexes

_Rows = Sequence[tuple[str, ...] | None]
_MOST_FILES, _MOST_BYTES = 20, 50_000_000


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        files: its name, or those of tables that go on from one another
        form: how it is written
        header: names of the columns
        rows: cells by row, as many as the header has
    """

    files: tuple[str, ...]
    form: Form
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Join:
    """A table that says something of the clips, or of the speakers.

    Attributes:
        sheet: the table
        key: our column and the table's by which a row is found
        columns: our columns and the table's
        labels: by file; None where the table has no row, and none at all if it tells no emotion
        emotion: what the labels mean
        missing: files without a row
        others: columns of other emotions, where none is called so
        persons: columns that nothing is known of and that may tell who speaks, names first
    """

    sheet: Sheet
    key: tuple[str, str]
    columns: Mapping[str, str]
    labels: Sequence[str | None]
    emotion: Meaning
    missing: int
    others: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()


def sheets(folder: Path, stems: Set[str]) -> tuple[list[Sheet], list[str]]:
    """Return the tables below a folder, and a sentence for each kind that is there and not read.

    `stems` are the names of the audio files without extension.
    """
    files = scan(folder, [f"*.{ending}" for ending in (*TABLES, *REFUSED)])
    names = Counter(file.name for file in files)
    by_ending: dict[str, list[AudioFile]] = defaultdict(list)
    for file in files:
        by_ending[suffix(file.name)].append(file)
    found: list[Sheet] = []
    notes = []
    for ending, group in by_ending.items():
        unread, why = group[_MOST_FILES:], ""
        for file in group[:_MOST_FILES]:
            try:
                name = file.name if names[file.name] == 1 else file.relative
                tables = list(_read(file, name, stems))
            except (Unreadable, OSError) as error:
                tables, why = [], why or str(error)
            found += tables
            unread += [] if tables else [file]
        if unread and (why or ending not in TEXTS):
            why = why or "found no rows. If it tells emotions or speakers, write one table of all."
            notes.append(f"{named([file.relative for file in unread])}: seen, but not read: {why}")
    return [*_continued(found), *found], notes


def _continued(found: Sequence[Sheet]) -> Iterator[Sheet]:
    """Yield tables of one form, such as train.csv and test.csv, as one."""
    by_form: dict[tuple, list[Sheet]] = defaultdict(list)
    for sheet in found:
        by_form[sheet.form, sheet.header].append(sheet)
    for group in by_form.values():
        if len(group) > 1:
            files = tuple(file for sheet in group for file in sheet.files)
            yield replace(group[0], files=files, rows=sum((sheet.rows for sheet in group), ()))


def joined(sheet: Sheet, wanted: Mapping[str, Sequence[str]], told: Texts = ()) -> Join | None:
    """Return how a table belongs to files or speakers; None if it does not list most of them.

    `wanted` is what they are called, by our column, and `told` may explain the table's codes.
    """
    most, best = 0.5, None
    for (kind, names), column in product(wanted.items(), range(len(sheet.header))):
        rows = {spelled(kind, row[column]): row for row in sheet.rows}
        if len(rows) < len(sheet.rows):  # several rows for one file, or no names at all
            continue
        if kind == "path":
            paths = Paths(rows)
            names = [paths.cell_of(name) or name for name in names]  # noqa: PLW2901
        listed = [rows.get(name) for name in names]
        if names and (share := 1 - listed.count(None) / len(names)) > most:
            most, best = share, _join(sheet, (kind, column), listed, told)
    return best


def _join(sheet: Sheet, key: tuple[str, int], rows: _Rows, told: Texts) -> Join | None:
    """Return what a table says of files or speakers; None if nothing is known of its columns."""
    columns: dict[str, str] = {}
    telling: list[tuple[bool, float, str, Sequence[str | None], Meaning]] = []
    persons: list[tuple[bool, str]] = []
    for position, name in enumerate(sheet.header):
        cells = [row and row[position] for row in rows]
        counts = Counter(cell for cell in cells if cell)
        if position == key[1] or not counts:
            continue
        read = understood(counts, told)
        role = _role(name, counts, read)
        columns.setdefault(role, name)
        if not role and 2 <= len(counts) <= min(counts.total() / 2, MOST_SPEAKERS):
            persons.append((all(map(is_number, counts)), name))
        if role == "emotion":
            is_called_so = plain(name.rpartition(".")[2]) in COLUMNS
            telling.append((is_called_so, read.score, name, cells, read))
    columns.pop("", None)
    if not columns:
        return None
    none = (True, 0.0, "", (), Meaning())
    named, _, name, labels, emotion = max(telling, key=lambda one: one[:2], default=none)
    columns |= {"emotion": name} if name else {}
    others = tuple(one[2] for one in telling if not named and one[3] != labels)
    by = key[0], sheet.header[key[1]]
    who = tuple(name for _, name in sorted(persons))
    return Join(sheet, by, columns, labels, emotion, rows.count(None), others, who)


def _role(name: str, counts: Mapping[str, int], read: Meaning) -> str:
    """Return which column of ours a table's is, by its name and what it holds; "" if none."""
    role = COLUMNS.get(plain(name)) or COLUMNS.get(plain(name.rpartition(".")[2]), "")
    if role in ("", "emotion"):
        if read.score > 0.5 or (role and len(counts) <= 30):
            return "emotion"
        return "sex" if not role and sexes(counts) else ""
    if role == "sentence" and sum(" " in cell for cell in counts) > len(counts) / 2:
        return "transcript"
    fits = {"age": all(map(is_number, counts)), "sex": len(counts) == 1 or sexes(counts)}
    return role if fits.get(role, True) else ""


def _read(file: AudioFile, name: str, stems: Set[str]) -> Iterator[Sheet]:
    """Yield the tables of a file.

    Raises:
        Unreadable: if it is not what its name says
    """
    if not 0 < file.size <= _MOST_BYTES and suffix(name) in TABLES:
        return
    content = content_of(file)
    form = sniffed(name, content, stems) if suffix(name) in TEXTS else Form()
    parts = read(name, content, form) if form else []
    if suffix(name) in BOOKS and (header := invented(parts[0], stems)):
        form = Form(header=header)
        parts = read(name, content, form)
    if len({tuple(part.header) for part in parts}) == 1:  # sheets that go on from one another
        lines = [line for part in parts for line in part.lines]
        parts = [replace(parts[0], lines=lines, sheet=None)]
    for part in parts:
        if table := cleaned(part):
            rows = tuple(tuple(row) for _, row in table.lines)
            sheet = (part.sheet,) if part.sheet else ()
            yield Sheet((name,), replace(form, sheet=sheet), tuple(table.header), rows)
