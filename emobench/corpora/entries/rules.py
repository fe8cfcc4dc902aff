"""What the keys of an entry mean to each other: the mistakes that types alone do not show."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import suggest
from .fields import EMOTIONS, FACTS, FILE_FACTS, SEXES, TABLE_COLUMNS, split_emotion
from .items import TableFile
from .readers import READERS
from .schema import WITH_POOL, Entry
from .table_kinds import BOOKS, REFUSED, TABLES, TEXTS, suffix
from .yaml_source import Location

GENERATORS = ("demo",)
"""What makes a corpus on first use, by the name that an entry gives after `generator:`."""

_HINTS = {
    "session": "Call it 'group': what is held out together.",
    "gender": "Did you mean 'sex'?",
    "text": "Did you mean 'transcript' or 'sentence'?",
    "label": "Did you mean 'emotion'?",
    "actor": "Did you mean 'speaker'?",
}


LONGEST_NAME = 100
"""Letters of the name of a corpus or of a variant: folders are called so."""


def is_name(text: str) -> bool:
    """Tell whether a corpus or a variant may be called so."""
    plain = re.fullmatch(r"[a-z0-9]+(?:[-+._][a-z0-9]+)*", text)
    return plain is not None and len(text) <= LONGEST_NAME


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with an entry.

    Attributes:
        place: keys and positions that lead to it
        expected: what should stand there
        found: what stands there
        advice: what to do
    """

    place: Location
    expected: str
    found: str
    advice: str = ""


def mistakes(entry: Entry) -> Iterator[Mistake]:
    """Yield what is wrong with an entry whose types are right."""
    if entry.pool:
        yield from _pool(entry)
        yield from _variants(entry)
        return
    yield from _sources(entry)
    yield from _without_effect(entry)
    yield from _column_names(entry)
    yield from _sexes(entry)
    yield from _templates(entry)
    yield from _drops(entry)
    yield from _tables(entry)
    yield from _folds(entry)
    yield from _counts(entry)
    yield from _variants(entry)


def _columns(entry: Entry) -> tuple[str, ...]:
    """Return the columns that the entry may fill."""
    return ("emotion", *FACTS, *entry.extra)


def _sources(entry: Entry) -> Iterator[Mistake]:
    """Check that speaker and emotion come from somewhere, and that named code exists."""
    if entry.reader is not None and entry.reader not in READERS:
        known = ", ".join(READERS) or "(none)"
        yield Mistake(
            ("reader",),
            f"one of the readers {known}",
            f"'{entry.reader}'",
            suggest(entry.reader, READERS) or "Leave it out and describe the files by `pattern`.",
        )
        return
    if entry.generator is not None and entry.generator not in GENERATORS:
        advice = suggest(entry.generator, GENERATORS) or "Leave it out."
        expected = f"one of {', '.join(GENERATORS)}"
        yield Mistake(("generator",), expected, f"'{entry.generator}'", advice)
    if entry.pattern is None and entry.reader is None and not entry.tables:
        yield Mistake(
            (),
            "the key 'pattern' (or 'tables', or 'reader')",
            "none of them",
            r"Add e.g. pattern: ^(?P<speaker>\w+)_(?P<emotion>\w+)\.wav$",
        )
        return
    for column in ("speaker", "emotion"):
        if column not in entry.columns:
            place = ("pattern",) if entry.pattern is not None else ("tables",)
            yield Mistake(
                place if entry.pattern is not None or entry.tables else ("reader",),
                f"something that yields '{column}'",
                "nothing",
                f"Add a group (?P<{column}>…) to `pattern`, a side table's column, or a value "
                "under `defaults`.",
            )


def _without_effect(entry: Entry) -> Iterator[Mistake]:
    """Check that files are looked for, and that only one key says how they are read."""
    if not entry.glob:
        advice = "Leave it out for *.wav."
        yield Mistake(("glob",), "the files of the corpus, such as '*.wav'", "none", advice)
    if entry.reader is None:
        return
    for key in ("match", "pattern", "id"):
        if key in entry.model_fields_set:
            expected = "no key that says how names are read beside `reader`"
            yield Mistake((key,), expected, f"'{key}'", "Remove one of the two.")


def _sexes(entry: Entry) -> Iterator[Mistake]:
    """Check that what the entry itself fills into the column `sex` is one."""
    texts = {("defaults", "sex"): entry.defaults.get("sex")}
    if rule := entry.values.get("sex"):
        texts["values", "sex", "otherwise"] = rule.otherwise
        texts |= {("values", "sex", "map", code): text for code, text in rule.map.items()}
    for place, text in texts.items():
        if text is not None and "{" not in text and text.casefold() not in SEXES:
            advice = suggest(text, ("female", "male")).strip()
            advice = advice or "Leave it out where it is unknown."
            yield Mistake(place, "female or male", f"'{text}'", advice)


