"""What the first bytes of a file tell before a decoder is asked: is it sound, and all of it?"""

from __future__ import annotations

import os
import stat
import struct
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from .refusal import refuse

_CONTAINERS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"caff")
_SAMPLES_CHUNK = {b"WAVE": b"data", b"AIFF": b"SSND", b"AIFC": b"SSND", b"AVI ": b"movi"}
_ENDLESS_BYTES = 0x7FFF_F000
"""Programs that write to a pipe put 0 or a number from here on as the length of the data."""

_TAG_BYTES = 512
"""Tags and padding behind the samples, which are no chunks, are shorter than this."""

_LOWEST_HZ, _HIGHEST_HZ = 2_000, 400_000


class _Samples(NamedTuple):
    """Where a chunk says that the samples lie."""

    begin: int
    length: int
    order: str


def open_regular(path: Path) -> FileIO:
    """Open a file; unbuffered, so that its descriptor can be handed over.

    Raises:
        AudioError: if it is absent, may not be read, or is a folder, a pipe or a device
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            refuse(path, "expected an audio file, found a folder", "Check the path")
        if not stat.S_ISREG(mode):  # to open a pipe is to wait for what writes to it
            refuse(path, "expected an audio file, found a pipe or a device", "Remove it")
        return FileIO(path)
    except FileNotFoundError:
        refuse(path, "no such file", "Check the path")
    except OSError as error:
        refuse(path, f"cannot be read ({error.strerror})", "Check its permissions")
    except ValueError as error:
        refuse(path, f"has a name that cannot be opened ({error})", "Rename it")


def check_head(path: Path, head: bytes) -> None:
    """Refuse what is no sound by its first bytes."""
    if not head:
        refuse(path, "is an empty file (0 bytes)", "Copy the file again")
    if head.startswith(b"version https://git-lfs"):
        refuse(path, "is a Git LFS pointer, not the audio itself", "Run `git lfs pull` there")
    if not any(head):
        refuse(path, "begins with nothing but zero bytes", "Copy the file again")


def check_unknown(path: Path, head: bytes, reason: str) -> None:
    """Refuse what libsndfile could not open unless FFmpeg may know better."""
    # FFmpeg reads playlists, which are text, and would follow them to other files and hosts.
    if all(byte in b"\t\n\f\r\x1b" or 32 <= byte != 127 for byte in head) and b"\0" not in head:
        words = head[:40].decode("utf-8", "replace").split("\n")[0].strip()
        refuse(path, f"is a text file that begins with '{words}'", "Replace it with the audio")
    if head.startswith(_CONTAINERS) and len(head) < 4096:
        refuse(path, f"is damaged or cut short ({reason})", "Copy the file again")


def check_rate(path: Path, rate: float | None) -> None:
    """Refuse a sampling rate that no recording of speech has."""
    if rate is None or not _LOWEST_HZ <= rate <= _HIGHEST_HZ:
        found = "no sampling rate" if rate is None else f"a sampling rate of {rate:,} Hz"
        refuse(
            path,
            f"expected a sampling rate from {_LOWEST_HZ:,} to {_HIGHEST_HZ:,} Hz, found {found} "
            "in its header",
            "Export it again",
        )


def check_complete(path: Path, stream: FileIO) -> bool:
    """Refuse a file whose header and size disagree; libsndfile would go by the header.

    Returns:
        whether the header leaves the length open, and FFmpeg must read to the end of the file
    """
    stream.seek(0)
    head = stream.read(12)
    size = os.fstat(stream.fileno()).st_size
    if head.startswith(b"OggS"):
        if not _ends_with_last_page(stream, size):
            refuse(path, "is cut short (its last page is missing)", "Copy the file again")
        return False
    if head.startswith(b"fLaC"):
        return _check_flac(path, stream, size)
    samples = _samples(head, stream)
    if samples is None or (samples.length >= _ENDLESS_BYTES and not head.startswith(b"RF64")):
        return False
    end = samples.begin + samples.length
    if end > size:
        refuse(
            path,
            f"is cut short: its header promises {end} bytes, the file has {size}",
            "Copy the file again",
        )
    beyond = size - end
    if beyond and not _chunks_follow(stream, samples, size):
        if samples.length == 0 and head[8:12] == b"WAVE":
            return True
        if beyond > _TAG_BYTES:
            refuse(
                path,
                f"its header promises {samples.length} bytes of samples, {size - samples.begin} "
                "follow, and nothing tells which of the two is right",
                "Copy or export it again",
            )
    return False


def _check_flac(path: Path, stream: FileIO, size: int) -> bool:
    """Refuse a FLAC file that holds more than its header promises; return whether it does not say.

    Samples are never written with more bits than they have, but for a few that frame them.
    """
    stream.seek(4)
    block, promised = stream.read(4), None
    while len(block) == 4:
        begin, length = stream.tell(), int.from_bytes(block[1:], "big")
        if block[0] & 0x7F == 0:
            facts = int.from_bytes(stream.read(18)[10:], "big")
            samples = facts & (1 << 36) - 1
            channels, bits = (facts >> 41 & 7) + 1, (facts >> 36 & 31) + 1
            promised = samples * channels * bits // 8
        stream.seek(begin + length)
        if block[0] & 0x80:
            break
        block = stream.read(4)
    there = size - stream.tell()
    if promised and there > 1.1 * promised + 8_192:
        refuse(
            path,
            f"its header promises {promised} bytes of samples, but {there} compressed bytes follow",
            "Copy or export it again",
        )
    return promised == 0


def _samples(head: bytes, stream: FileIO) -> _Samples | None:
    """Return where the samples of a wav, aiff, au or avi file should be; None if nothing tells."""
    if head.startswith(b".snd"):
        begin, length = struct.unpack(">2I", head[4:12])
        return _Samples(begin, length, ">")
    wanted = _SAMPLES_CHUNK.get(head[8:12])
    if wanted is None or not head.startswith(_CONTAINERS):
        return None
    order = "<" if head[:4] in (b"RIFF", b"RF64") else ">"
    true_length = None
    while len(chunk := stream.read(8)) == 8:
        (length,) = struct.unpack(f"{order}I", chunk[4:])
        begin = stream.tell()
        name = stream.read(4) if chunk[:4] == b"LIST" else chunk[:4]
        if name == b"ds64" and len(sizes := stream.read(16)) == 16:  # of the file, of the samples
            (true_length,) = struct.unpack("<8xQ", sizes)
        if name == wanted:
            return _Samples(begin, length if true_length is None else true_length, order)
        stream.seek(begin + length + length % 2)
    return None


def _chunks_follow(stream: FileIO, samples: _Samples, size: int) -> bool:
    """Tell whether what lies behind the samples is chunks, up to a tag at the end of the file."""
    # Some programs forget the byte that makes a length even.
    starts = {samples.begin + samples.length + samples.length % 2, samples.begin + samples.length}
    return any(_is_chunks(stream, start, size, samples.order) for start in starts)


def _is_chunks(stream: FileIO, place: int, size: int, order: str) -> bool:
    found = False
    while place + 8 <= size:
        stream.seek(place)
        chunk = stream.read(8)
        (length,) = struct.unpack(f"{order}I", chunk[4:])
        named = all(32 <= byte < 127 for byte in chunk[:4])
        if not named or place + 8 + length > size:
            return found and size - place <= _TAG_BYTES
        found = True
        place += 8 + length + length % 2
    return found


def _ends_with_last_page(stream: FileIO, size: int) -> bool:
    """Return whether an Ogg file ends with a whole page that is marked as the last one."""
    stream.seek(max(0, size - 2**17))  # a page has at most 65,307 bytes
    tail = stream.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    last = bool(page[5] & 4)
    return last and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
