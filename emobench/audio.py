"""Reading speech: any common container, rate, channel count and sample format becomes mono float32.

libsndfile decodes what it knows, by content and not by file extension; FFmpeg's libraries (PyAV)
decode the rest, such as the audio track of a video. What is not sound, or not all there, is
refused with the reason: a benchmark must not train on the half of a file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .errors import AudioError

if TYPE_CHECKING:
    import soundfile

SAMPLE_RATE = 16_000
"""Rate in Hz that every front-end works at."""

OVERHANG_SECONDS = 0.1
"""Annotations are rounded: a segment may end this much after its file does, and is cut there."""

_CONTAINERS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"caff")
_SAMPLES_CHUNK = {b"WAVE": b"data", b"AIFF": b"SSND", b"AIFC": b"SSND", b"AVI ": b"movi"}
_ENDLESS_BYTES = 0x7FFF_F000
"""Programs that write to a pipe put 0 or a number from here on as the length of the data."""

_BLOCK = 2**18
"""Samples that are decoded at once."""

_MPEG_SLACK = 2 * 1152
"""Samples: decoders drop an incomplete first frame and the encoder's delay."""


@dataclass(frozen=True)
class AudioInformation:
    """What the header of a file tells.

    Attributes:
        duration: in seconds
        sample_rate: in Hz
        channels: number of channels
    """

    duration: float
    sample_rate: int
    channels: int


