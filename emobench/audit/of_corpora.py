"""The audit of a corpus and of its folds, and what is said of them before hours are spent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from .. import corpora, protocols, sounds
from ..corpora import CheckReport, Corpus
from ..errors import CorpusError, EmobenchError, count
from ..spec import Protocol
from . import (
    both_sides,
    classes,
    completeness,
    identical_audio,
    protocol_rules,
    recordings,
    speakers,
    texts,
)
from .findings import Audit, Finding
from .material import Material, grouped, same_bytes
from .splitting import split

_FAMILIES = (
    completeness,
    classes,
    speakers,
    identical_audio,
    both_sides,
    texts,
    recordings,
    protocol_rules,
)

Progress = Callable[[str, int, int], None]
"""Called with what is done, how many files are done, and how many there are."""


def of_corpus(
    corpus: Corpus,
    protocol: Protocol,
    data: Path | None = None,
    *,
    cache: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Audit:
    """Return everything that speaks against results on a corpus under a protocol.

    Recordings are compared by their decoded sound; what was decoded before is remembered.

    Args:
        corpus: from the registry
        protocol: how it is split, tuned and weighted
        data: folder that holds the corpora; None means `EMOBENCH_DATA`
        cache: folder of caches
        progress: told how far the reading of files is

    Raises:
        CorpusError: if the corpus is not there, cannot be read or cannot be split
    """
    report = corpora.check(corpus, data, cache=cache, progress=progress)
    report.reading.raise_problems()
    folds = tuple(split(replace(report.reading, clips=report.usable), protocol, cache))
    material = Material(report, protocol, folds, _same_sound(report, cache, progress))
    tested = sum(len(fold.test) for fold in folds)
    every = len(material.clips)
    subject = (
        f"{corpus.name} under {protocol.name}: {count(every, 'clip')} of "
        f"{count(len({clip.facts['speaker'] for clip in material.clips}), 'speaker')}, "
        f"{count(len(folds), 'fold')}"
        + ("" if tested == every else f" that test {tested:,} of the clips")
    )
    return Audit.of(subject, _findings(material))


def unreadable(corpus: Corpus, protocol: Protocol, error: EmobenchError) -> Audit:
    """Return the audit of a corpus that cannot be read or split.

    Args:
        corpus: from the registry
        protocol: how it would be split
        error: why not
    """
    finding = Finding(
        "unreadable",
        "hard",
        str(error).rstrip("."),
        "a corpus that can be read and split",
        "Nothing else was looked at.",
    )
    return Audit.of(f"{corpus.name} under {protocol.name}", [finding])


def foresee(
    corpus: Corpus, protocol: Protocol, data: Path | None = None, cache: Path | None = None
) -> list[Finding]:
    """Return what is to be said before a corpus is run under a protocol.

    Recordings are compared by their bytes, which takes no time; what the protocol itself does is
    said with its results.

    Args:
        corpus: from the registry
        protocol: how it would be split
        data: folder that holds the corpora; None means `EMOBENCH_DATA`
        cache: folder of caches

    Raises:
        CorpusError: if the corpus is not there, cannot be read or cannot be split
    """
    report = corpora.check(corpus, data, cache=cache)
    report.reading.raise_problems()
    folds = tuple(split(replace(report.reading, clips=report.usable), protocol, cache))
    return _to_say(Material(report, protocol, folds, same_bytes(report)))


def foresee_checked(report: CheckReport, cache: Path | None = None) -> list[str]:
    """Return what `foresee` says, a line each, of a corpus that was checked.

    What the check itself says is left out; that the corpus cannot be split is said too.

    Args:
        report: what the check found
        cache: folder of caches
    """
    protocol = protocols.get(protocols.DEFAULT)
    if not report.usable:
        return []
    material, failed = Material(report, protocol, (), same_bytes(report)), []
    try:
        folds = split(replace(report.reading, clips=report.usable), protocol, cache)
        material = replace(material, folds=tuple(folds))
    except CorpusError as error:
        failed = [f"It cannot be run: {error}"]
    said = [found for found in _to_say(material) if found.kind not in completeness.KINDS]
    return [*(found.line for found in said), *failed]


def _to_say(material: Material) -> list[Finding]:
    return [finding for finding in _findings(material) if finding.severity != "declared"]


def _findings(material: Material) -> Iterator[Finding]:
    for family in _FAMILIES:
        yield from family.findings(material)


def _same_sound(report: CheckReport, cache: Path | None, progress: Progress) -> tuple:
    """Return clips that are the same once decoded, in groups."""
    segments = [
        sounds.Segment(Path(clip.file.path), clip.start, clip.end, clip.channel or "mean")
        for clip in report.usable
    ]
    kept = corpora.cache_root(cache)
    names = sounds.names(segments, kept, lambda done, total: progress("decoding", done, total))
    heard = zip(report.usable, names, strict=True)
    return grouped((clip, name) for clip, name in heard if name is not None)
