"""What names and tables say, put into the keys of an entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from ...errors import named
from ..entries.fields import EMOTIONS
from ..reading.audio_files import AudioFile
from ..reading.contents import digest
from ..reading.table_parts import Form
from .alternatives import alternatives, joints
from .choice import Choice, choose
from .draft import Draft, Recordings
from .expression import expression
from .legends import Texts, texts_below
from .parts import Part
from .sheets import Join, Sheet, joined, sheets
from .vocabulary import Meaning, sexes


def draft(recordings: Recordings) -> Draft:
    """Return an entry for audio files, not tried yet."""
    files, extensions = recordings.files, recordings.extensions
    names = {kind: [file.names[kind] for file in files] for kind in ("name", "stem", "path")}
    found, unread = sheets(recordings.folder, set(names["stem"]))
    texts = list(texts_below(recordings.folder))
    tables = _tables([join for sheet in found if (join := joined(sheet, names, texts))])
    choice = _choice(files, texts, tables)
    if choice.emotion is not None:  # names say it as well, and better
        tables = list(_without(tables, "emotion"))
    told = [column for table in tables for column in table.columns]
    together = joints(choice)
    parts = [part for one in (choice, *choice.others) for part in (one.emotion, *one.speakers)]
    parts += [part for joint in together for part in (*joint[:2], joint[3].emotion)]
    depth = max([_distinguishing(files), *(part.level for part in parts if part)])

    def pattern(told: Mapping[str, Part], of: Choice) -> str:
        return f"pattern: {expression(_groups(of, told), depth, extensions)}"

    speaker = {"speaker": choice.speaker} if choice.speaker else {}
    groups = _groups(choice, speaker)
    others = list(alternatives(choice, together, pattern))
    keys = recordings.keys()
    if groups or not told:
        keys |= {"match": "path"} if depth else {}
        keys["pattern"] = expression(groups, depth, extensions)
    if choice.meaning.emotions:
        keys["emotions"] = emotions(choice.meaning)
    speakers = list(choice.speaker.counts if choice.speaker else ())  # no table follows another
    persons = [join for sheet in found if (join := joined(sheet, {"speaker": speakers}))]
    of_clips = ("emotion", "speaker", "transcript", "sentence")
    telling = [*tables, *islice(_without(persons, *of_clips), 1)]
    if telling:
        keys["tables"] = [each for join in telling for each in _table_keys(join)]
    keys["folds"] = "speaker"
    lacking = tuple(_lacking(choice, told, tables))
    unsure = [*_unsure(choice, tables, groups), *unread]
    unsure += [_useless(found[0])] if found and lacking and not tables else []
    unsure += [f"{column}: it might be {what}. Then {text}" for column, what, text in others]
    todo = {label: choice.labels.count(label) for label in choice.meaning.unknown}
    doubt = _doubt(choice, tables, others)
    return Draft(recordings.name, keys, todo, tuple(unsure), lacking, doubt)


def _tables(joins: list[Join]) -> list[Join]:
    """Return the table that says most of the clips, and one that tells speakers if it does not."""
    joins.sort(key=lambda join: join.missing)
    joins.sort(key=lambda join: -join.emotion.score - ("speaker" in join.columns))
    best = joins[:1]
    if best and "speaker" not in best[0].columns:
        others = _without(joins[1:], *best[0].columns)
        best += [join for join in others if "speaker" in join.columns][:1]
    return best


def _without(joins: Iterable[Join], *told: str) -> Iterator[Join]:
    """Yield tables without columns that are told otherwise, and none that has no others."""
    for join in joins:
        if left := {ours: name for ours, name in join.columns.items() if ours not in told}:
            yield replace(join, columns=left)


def _choice(files: Sequence[AudioFile], texts: Texts, tables: Sequence[Join]) -> Choice:
    """Return what names tell, beyond what tables tell."""
    needs_speaker = not any("speaker" in table.columns for table in tables)
    telling = [table for table in tables if "emotion" in table.columns]
    told = next((Choice(meaning=one.emotion, labels=one.labels) for one in telling), None)
    if told is None or told.meaning.score < 0.3:
        choice = choose(files, texts, None, needs_speaker)
        if told is None or choice.meaning.emotions:
            return choice
    return choose(files, texts, told, needs_speaker)


def _groups(choice: Choice, told: Mapping[str, Part]) -> dict[str, Part]:
    """Return the parts that become columns if some parts tell the speaker."""
    groups = {**({"emotion": choice.emotion} if choice.emotion else {}), **told}
    for split in {part.level: part.split for part in groups.values()}.values():
        for part in split.parts():
            if any(part.overlaps(other) for other in groups.values()):
                continue
            if sexes(part.counts):
                groups.setdefault("sex", part)
            elif part.counts_takes and part.stands_alone:
                groups.setdefault("repetition", part)
    return groups


def _distinguishing(files: Sequence[AudioFile]) -> int:
    """Return how many folders a name needs so that no two recordings share it; copies may."""
    deepest = min(file.relative.count("/") for file in files)
    for depth in range(deepest):
        tails = ["/".join(file.relative.split("/")[-1 - depth :]) for file in files]
        often = Counter(tails)
        shared = [pair for pair in zip(tails, files, strict=True) if often[pair[0]] > 1]
        contents = {(tail, file.size, digest(file)) for tail, file in shared}
        if len(contents) == len(dict(shared)):
            return depth
    return deepest


def emotions(read: Meaning) -> dict[str, str]:
    """Return the map of labels, in the order of the canonical emotions."""
    ordered = sorted(read.emotions.items(), key=lambda item: (EMOTIONS.index(item[1]), item[0]))
    words = {label: read.words.get(label, emotion) for label, emotion in ordered}
    arrow = {label: "" if words[label] == of else f"{words[label]} -> " for label, of in ordered}
    return {label: arrow[label] + emotion for label, emotion in ordered}


def _table_keys(join: Join) -> list[dict[str, object]]:
    """Return the keys of each file of a table."""
    sheet = join.sheet
    keys: dict[str, object] = {"key": {join.key[0]: join.key[1]}, "columns": dict(join.columns)}
    separator = "," if sheet.files[0].lower().endswith(".csv") else "\t"
    usual = {"separator": separator, "encoding": Form.encoding}
    written = vars(sheet.form).items()
    keys |= {name: value for name, value in written if value and value != usual.get(name)}
    if not {"emotion", "speaker"} & set(join.columns):
        keys["required"] = False
    return [{"file": file, **keys} for file in sheet.files]


def _useless(sheet: Sheet) -> str:
    """Return what is to be said of a table that was read in vain."""
    return (
        f"{named(sheet.files)}: read ({named(sheet.header)}), but no column names most of the "
        "files once and has another beside it that is known"
    )


def _lacking(choice: Choice, told: Collection[str], tables: Sequence[Join]) -> Iterator[str]:
    """Yield what nobody tells, and what to do about it."""
    if choice.emotion is None and "emotion" not in told:
        yield (
            "No part of file names, folders or tables looks like emotions. Put a group "
            "(?P<emotion>…) into `pattern`, or add a table under `tables`."
        )
    if choice.speaker is None and "speaker" not in told:
        names = " or ".join(f"'{name}'" for table in tables for name in table.persons)
        column = f"Put {names} of the table under its `columns` as `speaker`, or " if names else ""
        yield (
            "Who speaks is not found in file names, folders or tables. Without it no speaker can "
            f"be held out. {column or 'Put '}a group (?P<speaker>…) into `pattern`, add a table "
            "under `tables`, or sort the files into a folder for each speaker and propose again."
        )


def _unsure(choice: Choice, tables: Sequence[Join], groups: Collection[str]) -> Iterator[str]:
    """Yield what was guessed, for people to confirm."""
    if choice.emotion is not None:
        yield f"emotion: from {choice.emotion}"
    read = choice.meaning
    if read.source is not None:
        yield f"emotion: the codes are explained by {read.source}"
    if read.language is not None:
        yield f"emotion: abbreviations are read as {read.language} words"
    if read.doubtful:
        texts = ", ".join(f"{label} ({other})" for label, other in read.doubtful.items())
        yield f"emotion: another language or text would read them otherwise: {texts}"
    others = [label for label, emotion in read.emotions.items() if emotion == "other"]
    if len(others) > 1:
        apart = "write train_on: raw_emotion to keep them apart, or drop some"
        yield f"emotion: {', '.join(others)} are all 'other'; {apart}"
    if choice.speaker is not None:
        counting = choice.speaker.is_number and not choice.speaker.before
        doubt = ". Numbers may count recordings instead of people" if counting else ""
        yield f"speaker: from {choice.speaker}{doubt}"
    if "repetition" in groups:
        yield "repetition: the last number of the file name; call it sentence if it tells the text"
    for table in tables:
        names = ", ".join(f"{ours} from '{theirs}'" for ours, theirs in table.columns.items())
        lines = f"; files without a row in it: {table.missing:,}" if table.missing else ""
        lines += "; no line names its columns, so `header` does" if table.sheet.form.header else ""
        yield f"table {' and '.join(table.sheet.files)}: {names}{lines}"


def _doubt(choice: Choice, tables: Sequence[Join], others: Sequence[tuple[str, ...]]) -> str:
    """Return what must be said before anybody is held out; "" if nothing."""
    for table in (table for table in tables if table.others and "emotion" in table.columns):
        places = "', or '".join((table.columns["emotion"], *table.others))
        return f"say which column tells the emotion. It may be '{places}'."
    if choice.others:
        places = ", or ".join(str(one.emotion) for one in (choice, *choice.others))
        return f"say which part is the emotion. It may be {places}; the patterns are below."
    if not others:
        return ""
    first = [str(choice.speaker)] if choice.speaker else []
    places = ", or ".join([*first, *(what for _, what, _ in others)])
    return f"say who speaks. It may be {places}; the patterns are below."