def _column_names(entry: Entry) -> Iterator[Mistake]:
    """Check that everything that is called a column is one."""
    columns = _columns(entry)
    for position, name in enumerate(entry.extra):
        if name in {*FILE_FACTS, *TABLE_COLUMNS} or not name.isidentifier():
            advice = "It is a column already: leave it out." if name in TABLE_COLUMNS else ""
            yield Mistake(("extra", position), "the name of a further column", f"'{name}'", advice)
    if entry.pattern is not None:
        for name in re.compile(entry.pattern).groupindex:
            if name not in columns:
                yield _unknown_column(("pattern",), name, columns, "a group named after")
    for key in ("values", "defaults"):
        for name in getattr(entry, key):
            if key == "values" and name == "emotion":
                yield Mistake((key, name), "any other column", "'emotion'", "Use `emotions:`.")
            elif name not in columns:
                yield _unknown_column((key, name), name, columns, "")
    for name, rule in entry.values.items():
        if rule.source is not None and rule.source not in entry.raw_columns:
            place = ("values", name, "from")
            yield _unknown_column(place, rule.source, tuple(sorted(entry.raw_columns)), "")
    if entry.transcripts and "sentence" not in entry.columns:
        yield Mistake(
            ("transcripts",),
            "a column 'sentence' to look texts up by",
            "none",
            "Add a group (?P<sentence>…) to `pattern`.",
        )


def _unknown_column(place: Location, name: str, known: tuple[str, ...], prefix: str) -> Mistake:
    expected = f"{prefix} one of the columns {', '.join(known) or '(none)'}".strip()
    advice = suggest(name, known).strip() or _HINTS.get(name, "")
    if not advice:
        advice = "List it under `extra:` to keep it, or write (?:…) for a group without a name."
    return Mistake(place, expected, f"'{name}'", advice)


def _templates(entry: Entry) -> Iterator[Mistake]:
    """Check the names in braces of `id` and of `defaults`."""
    texts = {("id",): (entry.id, entry.raw_columns - _from_tables(entry))}
    for name, text in entry.defaults.items():
        texts["defaults", name] = (text, entry.columns - {name})
    for place, (text, known) in texts.items():
        if text is None:
            continue
        try:
            parts = [part for part in string.Formatter().parse(text) if part[1] is not None]
        except ValueError as error:
            yield Mistake(place, "text with {column} in braces", f"'{text}'", f"Python: {error}.")
            continue
        fields = [field for _, field, _, _ in parts]
        if any(spec or conversion for _, _, spec, conversion in parts):
            yield Mistake(
                place, "names alone in braces", f"'{text}'", "Remove what follows : or !."
            )
        for field in fields:
            if field not in known:
                advice = suggest(field, known).strip()
                yield Mistake(
                    place,
                    f"names in braces out of {', '.join(sorted(known)) or '(none)'}",
                    f"'{{{field}}}'",
                    advice or "Only what `pattern` finds can be used.",
                )
        if place == ("id",) and not fields:
            yield Mistake(place, "a template such as '{speaker}_{sentence}'", f"'{text}'")


def _from_tables(entry: Entry) -> set[str]:
    groups = re.compile(entry.pattern).groupindex if entry.pattern else {}
    return {column for table in entry.tables for column in table.columns if column not in groups}


def _drops(entry: Entry) -> Iterator[Mistake]:
    known = {*entry.raw_columns, *FILE_FACTS}
    for position, rule in enumerate(entry.drop):
        if not rule.where and rule.listed is None:
            advice = "Add e.g. where: {emotion: x}."
            yield Mistake(("drop", position), "the key 'where' or 'listed'", "neither", advice)
        if rule.listed is not None:
            yield from _table_file(rule.listed, ("drop", position, "listed"))
        for name in rule.where:
            if name not in known:
                yield Mistake(
                    ("drop", position, "where", name),
                    f"one of {', '.join(sorted(known))}",
                    f"'{name}'",
                    suggest(name, known).strip()
                    or "Clips are dropped by what names and tables say.",
                )


