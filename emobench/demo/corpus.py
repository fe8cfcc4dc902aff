"""The files of the demo corpus: what they are called, and making them whole or not at all."""

from __future__ import annotations

import csv
import io
import wave
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np

from emobench.errors import CorpusError
from emobench.storage import (
    Purpose,
    discard,
    is_empty,
    locked,
    remove_leftovers,
    storing,
    unfinished,
)

from .delivery import EMOTIONS, SPEAKERS, draw, generator
from .score import SENTENCES, Clip, perform

VERSION = 1
"""Raised whenever a byte of the corpus changes; an older corpus is then made anew."""

_TAKES = (1, 2)
_MARKER = "VERSION"
_MARKER_TEXT = "emobench demo corpus, version"

_KEPT = Purpose("the demo corpus (10 MB)", CorpusError, "name another folder with --data")

_README = """\
These recordings are synthetic: emobench computed every one of them, and nobody spoke.

They exist so that emobench runs where no real corpus is at hand. Results on them say nothing about
speech emotion recognition of people. Version {version}.

wav/<speaker>_<emotion>_<sentence>_<take>.wav   16 kHz, mono, 16 bit
transcripts.csv                                 id, transcript
control.csv                                     id, emotion: labels dealt at random, on which
                                                every model must stay at chance
"""


def names() -> list[str]:
    """Return the names of all clips: speaker, emotion, sentence and take."""
    speakers = (speaker.name for speaker in SPEAKERS)
    return ["_".join(map(str, key)) for key in product(speakers, EMOTIONS, SENTENCES, _TAKES)]


def ensure(root: Path) -> Path:
    """Return the folder of the demo corpus, making it first where it is absent or outdated.

    The corpus appears whole or not at all, whatever is killed and however many processes ask for
    it at once.

    Args:
        root: folder of all corpora; made where it is absent

    Returns:
        `<root>/demo`

    Raises:
        CorpusError: the folder cannot be written, or a folder of that name is not ours
    """
    folder = Path(root) / "demo"
    if _complete(folder):
        return folder
    with storing(folder, _KEPT):
        if folder.exists() and not _ours(folder):
            raise CorpusError(
                f"{folder}: expected the demo corpus that emobench makes, found something else. "
                "Move it away, or name another folder with --data."
            )
        try:
            _make(folder)
        except OSError:
            if not _complete(folder):  # made by another process, which was faster
                raise
    return folder


def generate(folder: Path) -> None:
    """Write the whole corpus into a folder, the same bytes every time.

    Args:
        folder: made where it is absent

    Raises:
        OSError: a file cannot be written
    """
    # Here and not above: SciPy takes long to load, and most callers find the corpus made.
    from .voice import SAMPLE_RATE, synthesise

    (folder / "wav").mkdir(parents=True, exist_ok=True)
    clips = [_clip(name) for name in names()]
    for name, samples in zip(names(), synthesise(clips), strict=True):
        _write_wav(folder / "wav" / f"{name}.wav", samples.tobytes(), SAMPLE_RATE)
    transcripts = ((name, SENTENCES[name.split("_")[2]][0]) for name in names())
    _write_table(folder / "transcripts.csv", ("id", "transcript"), transcripts)
    _write_table(folder / "control.csv", ("id", "emotion"), _control_labels())
    _write_text(folder / "README.txt", _README.format(version=VERSION))
    _write_text(folder / _MARKER, f"{_MARKER_TEXT} {VERSION}\n")


def _clip(name: str) -> Clip:
    """Return what a clip is made from; its name alone decides."""
    speaker_name, emotion, sentence, _ = name.split("_")
    speaker = next(speaker for speaker in SPEAKERS if speaker.name == speaker_name)
    random = generator("clip", name)
    delivery = draw(speaker, emotion, random)
    return Clip(speaker, delivery, perform(sentence, speaker, delivery, random), random)


def _control_labels() -> list[tuple[str, str]]:
    """Return a label for each clip: a permutation of each speaker's own, blind to the audio."""
    labels: list[tuple[str, str]] = []
    for speaker in SPEAKERS:
        clips = [name for name in names() if name.startswith(f"{speaker.name}_")]
        order = np.argsort(generator("control", speaker.name).random(len(clips)))
        labels += [
            (clip, clips[other].split("_")[1]) for clip, other in zip(clips, order, strict=True)
        ]
    return labels


def _write_wav(path: Path, samples: bytes, sample_rate: int) -> None:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples)
    path.write_bytes(content.getvalue())


def _write_table(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _ours(folder: Path) -> bool:
    """Return whether a folder may be replaced: made by any version of emobench, or empty."""
    try:
        return (folder / _MARKER).read_text(encoding="utf-8").startswith(_MARKER_TEXT)
    except (OSError, UnicodeDecodeError):
        return folder.is_dir() and is_empty(folder)


def _complete(folder: Path) -> bool:
    """Return whether a folder holds this version of the corpus with all its files."""
    try:
        marker = (folder / _MARKER).read_text(encoding="utf-8")
        present = {file.name for file in (folder / "wav").iterdir()}
    except (OSError, UnicodeDecodeError):
        return False
    tables = all((folder / name).is_file() for name in ("transcripts.csv", "control.csv"))
    expected = {f"{name}.wav" for name in names()}
    return marker == f"{_MARKER_TEXT} {VERSION}\n" and tables and expected <= present


def _make(folder: Path) -> None:
    """Generate beside the final place, then rename: no reader ever sees a part of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent):  # without one, two processes may do the work twice
        if _complete(folder):  # made while this process waited
            return
        remove_leftovers(folder.parent)
        with unfinished(folder) as fresh:
            generate(fresh)
            if folder.exists():
                discard(folder)
            fresh.rename(folder)
