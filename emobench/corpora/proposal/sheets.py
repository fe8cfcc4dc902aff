"""Tables beside the audio: which of them speak of the clips, and what their columns mean."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..reading.audio_files import AudioFile, scan
from ..reading.clips import named
from ..reading.table_keys import Paths, spelled
from ..table_columns import is_number
from .vocabulary import Meaning, meaning, plain, sexes

_HEADERS = {
    "emotion": "emotion emotions label emo class category affect gefuhl gefuehl emocion emozione",
    "speaker": "speaker speakerid spk spkid actor actorid subject subjectid participant "
    "participantid talker voice person personid sprecher sprecherin locuteur parlante hablante",
    "sex": "sex gender geschlecht sexe genre sesso sexo genero",
    "age": "age alter eta edad",
    "transcript": "transcript transcription text words utterance satz phrase texte testo texto",
    "sentence": "sentence sentenceid prompt promptid item itemid",
}
_ROLES = {word: role for role, text in _HEADERS.items() for word in text.split()}
_SEPARATORS = (",", ";", "\t", "|")
_MOST_BYTES = 50_000_000
_MOST_FILES = 20
_MOST_SKIPPED = 6


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        files: its name, or those of tables that go on from one another
        encoding: in which it is written
        separator: between its columns
        skip: lines before the header
        header: names of the columns
        rows: cells by row, as many as the header has
    """

    files: tuple[str, ...]
    encoding: str
    separator: str
    skip: int
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Join:
    """A table that says something of the clips, or of the speakers.

    Attributes:
        sheet: the table
        key: our column and the table's by which a row is found
        columns: our columns and the table's
        values: text by our column and file; None where the table has no row
        emotion: what the labels mean, if it has any
        missing: files without a row
    """

    sheet: Sheet
    key: tuple[str, str]
    columns: Mapping[str, str]
    values: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    emotion: Meaning | None = None
    missing: int = 0


def sheets(folder: Path) -> list[Sheet]:
    """Return the tables below a folder, as far as they can be read as such."""
    files = [
        file for file in scan(folder, ("*.csv", "*.tsv", "*.txt")) if 0 < file.size <= _MOST_BYTES
    ]
    names = Counter(file.name for file in files)
    found = []
    for file in files[:_MOST_FILES]:
        sheet = _read(file, file.name if names[file.name] == 1 else file.relative)
        if sheet is not None:
            found.append(sheet)
    return [*_continued(found), *found]


def unread(folder: Path) -> list[str]:
    """Return a sentence for each kind of table that is seen and not read."""
    globs = ("*.json", "*.jsonl", "*.ndjson", "*.xlsx", "*.xls", "*.parquet", "*.arrow")
    found = ([file.relative for file in scan(folder, [glob])] for glob in globs)
    return [
        f"{named(files)}: seen, but not read. If it tells emotions or speakers, name it under "
        "`tables` (.json and .xlsx can be read), or save it as CSV and propose again."
        for files in filter(None, found)
    ]


def _continued(found: Sequence[Sheet]) -> Iterator[Sheet]:
    """Yield tables of one form, such as train.csv and test.csv, as one."""
    by_form: dict[tuple, list[Sheet]] = defaultdict(list)
    for sheet in found:
        by_form[sheet.encoding, sheet.separator, sheet.skip, sheet.header].append(sheet)
    for group in by_form.values():
        if len(group) > 1:
            files = tuple(file for sheet in group for file in sheet.files)
            yield replace(group[0], files=files, rows=sum((sheet.rows for sheet in group), ()))


