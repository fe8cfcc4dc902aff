"""From files to clips: what names, side tables and label files say, translated by the entry."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import CorpusError, suggest
from .files import AudioFile, scan
from .readers import READERS
from .schema import EMOTIONS, Corpus
from .side_tables import Join, read_joins

_SEXES = {
    **dict.fromkeys(("f", "female", "woman", "w"), "female"),
    **dict.fromkeys(("m", "male", "man"), "male"),
}
_MOST_NAMED = 5


@dataclass(frozen=True)
class Clip:
    """One clip, as the corpus describes it.

    Attributes:
        id: unique name
        file: where its audio is
        facts: texts by column; before translation as they stand in names and label files,
            afterwards as in the utterance table
        start: where it begins in the file, in seconds; None for the whole file
        end: where it ends
    """

    id: str
    file: AudioFile
    facts: Mapping[str, str]
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Reading:
    """Everything that was found in a corpus folder.

    Attributes:
        corpus: which corpus
        folder: its folder
        clips: usable clips, sorted by path
        files: number of files that the glob matched
        duplicates: id, file that is used, and file of the same id that is not
        dropped: number of clips left out by the entry, by reason
        strangers: files that match the glob but not the expression
        problems: what else is wrong, one sentence each
    """

    corpus: Corpus
    folder: Path
    clips: tuple[Clip, ...] = ()
    files: int = 0
    duplicates: tuple[tuple[str, str, str], ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def insist(self) -> None:
        """Raise what is wrong.

        Raises:
            CorpusError: naming file, entry, key and line, and some of the files
        """
        if self.problems:
            raise CorpusError("\n".join(self.problems))
        if not self.files:
            raise CorpusError(self.nothing_found())

    def nothing_found(self) -> str:
        """Return the sentence for a folder without audio."""
        corpus = self.corpus
        return (
            f"{self.folder}: expected audio files like {' or '.join(corpus.glob)} "
            f"({corpus.at('glob')}), found none. Unpack the archives of {corpus.title} there."
        )


def read(corpus: Corpus, folder: Path) -> Reading:
    """Read the clips of a corpus; mistakes are collected, not raised.

    Raises:
        CorpusError: if a side table that the entry requires is absent or unusable
    """
    files = scan(folder, corpus.glob, corpus.ignore)
    if not files:
        return Reading(corpus, folder)
    strangers: list[str] = []
    if corpus.reader is not None:
        clips = list(READERS[corpus.reader].read(corpus, folder, files))
    else:
        clips = _match(corpus, files, strangers)
    clips, duplicates = _first_of_each_id(clips)
    joins = read_joins(corpus, folder)
    clips = [_joined(clip, joins) for clip in clips]
    clips, dropped = _drop(corpus, clips)
    problems = [_stranger_message(corpus, strangers)] if strangers else []
    translated = _translate(corpus, clips, problems)
    return Reading(
        corpus=corpus,
        folder=folder,
        clips=tuple(translated),
        files=len(files),
        duplicates=tuple(duplicates),
        dropped=dropped,
        strangers=tuple(strangers),
        problems=tuple(problems),
    )


def named(files: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(files) - _MOST_NAMED:,} more" if len(files) > _MOST_NAMED else ""
    return ", ".join(files[:_MOST_NAMED]) + more


def _match(corpus: Corpus, files: Sequence[AudioFile], strangers: list[str]) -> list[Clip]:
    """Return a clip for each file that the expression matches; note the others."""
    pattern = unicodedata.normalize("NFC", corpus.pattern) if corpus.pattern else ".+"
    search = re.compile(pattern).search
    clips = []
    for file in files:
        text = file.name if corpus.match == "name" and corpus.pattern else file.location
        match = search(text)
        if match is None:
            strangers.append(file.relative)
            continue
        facts = {name: value for name, value in match.groupdict().items() if value}
        clips.append(Clip(_id(corpus, match, facts), file, facts))
    return clips


def _id(corpus: Corpus, match: re.Match[str], facts: Mapping[str, str]) -> str:
    """Return the clip's id: from the template, or what was matched, without extension."""
    if corpus.id is not None:
        return corpus.id.format_map({**dict.fromkeys(match.groupdict(), ""), **facts})
    matched = match[0]
    if match.end() == len(match.string):
        matched = os.path.splitext(matched)[0]
    return matched.strip("/")


def _first_of_each_id(clips: Iterable[Clip]) -> tuple[list[Clip], list[tuple[str, str, str]]]:
    kept: dict[str, Clip] = {}
    duplicates = []
    for clip in clips:
        first = kept.setdefault(clip.id, clip)
        if first is not clip:
            duplicates.append((clip.id, first.file.relative, clip.file.relative))
    return list(kept.values()), duplicates


