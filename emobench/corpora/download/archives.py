"""Unpacking archives that nobody vouches for."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from ...errors import CorpusError
from ...storage import insist_on_room, storing
from .keeping import CORPORA
from .member_names import safe_parts

Progress = Callable[[int, int | None], None]

_PIECE = 1 << 20
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
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

    members: int = 200_000
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
    limits = limits or Limits()
    task = _Unpacking(folder, called, progress, limits.members, limits.allowed(archive))
    try:
        with archive.open("rb") as file:
            task.unpack(file)
    except _DAMAGE as error:
        raise CorpusError(
            f"{called}: expected an archive that is whole, found: {error}. Run the same command "
            "again; see the corpus' page if that does not help."
        ) from error
    if not task.files:
        raise CorpusError(
            f"{called}: expected an archive with files, found an empty one. See the corpus' page "
            "for the right address."
        )
    return task.files


@dataclass
class _Unpacking:
    """An archive being unpacked, and how much has come out of it."""

    folder: Path
    called: str
    progress: Progress
    most_members: int
    allowed: int
    files: int = 0
    members: int = 0
    size: int = 0

    def unpack(self, file: IO[bytes]) -> None:
        """Unpack an archive of whatever kind."""
        begin = file.read(512)
        file.seek(0)
        opener = next((of for sign, of in _COMPRESSED.items() if begin.startswith(sign)), None)
        if begin.startswith(_ZIP):
            self._unzip(file)
        elif opener is not None or begin[257:262] == b"ustar":
            with opener(file) if opener else file as content:
                self._untar(content)
        else:
            raise CorpusError(
                f"{self.called}: expected a zip or tar archive, found {_kind(begin)}. Its address "
                "may have changed or ask for a log-in: see the corpus' page."
            )

    def _unzip(self, file: IO[bytes]) -> None:
        """Unpack a zip archive; every member is looked at before anything is written."""
        with _zip(file) as archive:
            members = archive.infolist()
            places = [self._place(member) for member in members]
            purpose = replace(CORPORA, what=f"what is in {self.called}")
            self._put((), None)
            insist_on_room(self.folder, self.size, purpose)
            total = sum(not is_folder for _, is_folder in places)
            for member, (place, is_folder) in zip(members, places, strict=True):
                with nullcontext() if is_folder else archive.open(member) as content:
                    self._put(place, content, total)

    def _place(self, member: zipfile.ZipInfo) -> tuple[tuple[str, ...], bool]:
        """Return where a member goes, and whether it is a folder."""
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._harmful(f"'{member.filename}', which is a link or a device")
        if member.flag_bits & 1:
            raise CorpusError(
                f"{self.called}: expected an archive without a password, found one that needs it. "
                "Unpack it by hand; see the corpus' page."
            )
        place = self._admitted(member.filename, member.file_size)
        return place, not place or member.filename[-1] in "/\\"

    def _untar(self, content: IO[bytes]) -> None:
        """Unpack a tar archive; it can only be known member by member."""
        sips = _Sips(content, self.allowed, self._too_large())
        with tarfile.open(fileobj=sips, mode="r:") as archive:
            for member in archive:
                # Bytes that are no UTF-8 come from systems that wrote Latin-1.
                name = re.sub("[\udc80-\udcff]", lambda one: chr(ord(one[0]) - 0xDC00), member.name)
                place = self._admitted(name, member.size)
                is_folder = self._is_folder(member) or not place
                self._put(place, None if is_folder else archive.extractfile(member))
        if sips.last.strip(b"\0") or not sips.last:  # tarfile takes a broken header for the end
            raise tarfile.ReadError("its end is missing, or a header is broken")
        while sips.read(_PIECE):  # the checksum stands at the very end
            pass

    def _is_folder(self, member: tarfile.TarInfo) -> bool:
        """Return whether a member is a folder; else it is a file, and anything else is refused."""
        with suppress(tarfile.FilterError):
            safe = tarfile.data_filter(member, str(self.folder))  # no device, no link to elsewhere
            if safe.isdir() or safe.isreg():  # and no link at all: a corpus needs none
                return safe.isdir()
        raise self._harmful(f"'{member.name}', which is a link or a device")

    def _admitted(self, name: str, size: int) -> tuple[str, ...]:
        """Count a member, refuse it where it would be too much, and return where it goes."""
        self.members += 1
        self.size += size
        if self.members > self.most_members:
            raise self._harmful(f"more than {self.most_members:,} members")
        if size < 0 or self.size > self.allowed:
            raise self._too_large()
        return safe_parts(name, self.called)

    def _too_large(self) -> CorpusError:
        return self._harmful(f"content of more than {self.allowed / 1e6:,.0f} MB")

    def _harmful(self, found: str) -> CorpusError:
        return CorpusError(
            f"{self.called}: expected the files of a corpus, found {found}. Nothing was unpacked: "
            "the archive is damaged or means harm."
        )

    def _put(
        self, place: tuple[str, ...], content: IO[bytes] | None, total: int | None = None
    ) -> None:
        """Make a folder, or a file for content; nothing but its bytes is taken over."""
        path = self.folder.joinpath(*place)
        with storing(path, CORPORA):
            try:
                (path if content is None else path.parent).mkdir(parents=True, exist_ok=True)
                file = None if content is None else path.open("xb")
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                name = "/".join(place)
                raise self._harmful(f"'{name}' twice, or both as a file and as a folder") from None
        if file is None or content is None:
            return
        with file:
            while piece := content.read(_PIECE):
                with storing(path, CORPORA):
                    file.write(piece)
        self.files += 1
        self.progress(self.files, total)


def _zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip archive; names of unknown coding are often UTF-8, and else of DOS."""
    try:
        return zipfile.ZipFile(file, metadata_encoding="utf-8")
    except UnicodeError:
        return zipfile.ZipFile(file)


class _Sips:
    """A stream that is read in small portions: no header of a tar archive fills the memory.

    Attributes:
        last: what was read last
    """

    def __init__(self, content: IO[bytes], allowed: int, too_much: CorpusError) -> None:
        self.last, self._content, self._left, self._too_much = b"", content, allowed, too_much
        self.seek, self.tell, self.close = content.seek, content.tell, content.close

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            tarfile.ReadError: if too many are asked for at once
            CorpusError: if there are more than the archive may hold
        """
        if not 0 <= size <= _PIECE:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        self.last = self._content.read(size)
        self._left -= len(self.last)
        if self._left < 0:
            raise self._too_much
        return self.last


def _kind(begin: bytes) -> str:
    """Return what a file that is no archive looks like."""
    text = begin.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if text.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS"
    return "something else" if begin else "an empty file"
