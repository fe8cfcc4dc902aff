"""Corpora that are taken together: one set of clips, in which nobody's name means two people."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..entries.schema import Corpus
from .clips import Clip, Duplicate, Reading

_OWN = ("speaker", "group", "sentence")
"""Columns whose texts mean something inside one corpus only."""


def merged(corpus: Corpus, readings: Sequence[Reading]) -> Reading:
    """Return the clips of several corpora as those of one.

    Ids, speakers, groups and sentences begin with the name of their corpus; the column `corpus`
    holds it too.

    Args:
        corpus: made of those that were read
        readings: what was found of each, in the same order
    """
    dropped: Counter[str] = Counter()
    for reading in readings:
        for reason, count in reading.dropped.items():
            dropped[f"{reading.corpus.name}: {reason}"] += count
    clips = []
    every = [_renamed(reading.corpus, clip) for reading in readings for clip in reading.clips]
    labels = _kept_labels(corpus, every)
    for clip in every:
        if clip.facts["label"] in labels:
            clips.append(clip)
        else:
            dropped[_reason(corpus, clip)] += 1
    empty = [reading.nothing_found() for reading in readings if not reading.files]
    return Reading(
        corpus=corpus,
        folder=Path(os.path.commonpath([os.path.abspath(found.folder) for found in readings])),
        clips=tuple(clips),
        files=sum(reading.files for reading in readings),
        duplicates=_each(readings, lambda found: found.duplicates, _prefixed),
        dropped=dict(dropped),
        unmatched=_each(readings, lambda found: found.unmatched, _below),
        gaps=tuple(gap for found in readings for gap in found.gaps),
        problems=(*empty, *(problem for found in readings for problem in found.problems)),
    )


def _kept_labels(corpus: Corpus, clips: Sequence[Clip]) -> set[str]:
    """Return the labels of the clips that are kept; between corpora, those found on both sides."""
    labels = set(corpus.labels)
    for side in corpus.sides or ():
        names = {part.name for part in side.parts or (side,)}
        labels &= {clip.facts["label"] for clip in clips if clip.facts["corpus"] in names}
    return labels


def _reason(corpus: Corpus, clip: Clip) -> str:
    """Say why a clip is left out."""
    if corpus.sides is None:
        return "an emotion that not every corpus has"
    own = clip.facts.get("raw_emotion") or clip.facts["emotion"]
    return f"{clip.facts['corpus']}: {own}, which the other side does not have"


def _renamed(part: Corpus, clip: Clip) -> Clip:
    own = {name: f"{part.name}/{clip.facts[name]}" for name in _OWN if name in clip.facts}
    return replace(
        clip,
        id=f"{part.name}/{clip.id}",
        file=replace(clip.file, relative=_below(part, clip.file.relative)),
        facts={**clip.facts, **own, "label": clip.facts["emotion"], "corpus": part.name},
    )


def _each(readings: Sequence[Reading], get: Callable, rename: Callable) -> tuple:
    return tuple(rename(found.corpus, item) for found in readings for item in get(found))


def _below(part: Corpus, name: str) -> str:
    return f"{part.base}/{name}"


def _prefixed(part: Corpus, copy: Duplicate) -> Duplicate:
    return Duplicate(f"{part.name}/{copy.id}", _below(part, copy.used), _below(part, copy.unused))
