"""Is this copy of a corpus whole? Counts beside the published ones, and every file that is not."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache as remember
from pathlib import Path

from ...audio import OVERHANG_SECONDS, SHORTEST_SECONDS
from .. import paths
from ..entries.fields import EMOTIONS
from ..entries.schema import Corpus
from ..opening import open_corpus
from ..reading import contents, durations
from ..reading.clips import Clip, Reading
from ..reading.durations import Headers
from ..registry import normalised

PUBLISHED = Path(__file__).with_name("table1.csv")
"""Table 1 of Keesing, Watson and Witbrock (ALTA 2020): clips by emotion."""

_MIXED = (
    "its channels differ ({}), so that their mean is neither. Write `channel: left` (the first), "
    "`channel: right` or `channel: mean` in the entry."
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Cell:
    """One number of the comparison.

    Attributes:
        name: an emotion, "clips" or "speakers"
        found: on disk
        expected: by the registry entry, None where it says nothing
        published: by the paper, None where it says nothing
    """

    name: str
    found: int
    expected: int | None
    published: int | None

    @property
    def differs(self) -> bool:
        """Whether what is found is not what a complete copy holds."""
        return self.wanted is not None and self.wanted != self.found

    @property
    def wanted(self) -> int | None:
        """What a complete copy holds, None where nobody says."""
        return self.published if self.expected is None else self.expected

    @property
    def corrected(self) -> bool:
        """Whether the registry expects something else than the paper prints."""
        return self.published is not None and self.published != self.wanted


@dataclass(frozen=True)
class CheckReport:
    """What a check of one corpus found.

    Attributes:
        corpus: which
        reading: clips, duplicates by id, drops, and what could not be understood
        cells: found, expected and published numbers
        headers: of the files in use
        broken: why a file cannot be used, by its path below the corpus folder; a segment of a
            file that can by that path and its id
        alike: groups of files in use that hold the same
        usable: clips of files that can be used
        deep: whether every file was decoded
    """

    corpus: Corpus
    reading: Reading
    cells: tuple[Cell, ...]
    headers: Headers
    broken: Mapping[str, str] = field(default_factory=dict)
    alike: tuple[tuple[str, ...], ...] = ()
    usable: tuple[Clip, ...] = ()
    deep: bool = False

    @property
    def good(self) -> bool:
        """Whether nothing differs and every file can be used."""
        differing = any(cell.differs for cell in self.cells)
        found = self.reading
        return not (differing or self.broken or found.problems or found.gaps or not found.files)

    @property
    def clips(self) -> Cell:
        """How many clips there are, and how many are expected."""
        return next(cell for cell in self.cells if cell.name == "clips")

    @property
    def formats(self) -> dict[tuple[int, int], int]:
        """Number of files by sample rate in Hz and channels, the most frequent first."""
        found = Counter((item.sample_rate, item.channels) for item in self.headers.known.values())
        return dict(found.most_common())

    @property
    def durations(self) -> list[float]:
        """Durations of the clips in seconds, sorted; without those of unusable files."""
        every = (
            durations.of(clip, self.headers)
            for clip in self.reading.clips
            if clip.file.path in self.headers.known
        )
        return sorted(seconds for seconds in every if seconds is not None)


def check(
    corpus: Corpus,
    data: Path | None = None,
    *,
    deep: bool = False,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Compare a corpus on disk with what a complete copy holds.

    Args:
        corpus: from the registry
        data: folder that holds the corpora; None means `EMOBENCH_DATA`
        deep: decode every file, and compare files by their sound instead of their bytes
        cache: folder of caches
        progress: called with what is done, how many files are done, and how many there are

    Raises:
        CorpusError: if the corpus is not there at all
    """
    reading = open_corpus(corpus, data, cache)
    folder, kept = reading.folder, paths.cache_root(cache)
    files = {clip.file.path: clip.file for clip in reading.clips}
    headers = durations.read(list(files.values()), folder, kept, _part(progress, "reading headers"))
    if deep:
        usable = [clip for clip in reading.clips if clip.file.path in headers.known]
        found = contents.decode(usable, folder, kept, _part(progress, "decoding"))
    else:
        found = contents.compare_bytes([files[path] for path in files if path in headers.known])
    mixed = {path: _MIXED.format(how) for path, how in headers.mixed(reading.clips).items()}
    unfit = _unfit(reading.clips, headers)
    wrong = {**headers.bad, **mixed, **unfit, **found.wrong}
    groups = (sorted(files[path].relative for path in group) for group in found.alike)
    return CheckReport(
        corpus=corpus,
        reading=reading,
        cells=tuple(_cells(corpus, reading)),
        headers=headers,
        broken=_broken(reading.clips, wrong),
        alike=tuple(sorted(map(tuple, groups))),
        usable=tuple(clip for clip in reading.clips if _fit(clip, wrong)),
        deep=deep,
    )