def of_clips(sheet: Sheet, files: Sequence[AudioFile]) -> Join | None:
    """Return how a table belongs to audio files; None if it does not list most of them."""
    best: tuple[int, str, int, list[int | None]] | None = None
    for kind in ("name", "stem", "path"):
        wanted = [file.location if kind == "path" else getattr(file, kind) for file in files]
        for column in range(len(sheet.header)):
            cells = [spelled(kind, row[column]) for row in sheet.rows]
            rows = {cell: number for number, cell in enumerate(cells)}
            if len(rows) < len(cells):  # several rows for one file, or no names at all
                continue
            paths = Paths(cells) if kind == "path" else None
            place = [rows.get((paths and paths.cell_of(text)) or text) for text in wanted]
            count = sum(number is not None for number in place)
            if count > (best[0] if best else len(files) / 2):
                best = count, kind, column, place
    if best is None:
        return None
    count, kind, column, place = best
    values = {
        name: tuple(None if number is None else sheet.rows[number][position] for number in place)
        for position, name in enumerate(sheet.header)
        if position != column
    }
    roles, emotion = _roles(values)
    if not roles:
        return None
    return Join(
        sheet,
        (kind, sheet.header[column]),
        roles,
        {ours: values[name] for ours, name in roles.items()},
        emotion,
        len(files) - count,
    )


def of_speakers(sheet: Sheet, speakers: Iterable[str]) -> Join | None:
    """Return how a table belongs to speakers; None if it says nothing of them."""
    wanted = set(speakers)
    for column, name in enumerate(sheet.header):
        cells = [row[column] for row in sheet.rows]
        if len(set(cells)) < len(cells) or len(wanted & set(cells)) <= len(wanted) / 2:
            continue
        rest = {
            other: [row[position] for row in sheet.rows]
            for position, other in enumerate(sheet.header)
            if position != column
        }
        roles, _ = _roles(rest)
        told = {ours: theirs for ours, theirs in roles.items() if ours in ("sex", "age")}
        if told:
            return Join(sheet, ("speaker", name), told, {ours: rest[told[ours]] for ours in told})
    return None


def _roles(values: Mapping[str, Sequence[str | None]]) -> tuple[dict[str, str], Meaning | None]:
    """Return our columns by the table's names, and what the labels mean."""
    roles: dict[str, str] = {}
    labels: Meaning | None = None
    for name, cells in values.items():
        counts = Counter(cell for cell in cells if cell)
        role = _ROLES.get(plain(name))
        if not counts:
            continue
        read = meaning(counts)
        is_label = role == "emotion" and len(counts) <= 30
        if (read.score > 0.5 and role in (None, "emotion")) or is_label:
            if labels is None or read.score > labels.score:
                roles["emotion"], labels = name, read
        elif role is None and sexes(counts):
            roles.setdefault("sex", name)
        elif role == "age" and not all(is_number(cell) for cell in counts):
            continue
        elif role == "sentence" and sum(" " in cell for cell in counts) > len(counts) / 2:
            roles.setdefault("transcript", name)
        elif role == "sex" and sexes(counts) is None and len(counts) > 1:
            continue
        elif role is not None and role != "emotion":
            roles.setdefault(role, name)
    return roles, labels


def _read(file: AudioFile, name: str) -> Sheet | None:
    content = Path(file.path).read_bytes()
    encoding = "utf-8"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding = "cp1252"
        text = content.decode(encoding, errors="replace")
    lines = unicodedata.normalize("NFC", text).splitlines()
    best: Sheet | None = None
    for skip in range(min(_MOST_SKIPPED, len(lines))):
        for separator in _SEPARATORS:
            sheet = _tried(lines[skip:], Sheet((name,), encoding, separator, skip, (), ()))
            if sheet and (best is None or len(sheet.header) > len(best.header)):
                best = sheet
        if best is not None:
            break
    return best


def _tried(lines: Sequence[str], sheet: Sheet) -> Sheet | None:
    """Return a table read from lines; None if they do not look like one."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=sheet.separator) if any(row)]
    except csv.Error:
        return None
    if len(rows) < 2:
        return None
    header = tuple(cell.strip() for cell in rows[0])
    whole = [tuple(map(str.strip, row)) for row in rows if len(row) == len(header)]
    known = [place for place, name in enumerate(header) if name]
    named = len({header[place] for place in known}) == len(known) >= max(1, len(header) - 1)
    if not named or len(header) < 2 or len(whole) < 0.9 * len(rows):
        return None
    # A column without a name is one that counts the rows.
    names, *cells = (tuple(row[place] for place in known) for row in whole)
    return replace(sheet, header=names, rows=tuple(cells))