def _tables(entry: Entry) -> Iterator[Mistake]:
    columns = _columns(entry)
    groups = set(re.compile(entry.pattern).groupindex) if entry.pattern else set()
    for position, table in enumerate(entry.tables):
        place = ("tables", position)
        yield from _table_file(table, place)
        for name in table.columns:
            if name not in columns:
                yield _unknown_column((*place, "columns", name), name, columns, "")
        known = tuple(sorted({*groups, *FILE_FACTS, *_read(entry)}))
        for name in table.key:
            if name not in known:
                yield _unknown_column((*place, "key", name), name, known, "")
    if entry.texts is not None:
        yield from _encoding(("texts", "encoding"), entry.texts.encoding)


def _table_file(table: TableFile, place: Location) -> Iterator[Mistake]:
    kind = suffix(table.file)
    if kind not in TABLES:
        *others, last = (f".{name}" for name in TABLES)
        expected = f"a {', '.join(others)} or {last} file"
        what, advice = REFUSED.get(kind, ("", "Save it as CSV, or as .xlsx if it is a workbook."))
        found = f"'{table.file}'" + (f", {what}" if what else "")
        yield Mistake((*place, "file"), expected, found, advice)
    elif table.sheet and kind not in BOOKS:
        found = f"sheets of '{table.file}'"
        yield Mistake((*place, "sheet"), "a workbook (.xlsx)", found, "Remove `sheet:`.")
    elif table.separator is not None and kind not in TEXTS:
        found = f"a separator of '{table.file}'"
        yield Mistake((*place, "separator"), "text", found, "Remove `separator:`.")
    if table.header and kind in TABLES and kind not in (*TEXTS, *BOOKS):
        found = f"names for the columns of '{table.file}', which has its own"
        yield Mistake((*place, "header"), "a text or a workbook", found, "Remove `header:`.")
    for name, times in Counter(name.strip() for name in table.header).items():
        if times > 1:
            found = f"'{name}' {times} times"
            yield Mistake((*place, "header"), "a name for each column", found, "Rename one.")
    yield from _encoding((*place, "encoding"), table.encoding)


def _encoding(place: Location, encoding: str) -> Iterator[Mistake]:
    try:
        b"a".decode(encoding, errors="ignore")  # some that Python knows encode no text
    except (LookupError, ValueError):
        yield Mistake(
            place,
            "an encoding that Python knows",
            f"'{encoding}'",
            suggest(encoding, ("utf-8", "latin-1", "cp1252", "utf-16")).strip()
            or "Common ones are utf-8, latin-1 and cp1252.",
        )


def _pool(entry: Entry) -> Iterator[Mistake]:
    """Check an entry that is made of others: it says nothing of files itself."""
    if len(entry.pool) < 2:
        yield Mistake(("pool",), "two corpora or more", f"{len(entry.pool)}", "Name another.")
    for position, name in enumerate(entry.pool):
        if name in entry.pool[:position]:
            expected = "each corpus once"
            yield Mistake(("pool", position), expected, f"'{name}' again", "Remove one of them.")
    for key in sorted(entry.model_fields_set - WITH_POOL):
        yield Mistake(
            (key,),
            "only what describes a pool of corpora",
            f"'{key}'",
            "Remove it: the entries that are pooled say how files are read.",
        )
    if entry.folds == "session":
        advice = "Choose speaker or {groups: N}: not every corpus has sessions."
        yield Mistake(("folds",), "speaker or {groups: N}", "'session'", advice)


def _read(entry: Entry) -> frozenset[str]:
    return READERS[entry.reader].columns if entry.reader in READERS else frozenset()


def _folds(entry: Entry) -> Iterator[Mistake]:
    if entry.folds == "session" and "group" not in entry.columns:
        yield Mistake(
            ("folds",),
            "a column 'group' that tells sessions apart",
            "none",
            "Add a group (?P<group>…) to `pattern`, or choose speaker or {groups: N}.",
        )


def _counts(entry: Entry) -> Iterator[Mistake]:
    if entry.expect is None or not entry.emotions:
        return
    possible = {split_emotion(text)[1] for text in entry.emotions.values()}
    for name in entry.expect.emotions:
        if name not in possible:
            wanted = ", ".join(emotion for emotion in EMOTIONS if emotion in possible)
            yield Mistake(
                ("expect", name),
                f"emotions that `emotions:` can give ({wanted})",
                f"'{name}'",
                "Correct one of the two.",
            )


def _variants(entry: Entry) -> Iterator[Mistake]:
    for name, changes in entry.variants.items():
        if not is_name(name):
            expected = f"a name of up to {LONGEST_NAME} small letters, digits and - + . _"
            yield Mistake(("variants", name), expected, f"'{name}'", "Rename the variant.")
        for key in ("variants", "aliases"):
            if changes and key in changes:
                expected = "keys that a variant can change"
                yield Mistake(("variants", name, key), expected, f"'{key}'", "Leave it out.")
