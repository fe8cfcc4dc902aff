"""The folds of clips that were read, without pandas where that is easy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..corpora.reading.clips import Clip, Reading
from ..spec import Fold, Protocol
from .material import by


def split(reading: Reading, protocol: Protocol, cache: Path | None) -> list[Fold]:
    """Return the folds of a protocol: those that a run trains.

    Args:
        reading: usable clips
        protocol: how they are split
        cache: folder of caches

    Raises:
        CorpusError: if the clips cannot be split
    """
    if not _simple(reading, protocol):
        from .. import folds
        from ..corpora.table import tabulate

        return folds.make(tabulate(reading, cache), reading.corpus.folds, protocol)
    every = [clip.id for clip in reading.clips]
    groups = by(reading.clips, "group")
    held_out = {name: {clip.id for clip in groups[name]} for name in sorted(groups)}
    return [
        Fold(
            index,
            (name,),
            training=tuple(clip for clip in every if clip not in out),
            test=tuple(clip for clip in every if clip in out),
        )
        for index, (name, out) in enumerate(held_out.items())
    ]


def _simple(reading: Reading, protocol: Protocol) -> bool:
    """Tell whether single groups are held out and each can be; `folds` explains the others."""
    whole = protocol.max_folds is None and protocol.development is None
    if reading.corpus.folds not in ("speaker", "session") or protocol.split or not whole:
        return False
    groups = by(reading.clips, "group")
    if sum(map(len, groups.values())) < len(reading.clips) or len(groups) < 2:
        return False
    labels = {name: _labels(clips) for name, clips in groups.items()}
    rest = [set().union(*(labels[other] for other in labels if other != name)) for name in labels]
    return all(len(trained) > 1 for trained in rest)


def _labels(clips: Sequence[Clip]) -> set[str]:
    return {clip.facts["label"] for clip in clips}
