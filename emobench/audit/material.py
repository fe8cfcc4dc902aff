"""What an audit of a corpus looks at: its clips, how they are split, and which sound the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..corpora import CheckReport, Corpus
from ..corpora.reading.clips import Clip
from ..spec import Fold, Protocol


@dataclass(frozen=True)
class Material:
    """A corpus under a protocol.

    Attributes:
        report: what `emobench check` found of the corpus
        protocol: how it is split, tuned and weighted
        folds: of the usable clips; none if they cannot be split
        alike: clips that are the same recording, in groups
    """

    report: CheckReport
    protocol: Protocol
    folds: tuple[Fold, ...] = ()
    alike: tuple[tuple[Clip, ...], ...] = ()

    @property
    def corpus(self) -> Corpus:
        """Which corpus."""
        return self.report.corpus

    @property
    def clips(self) -> tuple[Clip, ...]:
        """Clips that can be used."""
        return self.report.usable

    @cached_property
    def by_id(self) -> Mapping[str, Clip]:
        """Usable clips by their id."""
        return {clip.id: clip for clip in self.clips}

    def sides(self) -> Iterator[tuple[Fold, list[Clip], list[Clip]]]:
        """Yield each fold with the clips that its model is chosen by, and those it is tested on."""
        for fold in self.folds:
            learnt = [self.by_id[clip] for clip in (*fold.training, *fold.development)]
            yield fold, learnt, [self.by_id[clip] for clip in fold.test]


def by(clips: Iterable[Clip], column: str) -> dict[str, list[Clip]]:
    """Return clips by what a column says of them; without those of which it says nothing."""
    found: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.facts.get(column) is not None:
            found[clip.facts[column]].append(clip)
    return found


def same_bytes(report: CheckReport) -> tuple[tuple[Clip, ...], ...]:
    """Return clips of files that hold the same and of one file's same part, in groups."""
    content = {name: group[0] for group in report.alike for name in group}
    return grouped(
        (clip, (content.get(clip.file.relative, clip.file.relative), clip.start, clip.end))
        for clip in report.usable
    )


def grouped(named: Iterable[tuple[Clip, object]]) -> tuple[tuple[Clip, ...], ...]:
    """Return clips with one name in groups of two and more."""
    found: dict[object, list[Clip]] = defaultdict(list)
    for clip, name in named:
        found[name].append(clip)
    return tuple(tuple(group) for group in found.values() if len(group) > 1)


def equal(group: Sequence[Clip]) -> str:
    """Return files or segments that are the same recording, with what is equal between them."""
    files = list(dict.fromkeys(clip.file.relative for clip in group))
    return " = ".join(files if len(files) > 1 else [clip.id for clip in group])


def quoted(names: Iterable[str]) -> list[str]:
    """Return names in quotation marks."""
    return [f"'{name}'" for name in names]


def numbered(found: Sequence[Fold]) -> str:
    """Return the numbers of folds, and whom a single one holds out."""
    numbers = ", ".join(str(fold.index) for fold in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    who = f" (without {', '.join(found[0].held_out)})" if len(found) == 1 else ""
    return f"fold{'s' if len(found) > 1 else ''} {numbers}{more}{who}"
