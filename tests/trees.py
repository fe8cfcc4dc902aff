"""Invented corpora with lawful file names: folders of tiny wav files to read in tests."""

from __future__ import annotations

import itertools
import shutil
import struct
from collections.abc import Iterable
from pathlib import Path

import grammars

_fresh = itertools.count(1)


def wav_bytes(seconds: float = 0.05, rate: int = 16_000) -> bytes:
    """Return a mono 16-bit wav file whose samples no other call repeats."""
    count = int(seconds * rate)
    number = next(_fresh)
    marks = struct.pack("<2h", number % 30_000 + 1, number // 30_000 + 1)
    data = (marks + b"\x10\x00\x20\x00" * (count // 2 + 1))[: 2 * count]
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16),
        *(b"data", len(data)),
    )
    return header + data


def plant(folder: Path, names: Iterable[str], *, seconds: float = 0.05, rate: int = 16_000) -> Path:
    """Write a wav file under each name below a folder."""
    made = set()
    for name in names:
        path = folder / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(wav_bytes(seconds, rate))
    return folder


def copy(folder: Path, target: Path) -> Path:
    """Copy all files below a folder to another, which may lie in it."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        (target / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / path.relative_to(folder))
    return target


def names(leaves: Iterable[grammars.Leaf]) -> list[str]:
    """Return the paths of audio files."""
    return [leaf.path for leaf in leaves]


def cafe() -> list[str]:
    return names(grammars.cafe({code: code for code in "CDJNPST"}))


def ravdess(channel: str = "01") -> list[str]:
    return names(grammars.ravdess(channel))


def savee(joint: str = "/") -> list[str]:
    return names(grammars.savee(joint))


def tess() -> list[str]:
    return names(grammars.tess())


def jl() -> list[str]:
    return names(grammars.jl())


def enterface05() -> list[str]:
    return names(grammars.enterface05("wav"))


def portuguese() -> list[str]:
    return names(grammars.portuguese())


def crema_d() -> list[str]:
    """Two of the 91 actors, and the file that holds nothing."""
    return names([*grammars.crema_d(range(1001, 1002)), *grammars.crema_d(range(1076, 1077))])
