"""Unpacking archives that nobody vouches for."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from ...errors import CorpusError
from ...storage import insist_on_room, storing
from .keeping import CORPORA
from .member_names import safe_parts, tar_name, zip_name

Progress = Callable[[int, int | None], None]

_PIECE = 1 << 20
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError),
    *(NotImplementedError, RuntimeError, UnicodeError, ValueError, OSError),
)


@dataclass(frozen=True)
class Limits:
    """How large the content of an archive may be.

    Attributes:
        members: files and folders
        ratio: bytes unpacked for each byte of the archive; sound stays below 20
        least: bytes that may be unpacked whatever the ratio
        most: bytes that may be unpacked at all
    """

    members: int = 500_000
    ratio: int = 100
    least: int = 64 << 20
    most: int = 200 << 30

    def allowed(self, archive: Path) -> int:
        """Return how many bytes an archive may hold."""
        return min(self.most, max(self.least, self.ratio * archive.stat().st_size))


def unpack(
    archive: Path, folder: Path, *, called: str, progress: Progress, limits: Limits | None = None
) -> int:
    """Unpack a zip or tar archive (also compressed by gzip, bzip2 or xz) into an empty folder.

    The content says which it is, not the name.

    Args:
        archive: the file
        folder: is made; remove it when this fails
        called: what the archive is called in a message
        progress: told how many files are unpacked, of how many
        limits: on what may be in it

    Returns:
        number of files

    Raises:
        CorpusError: if it is no archive, is damaged, holds links, devices or names that lead
            out of the folder, or unpacks to more than the limits allow
        StorageError: if the disk does not take it
    """
    task = _Unpacking(folder, called, progress, limits or Limits(), archive)
    with archive.open("rb") as file, _damage_told(called):
        begin = file.read(512)
        if begin[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            task.unzip(file)
        else:
            opener = next(
                (of for magic, of in _COMPRESSED.items() if begin.startswith(magic)), None
            )
            if opener is None and begin[257:262] != b"ustar":
                raise CorpusError(
                    f"{called}: expected a zip or tar archive, found {_kind(begin)}. Its address "
                    "may have changed or ask for a log-in: see the corpus' page."
                )
            file.seek(0)
            with opener(file) if opener else file as content:
                task.untar(content)
        if not task.files:
            raise CorpusError(
                f"{called}: expected an archive with files, found an empty one. See the corpus' "
                "page for the right address."
            )
    return task.files


class _Unpacking:
    """An archive being unpacked, and how much has come out of it."""

    def __init__(
        self, folder: Path, called: str, progress: Progress, limits: Limits, archive: Path
    ) -> None:
        self.files = 0
        self._folder = folder
        self._called = called
        self._progress = progress
        self._limits = limits
        self._allowed = limits.allowed(archive)
        self._members = 0
        self._done = 0

    def unzip(self, file: IO[bytes]) -> None:
        """Unpack a zip archive; every name is looked at before anything is written."""
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            for member in members:
                self._admit(member.file_size)
                kind = stat.S_IFMT(member.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise self._harmful(f"'{member.filename}', which is a link or a device")
                if member.flag_bits & 1:
                    raise CorpusError(
                        f"{self._called}: expected an archive without a password, found one that "
                        "needs it. Unpack it by hand; see the corpus' page."
                    )
            names = [zip_name(each.filename, bool(each.flag_bits & 0x800)) for each in members]
            parts = [safe_parts(name, self._called) for name in names]
            purpose = replace(CORPORA, what=f"what is in {self._called}")
            insist_on_room(self._make_folder(()), self._done, purpose)
            folders = [
                not place or name[-1] in "/\\" for name, place in zip(names, parts, strict=True)
            ]
            total = folders.count(False)
            for member, place, is_folder in zip(members, parts, folders, strict=True):
                if is_folder:
                    self._make_folder(place)
                else:
                    with archive.open(member) as content:
                        self._write(content, place, total)

    def untar(self, content: IO[bytes]) -> None:
        """Unpack a tar archive; it can only be known member by member."""
        sips = _Sips(content, self._spend)
        with tarfile.open(fileobj=sips, mode="r:") as archive:
            for member in archive:
                self._admit(0 if member.isreg() else member.size)
                place = safe_parts(tar_name(member.name), self._called)
                archive.members.clear()  # tarfile would remember every one
                if member.isdir() or not place:
                    self._make_folder(place)
                    continue
                source = archive.extractfile(member) if member.isreg() else None
                if source is None:
                    raise self._harmful(f"'{member.name}', which is a link or a device")
                self._write(source, place, None)
            sips.seek(archive.offset)
            mark = sips.read(tarfile.BLOCKSIZE)
            if mark.strip(b"\0") or not mark:  # tarfile takes a broken header for the end
                raise tarfile.ReadError("its end is missing, or a header is broken")
            while sips.read(_PIECE):  # the checksum stands at the very end
                pass

    def _admit(self, size: int) -> None:
        """Count a member, and refuse it where it would be too much."""
        self._members += 1
        if self._members > self._limits.members:
            raise self._harmful(f"more than {self._limits.members:,} members")
        self._spend(size)

    def _spend(self, size: int) -> None:
        """Count bytes, and refuse them where they would be too many."""
        self._done += size
        if size < 0 or self._done > self._allowed:
            raise self._harmful(f"content of more than {self._allowed / 1e6:,.0f} MB")

    def _harmful(self, found: str) -> CorpusError:
        return CorpusError(
            f"{self._called}: expected the files of a corpus, found {found}. Nothing was unpacked: "
            "the archive is damaged or means harm."
        )

    def _make_folder(self, place: tuple[str, ...]) -> Path:
        folder = self._folder.joinpath(*place)
        with self._storing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _storing(self, path: Path) -> Iterator[None]:
        """As `storing`; that a file and a folder bear one name is the fault of the archive."""
        with storing(path, CORPORA):
            try:
                yield
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                name = path.relative_to(self._folder)
                raise self._harmful(f"'{name}' both as a file and as a folder") from None

    def _write(self, source: IO[bytes], place: tuple[str, ...], total: int | None) -> None:
        """Copy a member's content; nothing but its bytes is taken over."""
        path = self._make_folder(place[:-1]) / place[-1]
        with self._storing(path):
            file = path.open("wb")
        with file:
            while piece := source.read(_PIECE):
                with storing(path, CORPORA):
                    file.write(piece)
        self.files += 1
        self._progress(self.files, total)


class _Sips:
    """A stream that is read in small portions: no header of a tar archive fills the memory."""

    def __init__(self, content: IO[bytes], spend: Callable[[int], None]) -> None:
        self._content, self._spend = content, spend
        self.seek, self.tell, self.close = content.seek, content.tell, content.close

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            tarfile.ReadError: if too many are asked for at once
        """
        if not 0 <= size <= _PIECE:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        portion = self._content.read(size)
        self._spend(len(portion))
        return portion


@contextmanager
def _damage_told(called: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise CorpusError(
            f"{called}: expected an archive that is whole, found: {error}. Run the same command "
            "again to fetch it anew; see the corpus' page if that does not help."
        ) from error


def _kind(begin: bytes) -> str:
    """Return what a file that is no archive looks like."""
    text = begin.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if text.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS"
    return "something else" if begin else "an empty file"
