"""Is this copy of a corpus whole? Counts beside the published ones, and every file that is not."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache as remember
from pathlib import Path

import numpy as np

from .. import audio
from ..errors import AudioError
from . import durations, places
from .clips import Reading
from .durations import Headers
from .fields import EMOTIONS
from .files import AudioFile
from .registry import normalised
from .schema import Corpus
from .table import open_corpus

PUBLISHED = Path(__file__).parent.parent / "table1.csv"
"""Table 1 of Keesing, Watson and Witbrock (ALTA 2020): clips by emotion."""

Progress = Callable[[str, int, int], None]

_SAMPLE_BYTES = 4096
_DECODERS = 4


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
        wanted = self.published if self.expected is None else self.expected
        return wanted is not None and wanted != self.found


@dataclass(frozen=True)
class CheckReport:
    """What a check of one corpus found.

    Attributes:
        corpus: which
        reading: clips, duplicates by id, drops, and what could not be understood
        cells: found, expected and published numbers
        headers: of the files in use
        broken: why a file cannot be used, by its path below the corpus folder
        alike: groups of files in use that hold the same
        deep: whether every file was decoded
    """

    corpus: Corpus
    reading: Reading
    cells: tuple[Cell, ...]
    headers: Headers
    broken: Mapping[str, str] = field(default_factory=dict)
    alike: tuple[tuple[str, ...], ...] = ()
    deep: bool = False

    @property
    def good(self) -> bool:
        """Whether nothing differs and every file can be used."""
        differing = any(cell.differs for cell in self.cells)
        return not (differing or self.broken or self.reading.problems or not self.reading.files)

    @property
    def formats(self) -> dict[tuple[int, int], int]:
        """Number of files by sample rate in Hz and channels, the most frequent first."""
        found = Counter((item.sample_rate, item.channels) for item in self.headers.known.values())
        return dict(found.most_common())

    @property
    def durations(self) -> np.ndarray:
        """Durations of the files in seconds, sorted."""
        return np.sort([header.duration for header in self.headers.known.values()])


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
    files = list({clip.file.path: clip.file for clip in reading.clips}.values())
    headers = durations.read(
        files, reading.folder, places.cache_root(cache), _part(progress, "reading headers")
    )
    broken = dict(headers.bad)
    usable = [file for file in files if file.path not in broken]
    if deep:
        sounds, silent_or_damaged = _decode_all(usable, _part(progress, "decoding"))
        broken |= silent_or_damaged
        alike = _groups((file, sounds[file.path]) for file in usable if file.path in sounds)
    else:
        alike = _same_bytes(usable)
    spelling = {file.path: file.relative for file in files}
    return CheckReport(
        corpus=corpus,
        reading=reading,
        cells=tuple(_cells(corpus, reading)),
        headers=headers,
        broken={spelling[path]: _without_path(reason, path) for path, reason in broken.items()},
        alike=alike,
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


def _cells(corpus: Corpus, reading: Reading) -> Iterable[Cell]:
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


def _same_bytes(files: Sequence[AudioFile]) -> tuple[tuple[str, ...], ...]:
    """Return groups of files with the same content; files of other sizes are not opened."""
    suspects = [(file, str(file.size)) for file in files]
    for look in (_middle, _all_of_it):
        by_key = defaultdict(list)
        for file, key in suspects:
            by_key[key].append(file)
        suspects = [
            (file, f"{key} {look(file)}")
            for key, group in by_key.items()
            if len(group) > 1
            for file in group
        ]
    return _groups(suspects)


def _groups(contents: Iterable[tuple[AudioFile, str]]) -> tuple[tuple[str, ...], ...]:
    by_content = defaultdict(list)
    for file, content in contents:
        by_content[content].append(file.relative)
    return tuple(sorted(tuple(sorted(group)) for group in by_content.values() if len(group) > 1))


def _middle(file: AudioFile) -> str:
    """Digest a few bytes from where recordings differ, to spare reading most files whole."""
    with open(file.path, "rb") as stream:
        stream.seek(max(0, file.size // 2 - _SAMPLE_BYTES // 2))
        return hashlib.blake2b(stream.read(_SAMPLE_BYTES)).hexdigest()


def _all_of_it(file: AudioFile) -> str:
    with open(file.path, "rb") as stream:
        return hashlib.file_digest(stream, hashlib.blake2b).hexdigest()


def _decode_all(
    files: Sequence[AudioFile], progress: Callable[[int, int], None] | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return digests of the sound, and what is wrong with the files that have none, by path."""
    sounds, wrong = {}, {}
    with ThreadPoolExecutor(_DECODERS) as pool:
        for done, (file, (sound, reason)) in enumerate(
            zip(files, pool.map(_decoded, files), strict=True), 1
        ):
            if sound is None:
                wrong[file.path] = reason
            else:
                sounds[file.path] = sound
            if progress is not None:
                progress(done, len(files))
    return sounds, wrong


def _decoded(file: AudioFile) -> tuple[str | None, str]:
    """Return a digest of a file's sound, or None and the reason."""
    try:
        samples = audio.read(Path(file.path))
    except AudioError as error:
        return None, str(error)
    if not np.any(samples):
        return None, "expected speech, found only silence. Download it again, or drop it."
    return hashlib.blake2b(samples.tobytes()).hexdigest(), ""


def _part(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)


def _without_path(reason: str, path: str) -> str:
    """Return a reason without the path it begins with: the report names the file itself."""
    return reason.removeprefix(path).removeprefix(":").strip()
