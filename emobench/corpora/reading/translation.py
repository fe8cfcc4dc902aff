"""From what a corpus says of its clips to the words that all corpora share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...errors import count, named, suggest
from ..entries.fields import EMOTIONS, SEXES
from ..entries.schema import Corpus
from .clips import Clip
from .spellings import unified


def translate(corpus: Corpus, clips: Sequence[Clip], problems: list[str]) -> list[Clip]:
    """Return clips with facts as in the utterance table; note what has no meaning."""
    meanings = corpus.meanings
    unmapped: dict[str, list[str]] = {}
    lacking: dict[str, list[str]] = {}
    strange_sexes: dict[str, list[str]] = {}
    translated = []
    for clip, facts in zip(clips, _all_facts(corpus, clips), strict=True):
        code = facts.get("emotion")
        missing = [name for name in ("speaker", "emotion") if name not in facts]
        for name in missing:
            lacking.setdefault(name, []).append(clip.file.relative)
        if code is not None and code not in meanings:
            unmapped.setdefault(code, []).append(clip.file.relative)
        sex = facts.get("sex")
        if sex is not None and sex.casefold() not in SEXES:
            strange_sexes.setdefault(sex, []).append(clip.file.relative)
        elif sex is not None:
            facts["sex"] = SEXES[sex.casefold()]
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


def _all_facts(corpus: Corpus, clips: Sequence[Clip]) -> list[dict[str, str]]:
    """Return the facts of all clips; what is spelt in several ways is spelt in one."""
    every = [_facts(corpus, clip.facts) for clip in clips]
    for column, rule in corpus.values.items():
        if not rule.similar:
            continue
        spelling = unified(Counter(facts[column] for facts in every if column in facts))
        for facts in every:
            if column in facts:
                facts[column] = spelling[facts[column]]
    return every


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
        f"in {count(len(files), 'file')}: {named(files)}.{suggest(code, known)} Map the code to an "
        "emotion, or drop it with a reason."
    )


def _sex_message(corpus: Corpus, sex: str, files: Sequence[str]) -> str:
    return (
        f"{corpus.at('values', 'sex')}: expected female or male, found '{sex}' in "
        f"{count(len(files), 'file')}: {named(files)}. Translate it, as in values: "
        f"{{sex: {{map: {{{sex}: female}}}}}}."
    )