def _joined(clip: Clip, joins: Sequence[Join]) -> Clip:
    facts = dict(clip.facts)
    for join in joins:
        facts.update(join.facts_of({**facts, **_file_facts(clip)}))
    return replace(clip, facts=facts)


def _file_facts(clip: Clip) -> dict[str, str]:
    file = clip.file
    return {"id": clip.id, "name": file.name, "stem": file.stem, "path": file.location}


def _drop(corpus: Corpus, clips: Iterable[Clip]) -> tuple[list[Clip], dict[str, int]]:
    """Leave out what the entry drops; the first rule that applies gives the reason."""
    kept: list[Clip] = []
    dropped: Counter[str] = Counter()
    for clip in clips:
        facts = {**clip.facts, **_file_facts(clip)} if corpus.drop else {}
        for rule in corpus.drop:
            if all(facts.get(column) in texts for column, texts in rule.where.items()):
                dropped[rule.reason] += 1
                break
        else:
            kept.append(clip)
    return kept, dict(dropped)


def _translate(corpus: Corpus, clips: Sequence[Clip], problems: list[str]) -> list[Clip]:
    """Return clips with facts as in the utterance table; note what has no meaning."""
    meanings = corpus.emotion_map or {emotion: (emotion, emotion) for emotion in EMOTIONS}
    unmapped: dict[str, list[str]] = {}
    lacking: dict[str, list[str]] = {}
    strange_sexes: dict[str, list[str]] = {}
    translated = []
    for clip in clips:
        facts = _facts(corpus, clip.facts)
        code = facts.get("emotion")
        missing = [name for name in ("speaker", "emotion") if name not in facts]
        for name in missing:
            lacking.setdefault(name, []).append(clip.file.relative)
        if code is not None and code not in meanings:
            unmapped.setdefault(code, []).append(clip.file.relative)
        sex = facts.get("sex")
        if sex is not None and sex.casefold() not in _SEXES:
            strange_sexes.setdefault(sex, []).append(clip.file.relative)
        elif sex is not None:
            facts["sex"] = _SEXES[sex.casefold()]
        if missing or code not in meanings:
            continue
        facts["raw_emotion"], facts["emotion"] = meanings[code]
        facts["label"] = facts[corpus.train_on]
        facts.setdefault("group", facts["speaker"])
        translated.append(replace(clip, facts=facts))
    problems += [_lacking_message(corpus, *item) for item in lacking.items()]
    problems += [_unmapped_message(corpus, *item) for item in unmapped.items()]
    problems += [_sex_message(corpus, *item) for item in strange_sexes.items()]
    return translated


def _facts(corpus: Corpus, raw: Mapping[str, str]) -> dict[str, str]:
    """Apply `values`, `transcripts` and `defaults`, in this order."""
    facts = dict(raw)
    for column, rule in corpus.values.items():
        text = raw.get(rule.source or column)
        if text is None:
            continue
        value = rule.map.get(text, rule.otherwise)
        if value is not None:
            facts[column] = value
        elif rule.source is not None:
            facts.pop(column, None)
    if "transcript" not in facts and facts.get("sentence") in corpus.transcripts:
        facts["transcript"] = corpus.transcripts[facts["sentence"]]
    for column, template in corpus.defaults.items():
        if column not in facts:
            try:
                facts[column] = template.format_map(facts)
            except KeyError:  # what the template needs is unknown for this clip, so this is too
                continue
    return facts


def _stranger_message(corpus: Corpus, strangers: Sequence[str]) -> str:
    return (
        f"{corpus.at('pattern')}: expected the expression to match every file that "
        f"{' or '.join(corpus.glob)} finds, found {len(strangers):,} that it does not: "
        f"{named(strangers)}. Correct `pattern` or `glob`, or list what is no clip under `ignore:`."
    )


def _lacking_message(corpus: Corpus, column: str, files: Sequence[str]) -> str:
    key = "tables" if any(column in table.columns for table in corpus.tables) else "pattern"
    return (
        f"{corpus.at(key)}: expected '{column}' for every clip, found none for {len(files):,}: "
        f"{named(files)}. Complete the table, or drop them with a reason."
    )


def _unmapped_message(corpus: Corpus, code: str, files: Sequence[str]) -> str:
    known = list(corpus.emotions) or list(EMOTIONS)
    return (
        f"{corpus.at('emotions')}: expected one of the codes {', '.join(known)}, found '{code}' "
        f"in {len(files):,} files: {named(files)}.{suggest(code, known)} Map the code to an "
        "emotion, or drop it with a reason."
    )


def _sex_message(corpus: Corpus, sex: str, files: Sequence[str]) -> str:
    return (
        f"{corpus.at('values', 'sex')}: expected female or male, found '{sex}' in {len(files):,} "
        f"files: {named(files)}. Translate it: values: {{sex: {{map: {{{sex}: female}}}}}}."
    )