def read(
    path: Path,
    start: float | None = None,
    end: float | None = None,
    *,
    sample_rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Read a file, or a segment of it, as mono sound at a given rate.

    Args:
        path: of a wav, flac, mp3, ogg or aiff file, or anything that holds an audio track
        start: in seconds; None means the beginning of the file
        end: in seconds; None means its end
        sample_rate: wanted, in Hz

    Returns:
        float32 of shape `(samples,)`, the mean of the channels, in [-1, 1) unless a file of
        floating-point samples exceeds that

    Raises:
        AudioError: if the file is absent, damaged, cut short, empty or no sound at all, if the
            segment lies outside it, or if samples are NaN or infinite
    """
    samples, rate = decode(path, start, end)
    return resample(samples, rate, sample_rate)


def decode(
    path: Path, start: float | None = None, end: float | None = None
) -> tuple[np.ndarray, int]:
    """Read a file, or a segment of it, as mono sound at the file's own rate.

    Args:
        path: as in `read`
        start: in seconds
        end: in seconds

    Returns:
        float32 samples of shape `(samples,)` and their rate in Hz

    Raises:
        AudioError: as `read` does
    """
    path = Path(path)
    with _opened(path) as sound:
        if sound is None:
            samples, rate = _decode_with_ffmpeg(path, start, end)
        else:
            samples, rate = _decode_with_libsndfile(path, sound, start, end)
    broken = len(samples) - int(np.isfinite(samples).sum())
    if broken:
        found = "all" if broken == len(samples) else str(broken)
        _refuse(path, f"{found} of {len(samples)} samples are NaN or infinite", "Export it again")
    return samples, rate


def resample(samples: np.ndarray, rate: float, wanted: float = SAMPLE_RATE) -> np.ndarray:
    """Return sound at another sampling rate (soxr, high quality).

    Args:
        samples: of shape `(samples,)`
        rate: of the samples, in Hz
        wanted: in Hz

    Returns:
        float32 of shape `(samples · wanted / rate,)`
    """
    if rate == wanted:
        return samples
    import soxr

    return soxr.resample(samples, rate, wanted, quality="HQ")


def information(path: Path) -> AudioInformation:
    """Return length, rate and channels of a file without decoding it.

    Args:
        path: as in `read`

    Raises:
        AudioError: if the header shows that the file cannot be used
    """
    path = Path(path)
    with _opened(path) as sound:
        if sound is not None:
            return AudioInformation(
                sound.frames / sound.samplerate, sound.samplerate, sound.channels
            )
    with _ffmpeg_track(path) as (container, track):
        length = _ffmpeg_seconds(container, track)
        if not length:
            _refuse(path, "its header does not tell how long it is", "Convert it to wav")
        return AudioInformation(length, track.rate, track.channels)


def _refuse(path: Path, reason: str, remedy: str) -> NoReturn:
    raise AudioError(f"{path}: {reason}. {remedy}.")


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile | None]:
    """Open a file with libsndfile; None stands for a format that it does not know."""
    import soundfile

    try:
        # Unbuffered, and handed over as a descriptor: libsndfile would trust the extension.
        stream = FileIO(path)
    except FileNotFoundError:
        _refuse(path, "no such file", "Check the corpus folder")
    except IsADirectoryError:
        _refuse(path, "expected an audio file, found a folder", "Check the corpus folder")
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror})", "Check its permissions")
    with stream:
        head = stream.read(4096)
        _check_head(path, head)
        _check_complete(path, stream)
        stream.seek(0)
        try:
            sound = soundfile.SoundFile(stream.fileno(), closefd=False)
        except soundfile.LibsndfileError as error:
            sound = None
            _check_unknown(path, head, str(error.error_string).strip(" ."))
        if sound is None:
            yield None
            return
        with sound:
            if sound.frames == 0:
                _refuse(path, "has a header but holds no samples", "Copy the file again")
            yield sound


def _check_head(path: Path, head: bytes) -> None:
    if not head:
        _refuse(path, "is an empty file (0 bytes)", "Copy the file again")
    if head.startswith(b"version https://git-lfs"):
        _refuse(path, "is a Git LFS pointer, not the audio itself", "Run `git lfs pull` there")
    if not any(head):
        _refuse(path, "begins with nothing but zero bytes", "Copy the file again")


def _check_unknown(path: Path, head: bytes, reason: str) -> None:
    """Refuse what libsndfile could not open unless FFmpeg may know better."""
    # FFmpeg reads playlists, which are text, and would follow them to other files and hosts.
    if all(byte in b"\t\n\f\r\x1b" or 32 <= byte != 127 for byte in head) and b"\0" not in head:
        words = head[:40].decode("utf-8", "replace").split("\n")[0].strip()
        _refuse(path, f"is a text file that begins with '{words}'", "Replace it with the audio")
    if head.startswith(_CONTAINERS) and len(head) < 4096:
        _refuse(path, f"is damaged or cut short ({reason})", "Copy the file again")


def _check_complete(path: Path, stream: FileIO) -> None:
    """Refuse a file that holds less than its header promises; libsndfile would read on."""
    stream.seek(0)
    head = stream.read(12)
    size = path.stat().st_size
    if head.startswith(b"OggS"):
        if not _ends_with_last_page(stream, size):
            _refuse(path, "is cut short (its last page is missing)", "Copy the file again")
        return
    promised = _promised_bytes(head, stream)
    if promised is not None and promised > size:
        _refuse(
            path,
            f"is cut short: its header promises {promised} bytes, the file has {size}",
            "Copy the file again",
        )


def _promised_bytes(head: bytes, stream: FileIO) -> int | None:
    """Return where the samples of a wav, aiff or avi file should end; None if nothing tells."""
    wanted = _SAMPLES_CHUNK.get(head[8:12])
    if wanted is None:
        return None
    order = "<" if head.startswith(b"RIFF") else ">"
    while len(chunk := stream.read(8)) == 8:
        (length,) = struct.unpack(f"{order}I", chunk[4:])
        begin = stream.tell()
        name = stream.read(4) if chunk[:4] == b"LIST" else chunk[:4]
        if name == wanted:
            return begin + length if length < _ENDLESS_BYTES else None
        stream.seek(begin + length + length % 2)
    return None


def _ends_with_last_page(stream: FileIO, size: int) -> bool:
    """Return whether an Ogg file ends with a whole page that is marked as the last one."""
    stream.seek(max(0, size - 2**17))  # a page has at most 65,307 bytes
    tail = stream.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    last = bool(page[5] & 4)
    return last and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])


def _span(
    path: Path, start: float | None, end: float | None, *, frames: int, rate: int
) -> tuple[int, int]:
    """Return the first sample of a segment and the one after its last."""
    first = round((start or 0.0) * rate)
    stop = frames if end is None else min(round(end * rate), frames)
    overhang = 0.0 if end is None else end - frames / rate
    if not 0 <= first < stop or overhang > OVERHANG_SECONDS:
        _refuse(
            path,
            f"expected a segment within its {frames / rate:.2f} s, found "
            f"{start or 0.0:.2f} s to {frames / rate if end is None else end:.2f} s",
            "Check the corpus' annotation",
        )
    return first, stop


def _decode_with_libsndfile(
    path: Path, sound: soundfile.SoundFile, start: float | None, end: float | None
) -> tuple[np.ndarray, int]:
    import soundfile

    first, stop = _span(path, start, end, frames=sound.frames, rate=sound.samplerate)
    blocks: list[np.ndarray] = []
    wanted = stop - first
    try:
        if first:
            sound.seek(first)
        # In blocks: a damaged header may promise more samples than fit in memory.
        while wanted and len(block := _read_block(sound, min(wanted, _BLOCK))):
            blocks.append(block)
            wanted -= len(block)
    except soundfile.LibsndfileError as error:
        _refuse(path, f"is damaged ({str(error.error_string).strip(' .')})", "Copy the file again")
    slack = _MPEG_SLACK if sound.format in ("MP3", "MPEG") else 0
    if wanted > slack or not blocks:
        _refuse(
            path,
            f"is cut short: {stop - wanted} of {sound.frames} samples could be decoded",
            "Copy the file again",
        )
    return np.concatenate(blocks), sound.samplerate


def _read_block(sound: soundfile.SoundFile, frames: int) -> np.ndarray:
    """Return the next frames, or fewer at the end, as the mean of the channels."""
    block = sound.read(frames, dtype="float32", always_2d=True)
    return block[:, 0] if sound.channels == 1 else block.mean(axis=1)


@contextmanager
def _ffmpeg_track(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open the first audio track of a file."""
    import av

    try:
        with av.open(str(path.resolve())) as container:
            track = next(iter(container.streams.audio), None)
            if track is None:
                _refuse(path, "holds no audio track", "Replace it with the audio")
            yield container, track
    except av.FFmpegError as error:
        _refuse(path, f"is not audio that can be decoded ({error.strerror})", "Copy it again")


def _ffmpeg_seconds(container: Any, track: Any) -> float:
    if track.duration:
        return float(track.duration * track.time_base)
    return (container.duration or 0) / 1_000_000


def _decode_with_ffmpeg(
    path: Path, start: float | None, end: float | None
) -> tuple[np.ndarray, int]:
    import av

    with _ffmpeg_track(path) as (container, track):
        rate = track.rate
        first = round((start or 0.0) * rate)
        stop = float("inf") if end is None else round(end * rate)
        converter = av.AudioResampler(format="fltp")
        kept, done = [], 0
        for decoded in container.decode(track):
            for frame in converter.resample(decoded):
                mono = frame.to_ndarray().mean(axis=0, dtype=np.float32)
                low, high = max(first - done, 0), min(stop - done, len(mono))
                if low < high:
                    kept.append(mono[low : int(high)])
                done += len(mono)
        promised = _ffmpeg_seconds(container, track)
    if not done:
        _refuse(path, "has a header but holds no samples", "Copy the file again")
    # Containers round the length to a video frame, and codecs to a block.
    if done / rate < 0.95 * promised - 0.25:
        _refuse(
            path,
            f"is cut short: {done / rate:.2f} of {promised:.2f} s could be decoded",
            "Copy the file again",
        )
    _span(path, start, end, frames=done, rate=rate)
    return np.concatenate(kept), rate
