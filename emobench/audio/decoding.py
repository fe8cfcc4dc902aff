"""From a file to mono samples, whatever it is called and whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import channels, ffmpeg, headers
from .channels import Channel, Difference
from .refusal import refuse, refusing

if TYPE_CHECKING:
    import soundfile

SAMPLE_RATE = 16_000
"""Rate in Hz that every front-end works at."""

OVERHANG_SECONDS = 0.1
"""Annotations are rounded: a segment may end this much after its file does, and is cut there."""

SHORTEST_SECONDS = 0.02
"""No front-end makes anything of less."""

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
    channel: Channel = "mean",
) -> np.ndarray:
    """Read a file, or a segment of it, as mono sound at a given rate.

    Args:
        path: of a wav, flac, mp3, ogg or aiff file, or anything that holds an audio track
        start: in seconds; None means the beginning of the file
        end: in seconds; None means its end
        sample_rate: wanted, in Hz
        channel: what becomes of several channels

    Returns:
        float32 of shape `(samples,)`, in [-1, 1) unless a file of floating-point samples exceeds
        that

    Raises:
        AudioError: if the file is absent, damaged, cut short, empty or no sound at all, if the
            segment lies outside it, or if samples are NaN or infinite
    """
    samples, rate = decode(path, start, end, channel=channel)
    return resample(samples, rate, sample_rate)


def decode(
    path: Path,
    start: float | None = None,
    end: float | None = None,
    *,
    channel: Channel = "mean",
) -> tuple[np.ndarray, int]:
    """Read a file, or a segment of it, as mono sound at the file's own rate.

    Args:
        path: as in `read`
        start: in seconds
        end: in seconds
        channel: as in `read`

    Returns:
        float32 samples of shape `(samples,)` and their rate in Hz

    Raises:
        AudioError: as `read` does
    """
    path = Path(path)
    with refusing(path), _opened(path) as sound:
        if sound is None:
            with ffmpeg.opened(path) as (container, track):
                blocks = ffmpeg.blocks(path, container, track)
                kept = _cut(path, blocks, start, end, track.rate, channel)
                rate = track.rate
        else:
            blocks = _sndfile_blocks(path, sound, *_span(path, start, end, _length(sound)))
            kept = [channels.pick(block, channel) for block in blocks]
            rate = sound.samplerate
        samples = np.concatenate(kept)
    broken = len(samples) - int(np.isfinite(samples).sum())
    if broken:
        found = "all" if broken == len(samples) else str(broken)
        refuse(path, f"{found} of {len(samples)} samples are NaN or infinite", "Export it again")
    return samples, rate


def compare(path: Path) -> Difference | None:
    """Return how the channels of a file differ; None where there is only one, or only silence.

    Args:
        path: as in `read`

    Raises:
        AudioError: as `read` does
    """
    path = Path(path)
    with refusing(path), _opened(path) as sound:
        if sound is not None:
            return channels.compare(_sndfile_blocks(path, sound, 0, sound.frames))
        with ffmpeg.opened(path) as (container, track):
            return channels.compare(ffmpeg.blocks(path, container, track))


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
    with refusing(path), _opened(path) as sound:
        if sound is not None:
            return AudioInformation(
                sound.frames / sound.samplerate, sound.samplerate, sound.channels
            )
        with ffmpeg.opened(path) as (container, track):
            length = ffmpeg.seconds(container, track)
            if not length:  # whoever wrote to a pipe did not know either
                length = sum(map(len, ffmpeg.blocks(path, container, track))) / track.rate
            return AudioInformation(length, track.rate, track.channels)


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile | None]:
    """Open a file with libsndfile; None stands for one that is left to FFmpeg."""
    import soundfile

    with headers.open_regular(path) as stream:
        head = stream.read(4096)
        headers.check_head(path, head)
        if headers.check_complete(path, stream):
            yield None
            return
        stream.seek(0)
        try:
            # As a descriptor: libsndfile would trust the extension.
            sound = soundfile.SoundFile(stream.fileno(), closefd=False)
        except soundfile.LibsndfileError as error:
            sound = None
            headers.check_unknown(path, head, str(error.error_string).strip(" ."))
        if sound is None:
            yield None
            return
        with sound:
            headers.check_rate(path, sound.samplerate)
            if sound.frames == 0:
                refuse(path, "has a header but holds no samples", "Copy the file again")
            yield sound


def _length(sound: soundfile.SoundFile) -> tuple[int, int]:
    return sound.frames, sound.samplerate


def _span(
    path: Path, start: float | None, end: float | None, length: tuple[int, int]
) -> tuple[int, int]:
    """Return the first sample of a segment and the one after its last.

    Args:
        path: of the file
        start: in seconds
        end: in seconds
        length: samples of the file, and their rate in Hz
    """
    frames, rate = length
    first = round((start or 0.0) * rate)
    stop = frames if end is None else min(round(end * rate), frames)
    overhang = 0.0 if end is None else end - frames / rate
    if not 0 <= first < stop or overhang > OVERHANG_SECONDS:
        refuse(
            path,
            f"expected a segment within its {frames / rate:.2f} s, found "
            f"{start or 0.0:.2f} s to {frames / rate if end is None else end:.2f} s",
            "Check the times that are given",
        )
    return first, stop


def _sndfile_blocks(
    path: Path, sound: soundfile.SoundFile, first: int, stop: int
) -> Iterator[np.ndarray]:
    """Yield the samples of a segment, float32 of shape `(samples, channels)`."""
    import soundfile

    wanted = stop - first
    try:
        if first:
            sound.seek(first)
        # In blocks: a damaged header may promise more samples than fit in memory.
        while wanted:
            block = sound.read(min(wanted, _BLOCK), dtype="float32", always_2d=True)
            if not len(block):
                break
            wanted -= len(block)
            yield block
    except soundfile.LibsndfileError as error:
        refuse(path, f"is damaged ({str(error.error_string).strip(' .')})", "Copy the file again")
    slack = _MPEG_SLACK if sound.format in ("MP3", "MPEG") else 0
    if wanted > slack or wanted == stop - first:
        refuse(
            path,
            f"is cut short: {stop - wanted} of {sound.frames} samples could be decoded",
            "Copy the file again",
        )


def _cut(
    path: Path,
    blocks: Iterator[np.ndarray],
    start: float | None,
    end: float | None,
    rate: int,
    channel: Channel,
) -> list[np.ndarray]:
    """Return the parts of all samples that belong to a segment."""
    first = round((start or 0.0) * rate)
    stop = float("inf") if end is None else round(end * rate)
    kept, done = [], 0
    for block in blocks:
        low, high = max(first - done, 0), min(stop - done, len(block))
        if low < high:
            kept.append(channels.pick(block[low : int(high)], channel))
        done += len(block)
    _span(path, start, end, (done, rate))
    return kept
