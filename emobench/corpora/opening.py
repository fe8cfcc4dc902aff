"""From a corpus to what is found in its folder: file names, side tables, label files. No pandas."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from . import paths
from .entries.readers import READERS
from .entries.schema import Corpus
from .reading import duplicates, transcripts
from .reading.audio_files import AudioFile, scan
from .reading.clips import Clip, LabelledClips, Reading, drop_reason, named
from .reading.pools import merged
from .reading.side_tables import Join, read_joins
from .reading.translation import translate


def open_corpus(corpus: Corpus, data: Path | None = None, cache: Path | None = None) -> Reading:
    """Return all that is found in a corpus' folder, or in those of a pool; mistakes included.

    Raises:
        CorpusError: if the folder or a required side table is absent
    """
    if not corpus.parts:
        return read(corpus, paths.locate(corpus, data, cache), cache)
    folders = paths.locate_parts(corpus, data, cache)
    readings = [
        read(part, folder, cache) for part, folder in zip(corpus.parts, folders, strict=True)
    ]
    return merged(corpus, readings)


def read(corpus: Corpus, folder: Path, cache: Path | None = None) -> Reading:
    """Read the clips of a corpus; mistakes are collected, not raised.

    Args:
        corpus: from the registry
        folder: where it lies
        cache: folder of caches

    Raises:
        CorpusError: if a side table that the entry requires is absent or unusable
    """
    files = scan(folder, corpus.glob, corpus.ignore)
    if not files:
        return Reading(corpus, folder)
    if corpus.reader is not None:
        module = importlib.import_module(f"{__package__}.readers.{READERS[corpus.reader].module}")
        found = module.read(corpus, folder, files)
    else:
        found = _match(corpus, files)
    joins = read_joins(corpus, folder)
    said = transcripts.reader(corpus, folder)
    clips = [_joined(corpus, clip, joins, said(clip)) for clip in found.clips]
    clips, dropped = _drop(corpus, clips)
    clips, copies, mixed = duplicates.resolve(corpus, clips, folder, paths.cache_root(cache))
    problems = [*found.problems, *mixed]
    translated = translate(corpus, clips, problems)
    return Reading(
        corpus=corpus,
        folder=folder,
        clips=tuple(translated),
        files=len(files),
        duplicates=tuple(copies),
        dropped={**found.dropped, **dropped},
        unmatched=found.unmatched,
        gaps=found.gaps,
        problems=tuple(problems),
    )


def _match(corpus: Corpus, files: Sequence[AudioFile]) -> LabelledClips:
    """Return a clip for each file that the expression matches; note the others."""
    search = re.compile(corpus.pattern or ".+").search
    clips: list[Clip] = []
    unmatched: list[str] = []
    for file in files:
        text = file.name if corpus.match == "name" and corpus.pattern else file.location
        match = search(text)
        if match is None:
            unmatched.append(file.relative)
            continue
        facts = {name: value for name, value in match.groupdict().items() if value}
        clips.append(Clip(_id(corpus, match, facts), file, facts))
    problems = [_unmatched_message(corpus, unmatched)] if unmatched else []
    return LabelledClips(tuple(clips), unmatched=tuple(unmatched), problems=tuple(problems))


def _id(corpus: Corpus, match: re.Match[str], facts: Mapping[str, str]) -> str:
    """Return the clip's id: from the template, or what was matched, without extension."""
    if corpus.id is not None:
        return corpus.id.format_map({**dict.fromkeys(match.groupdict(), ""), **facts})
    matched = match[0]
    if match.end() == len(match.string):
        matched = os.path.splitext(matched)[0]
    return matched.strip("/")


def _joined(corpus: Corpus, clip: Clip, joins: Sequence[Join], text: str | None) -> Clip:
    facts = {"transcript": text, **clip.facts} if text else dict(clip.facts)
    for join in joins:
        facts.update(join.facts_of({**clip.known, **facts}))
    return replace(clip, facts=facts, channel=corpus.channel)


def _drop(corpus: Corpus, clips: Iterable[Clip]) -> tuple[list[Clip], dict[str, int]]:
    """Leave out what the entry drops; the first rule that applies gives the reason."""
    kept: list[Clip] = []
    dropped: dict[str, set[str]] = {}
    for clip in clips:
        reason = drop_reason(corpus, clip.known) if corpus.drop else None
        if reason is None:
            kept.append(clip)
        else:
            dropped.setdefault(reason, set()).add(clip.id)
    return kept, {reason: len(ids) for reason, ids in dropped.items()}


def _unmatched_message(corpus: Corpus, unmatched: Sequence[str]) -> str:
    advice = "Correct `pattern` or `glob`, or list what is no clip under `ignore:`."
    if corpus.match == "name" and "/" in (corpus.pattern or ""):
        advice = "It holds a '/': write `match: path` to search it in the path."
    return (
        f"{corpus.at('pattern')}: expected the expression to match every file that "
        f"{' or '.join(corpus.glob)} finds, found {len(unmatched):,} that it does not: "
        f"{named(unmatched)}. {advice}"
    )
