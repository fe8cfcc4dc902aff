"""From a corpus to what is found in its folder: file names, side tables, label files. No pandas."""

from __future__ import annotations

import importlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import named
from . import paths
from .entries.readers import READERS
from .entries.schema import Corpus
from .reading import duplicates, transcripts
from .reading.audio_files import AudioFile, scan, with_small_extension
from .reading.clips import Clip, LabelledClips, Reading
from .reading.drops import Drops
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
    drops = Drops(corpus, folder)
    if corpus.reader is not None:
        module = importlib.import_module(f"{__package__}.readers.{READERS[corpus.reader].module}")
        found = module.read(corpus, folder, files)
    else:
        found = _match(corpus, files, drops)
    joins = read_joins(corpus, folder)
    said = transcripts.reader(corpus, folder)
    clips = [_joined(corpus, clip, joins, said(clip)) for clip in found.clips]
    clips, dropped = _drop(drops, clips)
    clips, copies, mixed = duplicates.resolve(corpus, clips, folder, paths.cache_root(cache))
    problems = [*found.problems, *mixed]
    translated = translate(corpus, clips, problems)
    return Reading(
        corpus=corpus,
        folder=folder,
        clips=tuple(translated),
        files=len(files),
        duplicates=tuple(copies),
        dropped=dict(Counter(found.dropped) + Counter(dropped)),
        unmatched=found.unmatched,
        gaps=found.gaps,
        problems=tuple(problems),
    )


def _match(corpus: Corpus, files: Sequence[AudioFile], drops: Drops) -> LabelledClips:
    """Return a clip for each file that the expression matches; note the others."""
    search = re.compile(corpus.pattern or ".+").search
    clips: list[Clip] = []
    unmatched: list[str] = []
    dropped: Counter[str] = Counter()
    for file in files:
        text = file.name if corpus.match == "name" and corpus.pattern else file.location
        match = search(text)
        if match is None:
            if (reason := drops.reason_for_file(file)) is not None:
                dropped[reason] += 1
            else:
                unmatched.append(file.relative)
            continue
        facts = {name: value for name, value in match.groupdict().items() if value}
        clips.append(Clip(_id(corpus, match, facts), file, facts))
    problems = [_unmatched_message(corpus, unmatched)] if unmatched else []
    return LabelledClips(tuple(clips), dropped, tuple(unmatched), problems=tuple(problems))


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


def _drop(drops: Drops, clips: Iterable[Clip]) -> tuple[list[Clip], dict[str, int]]:
    """Leave out what the entry drops; the first rule that applies gives the reason."""
    kept: list[Clip] = []
    dropped: dict[str, set[str]] = {}
    for clip in clips:
        reason = drops.reason(clip.known)
        if reason is None:
            kept.append(clip)
        else:
            dropped.setdefault(reason, set()).add(clip.id)
    return kept, {reason: len(ids) for reason, ids in dropped.items()}


def _unmatched_message(corpus: Corpus, unmatched: Sequence[str]) -> str:
    advice = "Correct `pattern` or `glob`, or list what is no clip under `ignore:`."
    if corpus.match == "path":
        advice = f"It reads paths: keep the folders of the release. {advice}"
    if variants := list(_understanding(corpus, unmatched)):
        advice = f"The variant {' or '.join(variants)} reads such names."
    if corpus.match == "name" and "/" in (corpus.pattern or ""):
        advice = "It holds a '/': write `match: path` to search it in the path."
    return (
        f"{corpus.at('pattern')}: expected the expression to match every file that "
        f"{' or '.join(corpus.glob)} finds, found {len(unmatched):,} that it does not: "
        f"{named(unmatched)}. {advice}"
    )


def _understanding(corpus: Corpus, files: Sequence[str]) -> Iterator[str]:
    """Yield the variants of a corpus whose expressions match the names of all of these files."""
    names = [with_small_extension(file.rpartition("/")[2]) for file in files]
    for variant, keys in corpus.variants.items():
        pattern = (keys or {}).get("pattern", "")
        if pattern and corpus.match == "name" and all(re.search(pattern, name) for name in names):
            channel = f" (channel: {keys['channel']})" if "channel" in keys else ""
            yield f"{corpus.base}:{variant}{channel}"
