"""What audio files hold: the same as another, nothing but silence, or nothing that decodes."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .. import audio
from ..errors import AudioError
from .clips import Clip
from .files import AudioFile
from .parallel import each

_SAMPLE_BYTES = 4096
_MOST_DECODERS = 8
_SILENT = "expected speech, found only silence. Download it again, or drop it."


@dataclass(frozen=True)
class Contents:
    """What was found in files.

    Attributes:
        alike: paths of files that hold the same, in groups
        wrong: why a file (by its path) or a clip (by its id) cannot be used
    """

    alike: tuple[tuple[str, ...], ...] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)


def compare_bytes(files: Sequence[AudioFile]) -> Contents:
    """Find files with the same bytes; a file whose size no other has is not opened."""
    wrong: dict[str, str] = {}
    suspects = [(file, str(file.size)) for file in files]
    for look in (_middle, _all_of_it):
        by_key = defaultdict(list)
        for file, key in suspects:
            by_key[key].append(file)
        suspects = []
        for key, group in by_key.items():
            if len(group) == 1:
                continue
            for file in group:
                try:
                    suspects.append((file, f"{key} {look(file)}"))
                except OSError as error:
                    wrong[file.path] = f"cannot be read ({error.strerror}). Check its permissions."
    return Contents(_groups((file.path, key) for file, key in suspects), wrong)


def decode(clips: Sequence[Clip], progress: Callable[[int, int], None] | None = None) -> Contents:
    """Decode the files of clips, each once; find silence, and files that sound the same.

    Args:
        clips: a file may hold several
        progress: called with the number of files decoded so far and in all
    """
    by_file: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_file[clip.file.path].append(clip)
    sounds: dict[str, str] = {}
    wrong: dict[str, str] = {}
    threads = min((os.cpu_count() or 1) + 1, _MOST_DECODERS)
    with each(_decoded, list(by_file.values()), threads) as decoded:
        for done, (held, (sound, reasons)) in enumerate(decoded, 1):
            wrong |= reasons
            if sound is not None:
                sounds[held[0].file.path] = sound
            if progress is not None:
                progress(done, len(by_file))
    return Contents(_groups(sounds.items()), wrong)


def _decoded(clips: Sequence[Clip]) -> tuple[str | None, dict[str, str]]:
    """Return a digest of the sound of a file, and what is wrong with it or the clips in it."""
    path = clips[0].file.path
    try:
        samples, rate = audio.decode(Path(path))
    except AudioError as error:
        return None, {path: str(error)}
    except (OSError, MemoryError) as error:
        return None, {path: f"cannot be decoded ({error or type(error).__name__}). Look at it."}
    if not np.any(samples):
        return None, {path: _SILENT}
    silent = {clip.id: _SILENT for clip in clips if _is_silent(clip, samples, rate)}
    digest = hashlib.blake2b(samples.tobytes())
    digest.update(str(rate).encode())
    return digest.hexdigest(), silent


def _is_silent(clip: Clip, samples: np.ndarray, rate: int) -> bool:
    if clip.end is None:
        return False
    segment = samples[round((clip.start or 0.0) * rate) : round(clip.end * rate)]
    return len(segment) > 0 and not np.any(segment)


def _groups(contents: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    by_content = defaultdict(list)
    for path, content in contents:
        by_content[content].append(path)
    return tuple(tuple(group) for group in by_content.values() if len(group) > 1)


def _middle(file: AudioFile) -> str:
    """Digest a few bytes from where recordings differ, to spare reading most files whole."""
    with open(file.path, "rb", buffering=0) as stream:
        stream.seek(max(0, file.size // 2 - _SAMPLE_BYTES // 2))
        return hashlib.blake2b(stream.read(_SAMPLE_BYTES)).hexdigest()


def _all_of_it(file: AudioFile) -> str:
    with open(file.path, "rb") as stream:
        return hashlib.file_digest(stream, hashlib.blake2b).hexdigest()
