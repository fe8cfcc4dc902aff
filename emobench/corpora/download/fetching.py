"""From the addresses of an entry to a corpus folder that is whole, or nothing."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import CorpusError
from ...storage import locked, remove_leftovers, storing, unfinished
from .. import paths
from ..entries.schema import Corpus
from ..opening import read
from .archives import Limits, unpack
from .keeping import CORPORA, StorageError, set_aside
from .record import FILE, Fetched, Record
from .transfer import Notice, Patience, Source, Transfer

Progress = Callable[[str, int, int | None], None]
"""Called with what is done ("downloading …" in bytes, "unpacking …" in files) and how far."""

STAGING = ".downloads"
"""Folder beside the corpora in which downloads lie until they are whole."""


@dataclass(frozen=True)
class Delivery:
    """What a download did.

    Attributes:
        folder: of the corpus
        files: that were unpacked; 0 if the corpus was complete before
        record: what is remembered
    """

    folder: Path
    files: int
    record: Record


def download(
    corpus: Corpus,
    data: Path | None,
    *,
    accept: Callable[[Corpus], bool],
    progress: Progress,
    notice: Notice,
    patience: Patience | None = None,
    limits: Limits | None = None,
) -> Delivery:
    """Fetch and unpack a corpus, unless it is there.

    Args:
        corpus: from the registry
        data: folder that holds the corpora; None means `EMOBENCH_DATA`
        accept: asked whether the licence is accepted, once
        progress: told how far it is
        notice: told in a sentence what happens
        patience: with servers
        limits: on what archives may hold

    Raises:
        CorpusError: if it cannot be had so, or a server, a disk or an archive is not as it should
    """
    folder = _destination(corpus, data)
    if is_complete(corpus, folder):
        return Delivery(folder, 0, Record.read(folder))
    with _alone(corpus, folder, notice) as staging:
        if is_complete(corpus, folder):  # by the command that was waited for
            return Delivery(folder, 0, Record.read(folder))
        record = Record.read(staging, folder)
        _require_licence(corpus, record, accept)
        record.write(staging)
        found = [_transfer(Source.of(text), staging, progress, notice) for text in corpus.urls]
        for transfer in found:
            notice(f"{transfer.source.name}: from {transfer.source.address}")
            _note(record, transfer, transfer.fetch(patience or Patience()), notice)
        files = _unpacked(found, staging, folder, progress, limits)
        record.write(folder)
        for leftover in (*(transfer.file for transfer in found), staging / FILE):
            leftover.unlink(missing_ok=True)
    return Delivery(folder, files, record)


@contextlib.contextmanager
def _alone(corpus: Corpus, folder: Path, notice: Notice) -> Iterator[Path]:
    """Yield the folder in which a corpus waits until it is whole, and keep others out of it."""
    staging = folder.parent / STAGING / corpus.base
    busy = f"{corpus.name}: another command is downloading it; waiting for its end"
    with storing(staging, CORPORA):
        staging.mkdir(parents=True, exist_ok=True)
    with locked(staging, functools.partial(notice, busy)):
        with storing(staging, CORPORA):  # the other command may have removed it
            staging.mkdir(parents=True, exist_ok=True)
        try:
            yield staging
        finally:
            for left in (staging, staging.parent):  # unless something is kept to go on from
                with contextlib.suppress(OSError):
                    left.rmdir()


def _transfer(source: Source, staging: Path, progress: Progress, notice: Notice) -> Transfer:
    """Return what fetches an archive into the staging folder."""
    return Transfer(
        source,
        staging / hashlib.sha256(source.address.encode()).hexdigest()[:16],
        progress=functools.partial(progress, f"downloading {source.name}"),
        notice=lambda text: notice(f"{source.name}: {text}"),
    )


def is_complete(corpus: Corpus, folder: Path) -> bool:
    """Return whether a folder holds all clips that the entry expects.

    Where the entry expects no numbers, what was recorded of a download decides.
    """
    if not folder.is_dir():
        return False
    try:
        reading = read(corpus, folder)
    except CorpusError:
        return False
    if corpus.expect is not None and corpus.expect.emotions:
        found = Counter(clip.facts["emotion"] for clip in reading.clips)
        return dict(found) == corpus.expect.emotions
    fetched = set(Record.read(folder).archives)
    return bool(reading.clips) and fetched >= {Source.of(text).address for text in corpus.urls}


def _destination(corpus: Corpus, data: Path | None) -> Path:
    """Return the folder of the corpus, which need not be there.

    Raises:
        CorpusError: if the corpus cannot be downloaded, or nobody says where to
    """
    root = paths.data_root(data)
    folder = paths.find(corpus, data) or (root or Path("DIR")) / corpus.base
    if corpus.generator is not None:
        raise CorpusError(
            f"{corpus.name}: expected a corpus that lies on a server, found one that is made on "
            "first use. Use it: there is nothing to download."
        )
    if corpus.parts:
        raise CorpusError(
            f"{corpus.name}: expected a corpus of its own, found one that is made of "
            f"{', '.join(part.name for part in corpus.parts)}. Download each of these."
        )
    if corpus.access != "open" or not corpus.urls:
        needs = "needs a licence" if corpus.access != "open" else "has no direct address"
        raise CorpusError(
            f"{corpus.name}: expected a corpus that a program can fetch, found that it {needs}. "
            f"{paths.how_to_get(corpus)} Unpack it into {folder}, then run `emobench check "
            f"{corpus.name}`."
        )
    if root is None:
        raise CorpusError(
            f"{corpus.name}: expected to be told where corpora go, found neither --data nor "
            f"EMOBENCH_DATA. Pass --data DIR; the corpus goes to DIR/{corpus.base}."
        )
    return folder


def _require_licence(corpus: Corpus, record: Record, accept: Callable[[Corpus], bool]) -> None:
    """Ask whether the licence is accepted, unless it is recorded, and record it.

    Raises:
        CorpusError: if the licence is refused
    """
    licence = corpus.licence or "none stated"
    if record.licence == licence:
        return
    if not accept(corpus):
        raise CorpusError(
            f"{corpus.name}: expected that its licence is accepted ({licence}), found that it is "
            "not. Nothing was downloaded."
        )
    record.accept(licence)


def _note(record: Record, transfer: Transfer, sha256: str, notice: Notice) -> None:
    """Record an archive; say what it could be compared with."""
    source, size = transfer.source, transfer.file.stat().st_size
    compared = ", ".join(sorted(source.published)) or "nothing published"
    before = record.archives.get(source.address)
    if before is not None and before.sha256 != sha256 and not source.has_checksum:
        notice(f"{source.address}: is another file than on {before.when}, by its SHA-256")
    notice(f"{source.address}: {size:,} bytes, SHA-256 {sha256}; compared with: {compared}")
    record.archives[source.address] = Fetched(bytes=size, sha256=sha256, compared=compared)


def _unpacked(
    found: list[Transfer],
    staging: Path,
    folder: Path,
    progress: Progress,
    limits: Limits | None,
) -> int:
    """Unpack archives aside, and put the whole in its place when all went well.

    Returns:
        number of files
    """
    files = 0
    with storing(folder, CORPORA):
        remove_leftovers(staging)
        with unfinished(staging / "unpacked") as aside:
            for number, transfer in enumerate(found):
                source, place = transfer.source, aside / str(number)
                step = functools.partial(progress, f"unpacking {source.name}")
                try:
                    files += unpack(
                        transfer.file, place, called=source.address, progress=step, limits=limits
                    )
                except CorpusError as error:
                    if isinstance(error, StorageError):
                        raise
                    kept = set_aside(transfer.file, source.name)
                    raise CorpusError(f"{error} {kept}") from error
            for unpacked in sorted(aside.iterdir()):  # files that are there already are replaced
                shutil.copytree(unpacked, folder, dirs_exist_ok=True, copy_function=shutil.move)
    return files
