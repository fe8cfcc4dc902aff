"""What names and tables say, put into the keys of an entry."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..entries.fields import EMOTIONS
from ..reading.audio_files import AudioFile
from ..reading.contents import digest
from ..registry import normalised
from . import sheets
from .choice import Choice, choose
from .draft import Draft
from .expression import expression
from .parts import Part
from .sheets import Join, Sheet
from .vocabulary import Meaning, sexes

_MOST_REPETITIONS = 50
_MOST_COLUMNS = 8


def draft(files: Sequence[AudioFile], folder: Path, name: str, own: str) -> Draft:
    """Return an entry for audio files, not tried yet.

    Args:
        files: audio files
        folder: that they lie in
        name: of the corpus
        own: name of the folder
    """
    found, unread = sheets.sheets(folder)
    joins = [join for sheet in found if (join := sheets.of_clips(sheet, files))]
    table = max(joins, key=_worth, default=None)
    choice = _choice(files, folder, table)
    if table is not None and choice.emotion is not None:  # names say it as well, and better
        columns = {ours: name for ours, name in table.columns.items() if ours != "emotion"}
        table = replace(table, columns=columns) if columns else None
    told = table.columns if table else {}
    groups, *others = (_groups(choice, one) for one in (choice.speaker, *choice.rivals))
    depth = _depth(files, [groups, *others])
    keys: dict[str, object] = {"title": own}
    if normalised(own) != normalised(name):
        keys["aliases"] = [own]
    keys |= _file_keys(files, groups, depth, bool(told))
    read = choice.meaning if choice.emotion else table.emotion if table else None
    if read is not None and read.emotions:
        keys["emotions"] = emotions(read, choice.raw)
    speakers = _counts(choice.speaker, table, "speaker")
    persons = (sheets.of_speakers(sheet, speakers) for sheet in found)
    telling = [*filter(None, [table]), *[join for join in persons if join is not None][:1]]
    if telling:
        keys["tables"] = [each for join in telling for each in _table_keys(join)]
    keys["folds"] = "speaker"
    lacking = tuple(_lacking(choice, told))
    unsure = [*_unsure(choice, table, read, groups), *unread]
    unsure += [_useless(sheet) for sheet in found if lacking and not joins]
    for rival, other in zip(choice.rivals, others, strict=True):
        pattern = _file_keys(files, other, depth, bool(told))["pattern"]
        unsure.append(f"speaker: it might be {rival}. Then pattern: {pattern}")
    labels = _counts(choice.emotion, table, "emotion")
    todo = {label: labels[label] for label in (read.unknown if read else ())}
    return Draft(name, keys, todo, tuple(unsure), lacking, _doubt(choice))


def _worth(join: Join) -> tuple[float, int]:
    score = join.emotion.score if join.emotion else 0.0
    return score + ("speaker" in join.columns), -join.missing


def _choice(files: Sequence[AudioFile], folder: Path, table: Join | None) -> Choice:
    """Return what names tell, beyond what a table tells."""
    columns = table.columns if table else {}
    needs_speaker = "speaker" not in columns
    labels = table.values["emotion"] if "emotion" in columns else None
    score = table.emotion.score if labels is not None and table.emotion else 0.0
    choice = choose(files, folder, None if score < 0.3 else labels, needs_speaker)
    if labels is not None and score < 0.3 and (not choice.meaning or not choice.meaning.emotions):
        return choose(files, folder, labels, needs_speaker)
    return choice


def _groups(choice: Choice, speaker: Part | None) -> dict[str, Part]:
    """Return the parts that become columns if a part tells the speaker."""
    chosen = {"emotion": choice.emotion, "speaker": speaker}
    groups = {name: part for name, part in chosen.items() if part is not None}
    for split in {part.level: part.split for part in groups.values()}.values():
        for part in split.parts():
            if any(part.overlaps(other) for other in groups.values()):
                continue
            if sexes(part.counts):
                groups.setdefault("sex", part)
            elif _is_repetition(part, groups):
                groups.setdefault("repetition", part)
    return groups


def _is_repetition(part: Part, groups: Mapping[str, Part]) -> bool:
    """Tell whether a part is a number at the end that stands for itself."""
    if part.level or not (part.at_end and part.is_number) or len(part.counts) > _MOST_REPETITIONS:
        return False
    ends = {other.last for other in groups.values() if other.level == 0}
    return part.first == 0 or part.split.separators[part.first - 1] or part.first - 1 in ends


def _file_keys(
    files: Sequence[AudioFile], groups: Mapping[str, Part], depth: int, has_table: bool
) -> dict[str, object]:
    """Return the keys that say which files there are and how their names are read."""
    extensions = sorted({file.name.rpartition(".")[2] for file in files})
    keys: dict[str, object] = {}
    if extensions != ["wav"]:
        keys["glob"] = [f"*.{extension}" for extension in extensions]
    if not groups and has_table:
        return keys
    if depth:
        keys["match"] = "path"
    keys["pattern"] = expression(groups, depth, extensions)
    return keys


def _depth(files: Sequence[AudioFile], readings: Sequence[Mapping[str, Part]]) -> int:
    """Return how many folders expressions need, the same for all readings of the names."""
    levels = [part.level for groups in readings for part in groups.values()]
    return max([_distinguishing(files), *levels])


def _distinguishing(files: Sequence[AudioFile]) -> int:
    """Return how many folders a name needs so that no two recordings share it; copies may."""
    paths = [(file.relative.split("/"), file) for file in files]
    deepest = min(len(path) for path, _ in paths) - 1
    for depth in range(deepest):
        alike: dict[str, list[AudioFile]] = defaultdict(list)
        for path, file in paths:
            alike["/".join(path[-1 - depth :])].append(file)
        groups = [group for group in alike.values() if len(group) > 1]
        if all(len({(file.size, digest(file)) for file in group}) == 1 for group in groups):
            return depth
    return deepest


def _counts(part: Part | None, table: Join | None, column: str) -> Counter[str]:
    """Return the number of files by the value of a column, told by names or else by a table."""
    if part is not None:
        return part.counts
    return Counter(filter(None, table.values.get(column, ()))) if table else Counter()


def emotions(read: Meaning, words: Mapping[str, str]) -> dict[str, str]:
    """Return the map of labels, in the order of the canonical emotions."""
    ordered = sorted(read.emotions.items(), key=lambda item: (EMOTIONS.index(item[1]), item[0]))
    return {
        label: f"{words[label]} -> {emotion}" if words.get(label, emotion) != emotion else emotion
        for label, emotion in ordered
    }


def _table_keys(join: Join) -> list[dict[str, object]]:
    """Return the keys of each file of a table."""
    sheet = join.sheet
    keys: dict[str, object] = {"key": {join.key[0]: join.key[1]}, "columns": dict(join.columns)}
    form = sheet.form
    usual = "," if sheet.files[0].lower().endswith(".csv") else "\t"
    if form.separator not in (usual, None):
        keys["separator"] = form.separator
    if form.encoding != "utf-8":
        keys["encoding"] = form.encoding
    if form.skip:
        keys["skip"] = str(form.skip)
    if form.sheet:
        keys["sheet"] = list(form.sheet)
    if not {"emotion", "speaker"} & set(join.columns):
        keys["required"] = "false"
    return [{"file": file, **keys} for file in sheet.files]


def _useless(sheet: Sheet) -> str:
    """Return what is to be said of a table that was read in vain."""
    columns = ", ".join(sheet.header[:_MOST_COLUMNS]) + ", …" * (len(sheet.header) > _MOST_COLUMNS)
    return (
        f"{' and '.join(sheet.files)}: read ({columns}), but no column names most of the files "
        "once and has another beside it that is known"
    )


def _lacking(choice: Choice, told: Mapping[str, str]) -> Iterator[str]:
    """Yield what nobody tells, and what to do about it."""
    if choice.emotion is None and "emotion" not in told:
        yield (
            "No part of file names, folders or tables looks like emotions. Put a group "
            "(?P<emotion>…) into `pattern`, or add a table under `tables`."
        )
    if choice.speaker is None and "speaker" not in told:
        yield (
            "Who speaks is not found in file names, folders or tables. Without it no speaker can "
            "be held out. Put a group (?P<speaker>…) into `pattern`, add a table under `tables`, "
            "or sort the files into a folder for each speaker and propose again."
        )


def _unsure(
    choice: Choice,
    table: Join | None,
    read: Meaning | None,
    groups: Mapping[str, Part],
) -> Iterator[str]:
    """Yield what was guessed, for people to confirm."""
    if choice.emotion is not None:
        yield f"emotion: from {choice.emotion}"
    if choice.legend is not None:
        yield f"emotion: the codes are explained by {choice.legend}"
    if read is not None:
        yield from _doubts(read)
    if choice.speaker is not None:
        counting = choice.speaker.is_number and not choice.speaker.before
        yield f"speaker: from {choice.speaker}" + (
            ". Numbers may count recordings instead of people" if counting else ""
        )
    if table is not None:
        names = ", ".join(f"{ours} from '{theirs}'" for ours, theirs in table.columns.items())
        lines = f"; files without a row in it: {table.missing:,}" if table.missing else ""
        yield f"table {' and '.join(table.sheet.files)}: {names}{lines}"
    if "repetition" in groups:
        yield "repetition: the last number of the file name; call it sentence if it tells the text"


def _doubt(choice: Choice) -> str:
    """Return what must be said before anybody is held out; "" if nothing."""
    named = [one for one in choice.rivals if not one.is_number]  # else they rather count
    if not (choice.rivals if choice.speaker else named):
        return ""
    candidates = filter(None, (choice.speaker, *choice.rivals))
    places = ", or ".join(str(one) for one in candidates)
    return f"say who speaks. It may be {places}; the patterns are below."


def _doubts(read: Meaning) -> Iterator[str]:
    if read.language is not None:
        yield f"emotion: abbreviations are read as {read.language} words"
    if read.doubtful:
        texts = ", ".join(f"{label} ({other})" for label, other in read.doubtful.items())
        yield f"emotion: another language would read them otherwise: {texts}"
    others = [label for label, emotion in read.emotions.items() if emotion == "other"]
    if len(others) > 1:
        yield (
            f"emotion: {', '.join(others)} are all 'other'; write train_on: raw_emotion to keep "
            "them apart, or drop some"
        )
