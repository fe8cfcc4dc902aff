"""Sound by FFmpeg's libraries: videos, and what libsndfile does not know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .headers import check_rate
from .refusal import refuse, refusing


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open the first audio track of a file.

    Raises:
        AudioError: if it has none, or none that can be decoded
    """
    import av

    with refusing(path), av.open(str(path.resolve())) as container:
        track = next(iter(container.streams.audio), None)
        if track is None:
            refuse(path, "holds no audio track", "Replace it with the audio")
        if track.codec_context is None:
            refuse(path, "is in an audio format that nothing here can decode", "Convert it to wav")
        check_rate(path, track.rate)
        yield container, track


def seconds(container: Any, track: Any) -> float:
    """Return how long a track should last; 0 if the container does not tell."""
    if track.duration:
        return float(track.duration * track.time_base)
    return (container.duration or 0) / 1_000_000


def blocks(path: Path, container: Any, track: Any) -> Iterator[np.ndarray]:
    """Yield all samples of a track, float32 of shape `(samples, channels)`.

    Raises:
        AudioError: if it holds less than it should
    """
    import av

    converter = av.AudioResampler(format="fltp")
    done = 0
    for decoded in container.decode(track):
        for frame in converter.resample(decoded):
            block = frame.to_ndarray().astype(np.float32, copy=False).T
            done += len(block)
            yield block
    if not done:
        refuse(path, "has a header but holds no samples", "Copy the file again")
    promised = seconds(container, track)
    # Containers round the length to a video frame, and codecs to a block.
    if done / track.rate < 0.95 * promised - 0.25:
        refuse(
            path,
            f"is cut short: {done / track.rate:.2f} of {promised:.2f} s could be decoded",
            "Copy the file again",
        )