@remember
def published() -> Mapping[str, Mapping[str, int]]:
    """Return the published counts by corpus (as look-up spells it) and emotion."""
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        return {
            normalised(row["corpus"]): {name: int(row[name] or 0) for name in EMOTIONS}
            for row in csv.DictReader(file)
        }


def published_counts(corpus: Corpus) -> Mapping[str, int] | None:
    """Return the published clips by emotion of a corpus; None for a variant or an unknown one."""
    if ":" in corpus.name:
        return None
    names = (corpus.name, corpus.title, *corpus.aliases)
    return next((published()[key] for key in map(normalised, names) if key in published()), None)


def _cells(corpus: Corpus, reading: Reading) -> Iterator[Cell]:
    """Yield the comparison: emotions that anyone counts, then clips and speakers."""
    found = Counter(clip.facts["emotion"] for clip in reading.clips)
    expect = corpus.expect
    expected = expect.emotions if expect is not None else None
    paper = published_counts(corpus)
    for name in EMOTIONS:
        wanted = None if not expected else expected.get(name, 0)
        printed = None if paper is None else paper[name]
        if found[name] or wanted or printed:
            yield Cell(name, found[name], wanted, printed)
    yield Cell(
        "clips",
        len(reading.clips),
        sum(expected.values()) if expected else None,
        None if paper is None else sum(paper.values()),
    )
    speakers = len({clip.facts["speaker"] for clip in reading.clips})
    yield Cell("speakers", speakers, expect.speakers if expect is not None else None, None)


def _unfit(clips: Iterable[Clip], headers: Headers) -> dict[str, str]:
    """Return why clips cannot be used that are too short or outside their file, by id or path."""
    wrong = {}
    for clip in clips:
        header = headers.known.get(clip.file.path)
        if header is None:
            continue
        start, length = clip.start or 0.0, header.duration
        end = length if clip.end is None else clip.end
        name = clip.file.path if clip.end is None else clip.id
        if not 0 <= start < min(end, length) or end > length + OVERHANG_SECONDS:
            wrong[name] = (
                f"expected a segment within its {length:.2f} s, found {start:.2f} s to "
                f"{end:.2f} s. Check the corpus' annotation."
            )
        elif (lasts := min(end, length) - start) < SHORTEST_SECONDS:
            wrong[name] = (
                f"expected at least {SHORTEST_SECONDS * 1000:g} ms of speech, found "
                f"{lasts * 1000:.3g} ms. Copy it again, or drop it."
            )
    return wrong


def _fit(clip: Clip, wrong: Mapping[str, str]) -> bool:
    return clip.id not in wrong and clip.file.path not in wrong


def _broken(clips: Iterable[Clip], wrong: Mapping[str, str]) -> dict[str, str]:
    """Return reasons in the order of the clips, by what the report calls file or segment."""
    broken = {}
    for clip in clips:
        path = clip.file.path
        if path in wrong:
            broken[clip.file.relative] = _without_path(wrong[path], path)
        elif clip.id in wrong:
            broken[f"{clip.file.relative} ({clip.id})"] = wrong[clip.id]
    return broken


def _part(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)


def _without_path(reason: str, path: str) -> str:
    """Return a reason without the path it begins with: the report names the file itself."""
    return reason.removeprefix(path).removeprefix(":").strip()
