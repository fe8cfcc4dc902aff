"""Databases in audformat, the field's format: a header `db.yaml` with tables beside it.

They are read by the package audformat, which its makers keep. A column tells what it is called
after, by itself or by its scheme: `emotion`, `speaker`, `gender`, `transcription` and so on. What
the labels of a scheme say themselves, such as the sex of each speaker, counts too.

Labels of whole files are used where there are any, else those of segments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import CorpusError, count, named
from ..entries.fields import SEXES
from ..entries.schema import Corpus
from ..reading.audio_files import AudioFile, readable, scan
from ..reading.clips import Clip, LabelledClips
from ..reading.table_keys import Paths, spelled

if TYPE_CHECKING:
    import audformat

HEADER = "db.yaml"
TEXTS = "audformat-texts"
"""Name of the reader for databases that tell what is said."""

_ROLES = {
    "emotion": "emotion",
    "speaker": "speaker",
    "session": "group",
    "group": "group",
    "gender": "sex",
    "sex": "sex",
    "age": "age",
    "transcription": "transcript",
    "transcript": "transcript",
    "sentence": "sentence",
    "intensity": "intensity",
    "repetition": "repetition",
}
"""Our columns by what a database calls its columns and schemes."""

_UNLABELLED = "the database gives it no emotion"
_MOST_SHOWN = 5

Place = tuple[str, float | None, float | None]
"""A file as the database calls it, and where a segment begins and ends, None for a whole file."""


@dataclass
class Told:
    """What the tables of a database say.

    Attributes:
        facts: texts by our columns, of each file or segment that has any
        problems: what contradicts itself, one sentence each
    """

    facts: dict[Place, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    problems: list[str] = field(default_factory=list)

    def add(self, place: Place, column: str, text: str, table: str) -> None:
        """Note a fact; what an earlier table said stays."""
        before = self.facts[place].setdefault(column, text)
        if before != text:
            self.problems.append(
                f"table '{table}': expected {column} '{before}' for {place[0]} as in another "
                f"table, found '{text}'. Keep one of the two in the database."
            )

    def clips(self) -> dict[Place, dict[str, str]]:
        """Return the files that have an emotion or, where none has, the segments."""
        labelled = {place: facts for place, facts in self.facts.items() if "emotion" in facts}
        whole = {place: facts for place, facts in labelled.items() if place[1:] == (None, None)}
        of_files = {
            place[0]: facts for place, facts in self.facts.items() if place[1:] == (None,) * 2
        }
        return {
            place: {**of_files.get(place[0], {}), **facts}
            for place, facts in (whole or labelled).items()
        }


def read(corpus: Corpus, folder: Path, files: Sequence[AudioFile]) -> LabelledClips:
    """Return the clips of a database that have both a recording and an emotion.

    Raises:
        CorpusError: if there is no database, or it cannot be read
    """
    told = tell(folder)
    texts = corpus.reader == TEXTS
    places = told.clips()
    by_cell: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_cell[spelled("path", place[0])].append(place)
    known, found, clips, unlabelled = Paths(by_cell), set(), [], []
    for file in files:
        cell = known.cell_of(file.location)
        if cell is None:
            unlabelled.append(file.relative)
            continue
        found.add(cell)
        for place in by_cell[cell]:
            facts = {
                key: text for key, text in places[place].items() if texts or key != "transcript"
            }
            clips.append(Clip(_id(place), file, facts, *place[1:]))
    lost = [cell for cell in by_cell if cell not in found]
    gaps = (_lost_message(corpus, lost),) if lost else ()
    dropped = {_UNLABELLED: len(unlabelled)} if unlabelled else {}
    problems = [f"{corpus.at('reader')}: {text}" for text in told.problems[:_MOST_SHOWN]]
    return LabelledClips(tuple(clips), dropped, (), gaps, tuple(problems))


def tell(folder: Path) -> Told:
    """Return what the tables of a database say of files and segments.

    Args:
        folder: that holds it, at whatever depth

    Raises:
        CorpusError: if there is no database, or it cannot be read
    """
    database = load(folder)
    told = Told()
    for name in database.tables:
        for place, column, text in _facts(database, name):
            told.add(place, column, text, name)
    return told


def load(folder: Path) -> audformat.Database:
    """Return a database with its header; tables are read when they are asked for.

    Raises:
        CorpusError: if there is none, or it cannot be read
    """
    headers = scan(folder, [HEADER])
    if len(headers) != 1:
        found = named([file.relative for file in headers]) or "none"
        raise CorpusError(
            f"{readable(str(folder))}: expected one database of audformat, with the header "
            f"{HEADER}, found {found}."
        )
    root = Path(headers[0].path).parent
    pickled = scan(root, ["db.*.pkl"])
    if pickled:
        raise CorpusError(
            f"{readable(str(root))}: expected tables as CSV or Parquet, found pickles, which can "
            f"run code when they are opened: {named([file.relative for file in pickled])}. Save "
            "the database again, and remove them."
        )
    try:
        import audformat
    except ImportError:
        raise CorpusError(
            f"{readable(str(root))}: expected the package audformat, found that it is not "
            'installed. Run `pip install "emobench[audformat]"`.'
        ) from None
    try:
        return audformat.Database.load(str(root))
    except Exception as error:  # a header that is no header fails in many ways
        raise _unreadable(headers[0].path, error) from error


def _facts(database: audformat.Database, name: str) -> Iterator[tuple[Place, str, str]]:
    """Yield what a table says: of which file or segment, our column, and the text."""
    table = database[name]
    roles = {column: _role(column, kept.scheme_id) for column, kept in table.columns.items()}
    wanted = {column: role for column, role in roles.items() if role}
    if not wanted:
        return
    try:
        frame = table.df
    except Exception as error:  # a damaged file fails in as many ways as there are formats
        raise _unreadable(f"table '{name}'", error) from error
    places = [_place(index) for index in frame.index]
    for column, role in wanted.items():
        scheme = table.columns[column].scheme_id
        meanings = _meanings(database, scheme) if scheme else {}
        for place, value in zip(places, frame[column], strict=True):
            text = _text(value)
            if text is None:
                continue
            said = meanings.get(text, {})
            if role == "transcript" and "transcript" in said:  # a code for what is said
                yield place, "sentence", text
            elif role != "sex" or text.casefold() in SEXES:
                yield place, role, text
            for further, meaning in said.items():
                yield place, further, meaning


def _meanings(database: audformat.Database, scheme: str) -> dict[str, dict[str, str]]:
    """Return what the labels of a scheme say themselves: texts by our columns, by label."""
    labels = database.schemes[scheme].labels
    if isinstance(labels, str):  # a table of labels
        labels = database[labels].df.to_dict("index")
    if not isinstance(labels, Mapping):
        return {}
    found: dict[str, dict[str, str]] = {}
    for label, said in labels.items():
        if isinstance(said, Mapping):
            facts = {_ROLES.get(str(key)): _text(value) for key, value in said.items()}
        else:
            facts = {_ROLES.get(scheme): _text(said)} if _ROLES.get(scheme) == "transcript" else {}
        found[str(label)] = {
            key: text
            for key, text in facts.items()
            if key not in (None, "emotion", "speaker")
            and text is not None
            and (key != "sex" or text.casefold() in SEXES)
        }
    return found


def _role(column: str, scheme: str | None) -> str | None:
    return _ROLES.get(column.casefold()) or _ROLES.get((scheme or "").casefold())


def _place(index: Any) -> Place:
    """Return a row of an index; a segment of a whole file is that file."""
    if isinstance(index, str):
        return index, None, None
    import pandas as pd

    file, start, end = index
    begin = None if pd.isna(start) else start.total_seconds()
    stop = None if pd.isna(end) else end.total_seconds()
    return (file, None, None) if not begin and stop is None else (file, begin, stop)


def _text(value: Any) -> str | None:
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _id(place: Place) -> str:
    """Return the name of a clip: its file as the database has it, and the milliseconds it spans."""
    file, start, end = place
    stem, dot, extension = file.replace("\\", "/").rpartition(".")
    stem = stem if dot and "/" not in extension else file
    if start is None and end is None:
        return stem
    stop = "" if end is None else round(1000 * end)
    return f"{stem}-{round(1000 * (start or 0))}-{stop}".rstrip("-")


def _unreadable(what: str, error: Exception) -> CorpusError:
    found = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return CorpusError(
        f"{what}: expected a database that audformat can read, found: {found[:300]}. Save it anew."
    )


def _lost_message(corpus: Corpus, cells: Sequence[str]) -> str:
    return (
        f"{corpus.at('reader')}: expected an audio file for every label, found none for "
        f"{count(len(cells), 'file')}: {named(cells)}. Put the audio where the database says."
    )
