"""What audio files hold: the same as another, nothing but silence, or nothing that decodes."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ... import audio, sounds
from ...storage import Memory
from .audio_files import AudioFile
from .clips import Clip
from .memory import find_out

_SAMPLE_BYTES = 4096
_MOST_DECODERS = 8
_VERSION = 1
_CONSTANT = "expected speech, found only silence. Download it again, or drop it."


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
    for look in (_middle, digest):
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


def decode(
    clips: Sequence[Clip],
    folder: Path,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Contents:
    """Decode the files of clips, each once; find silence, and files that sound the same.

    Args:
        clips: a file may hold several
        folder: of the corpus
        cache: folder of caches; what was found is remembered there
        progress: called with the number of files decoded so far and in all
    """
    by_file: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_file[clip.file.path].append(clip)
    details = {
        path: " ".join(f"{clip.id} {clip.start} {clip.end} {clip.channel}" for clip in held)
        for path, held in by_file.items()
    }
    threads = min((os.cpu_count() or 1) + 1, _MOST_DECODERS)
    known, wrong = find_out(
        [held[0].file for held in by_file.values()],
        lambda file: _decoded(by_file[file.path]),
        Memory("decoded", _VERSION, folder, cache),
        threads=threads,
        details=details,
        progress=progress,
    )
    for path, (_, constant) in known.items():
        wrong |= dict.fromkeys(constant, _CONSTANT)
        if all(clip.id in constant for clip in by_file[path]):
            wrong[path] = _CONSTANT
    sounding = ((path, sound) for path, (sound, _) in known.items() if path not in wrong)
    return Contents(_groups(sounding), wrong)


def _decoded(clips: Sequence[Clip]) -> tuple[str, list[str]]:
    """Return a digest of the sound of a file, and which clips in it are nothing but silence."""
    channel = clips[0].channel or "mean"
    samples, rate = audio.decode(Path(clips[0].file.path), channel=channel)
    return sounds.digest(samples, rate), [
        clip.id for clip in clips if _is_constant(clip, samples, rate)
    ]


def _is_constant(clip: Clip, samples: np.ndarray, rate: int) -> bool:
    """Tell whether all samples of a clip are equal, which no front-end takes."""
    stop = None if clip.end is None else round(clip.end * rate)
    segment = samples[round((clip.start or 0.0) * rate) : stop]
    return len(segment) > 0 and bool(segment.min() == segment.max())


def digest(file: AudioFile) -> str:
    """Return a digest of all bytes of a file.

    Raises:
        OSError: if it cannot be read
    """
    with open(file.path, "rb") as stream:
        return hashlib.file_digest(stream, hashlib.blake2b).hexdigest()


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
