"""What a model is trained on, or chosen by, and tested on: clips, people, recordings, sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..corpora.reading.clips import Clip
from ..errors import count, named
from ..spec import Fold
from .findings import Finding, Severity
from .material import Material, by, equal, numbered, quoted
from .texts import spoken

_FEW_SHARE = 0.1
"""Less than this of the tested clips: short answers that anybody gives, such as "yes"."""


def findings(material: Material) -> Iterator[Finding]:
    """Yield what stands on both sides of a fold."""
    yield from _clips(material)
    yield from _tested_twice(material)
    yield from _people(material)
    yield from _recordings(material)
    yield from _sentences(material)


def _clips(material: Material) -> Iterator[Finding]:
    shared = {fold: {*fold.training, *fold.development} & set(fold.test) for fold in material.folds}
    found = [fold for fold, ids in shared.items() if ids]
    if found:
        ids = sorted(set().union(*shared.values()))
        yield Finding(
            "clip-on-both-sides",
            "hard",
            f"in training and test: {count(len(ids), 'clip')} ({named(quoted(ids))})",
            "no test clip in the training or development part",
            "This is a fault of emobench: please report it.",
            numbered(found),
            tuple(ids),
        )


def _tested_twice(material: Material) -> Iterator[Finding]:
    times = Counter(clip for fold in material.folds for clip in fold.test)
    twice = sorted(clip for clip, number in times.items() if number > 1)
    if twice:
        yield Finding(
            "tested-twice",
            "hard",
            f"tested in several folds: {count(len(twice), 'clip')} ({named(quoted(twice))})",
            "each clip tested in one fold at most",
            "This is a fault of emobench: please report it.",
            evidence=tuple(twice),
        )


def _people(material: Material) -> Iterator[Finding]:
    """Yield speakers and groups on both sides; groups that are the speakers are told once."""
    columns = ["speaker"]
    if any(clip.facts.get("group") != clip.facts.get("speaker") for clip in material.clips):
        columns.append("group")
    for column in columns:
        found, names, tested = [], Counter[str](), 0
        for fold, learnt, test in material.sides():
            heard = {clip.facts.get(column) for clip in learnt} - {None}
            shared = [clip.facts[column] for clip in test if clip.facts.get(column) in heard]
            if shared:
                found.append(fold)
                names.update(shared)
                tested += len(shared)
        if found:
            yield _heard_before(material, column, found, sorted(names), tested)


def _heard_before(
    material: Material, column: str, found: list[Fold], names: list[str], tested: int
) -> Finding:
    protocol, every = material.protocol, len(by(material.clips, column))
    severity: Severity = "hard"
    advice = (
        f"Write one `group` for all clips of a {column}, or hold out speakers (`folds: speaker`)."
    )
    if protocol.draws_clips:
        severity = "declared" if protocol.caution else "hard"
        advice = (
            f"{protocol.name} draws clips whoever speaks: this is no measure of how a model does "
            "on new speakers."
        )
    return Finding(
        f"{column}-on-both-sides",
        severity,
        f"in training and test: {len(names):,} of {count(every, column)} ({named(quoted(names))}), "
        f"with {count(tested, 'test clip')}",
        f"no {column} on both sides of a fold",
        advice,
        numbered(found),
        tuple(names),
    )


def _recordings(material: Material) -> Iterator[Finding]:
    """Yield recordings on both sides; one clip under two names is still the same recording."""
    sides = [(fold, {*fold.training, *fold.development}, set(fold.test)) for fold in material.folds]
    found: dict[Fold, None] = {}
    shared: list[tuple[Clip, ...]] = []
    for group in material.alike:
        ids = {clip.id for clip in group}
        crossed = [fold for fold, learnt, test in sides if ids & learnt and ids & test]
        found |= dict.fromkeys(crossed)
        shared += [group] if crossed else []
    if shared:
        yield Finding(
            "audio-on-both-sides",
            "hard",
            f"in training and test under several names: {count(len(shared), 'recording')} "
            f"({named([equal(group) for group in shared])})",
            "each recording on one side of a fold",
            "Drop all but one of each (`drop:` or `ignore:` in the entry), or give those whose "
            "they are one `group`.",
            numbered(sorted(found, key=lambda fold: fold.index)),
            tuple(clip.id for group in shared for clip in group),
        )


def _sentences(material: Material) -> Iterator[Finding]:
    found: list[Fold] = []
    words: Counter[str] = Counter()
    tested = 0
    for fold, learnt, test in material.sides():
        known = {spoken(clip) for clip in learnt} - {None}
        shared = [text for clip in test if (text := spoken(clip)) in known]
        tested += len(test)
        if shared:
            found.append(fold)
            words.update(shared)
    if words.total() > _FEW_SHARE * tested:
        yield Finding(
            "sentence-on-both-sides",
            "soft",
            f"{words.total():,} of {count(tested, 'test clip')} say one of "
            f"{count(len(words), 'sentence')} that training holds too, such as "
            f"'{words.most_common(1)[0][0]}'",
            "other sentences in the test part than in training",
            "Results hold for known sentences; they say nothing of new ones.",
            numbered(found) if len(found) < len(material.folds) else "",
            tuple(sorted(words)),
        )
