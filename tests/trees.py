"""Invented corpora with lawful file names: folders of tiny wav files to read in tests."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

_fresh = itertools.count(1)


def wav_bytes(seconds: float = 0.01, rate: int = 16_000) -> bytes:
    """Return a mono 16-bit wav file whose samples no other call repeats."""
    count = int(seconds * rate)
    number = next(_fresh)
    marks = struct.pack("<2h", number % 30_000 + 1, number // 30_000 + 1)
    data = marks + b"\x10\x00" * (count - 2)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16),
        *(b"data", len(data)),
    )
    return header + data


def plant(folder: Path, names: Iterable[str], *, seconds: float = 0.01, rate: int = 16_000) -> Path:
    """Write a wav file under each name below a folder."""
    made = set()
    for name in names:
        path = folder / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(wav_bytes(seconds, rate))
    return folder


def cafe() -> Iterator[str]:
    for speaker, emotion, sentence in itertools.product(range(1, 13), "CDJNPST", range(1, 7)):
        for intensity in (1,) if emotion == "N" else (1, 2):
            yield f"{emotion}/{intensity}/{speaker:02}-{emotion}-{intensity}-{sentence}.wav"


def ravdess(channel: str = "01") -> Iterator[str]:
    emotions = range(1, 9) if channel == "01" else range(1, 7)
    for actor, emotion in itertools.product(range(1, 25), emotions):
        if channel == "02" and actor == 18:
            continue
        intensities = (1,) if emotion == 1 else (1, 2)
        for intensity, statement, repetition in itertools.product(intensities, (1, 2), (1, 2)):
            code = f"{emotion:02}-{intensity:02}-{statement:02}-{repetition:02}-{actor:02}"
            yield f"Actor_{actor:02}/03-{channel}-{code}.wav"


def savee(joint: str = "/") -> Iterator[str]:
    for speaker, emotion in itertools.product(
        ("DC", "JE", "JK", "KL"), ("a", "d", "f", "h", "n", "sa", "su")
    ):
        for sentence in range(1, 31 if emotion == "n" else 16):
            yield f"AudioData/{speaker}{joint}{emotion}{sentence:02}.wav"


def tess() -> Iterator[str]:
    words = ["".join(letters) for letters in itertools.product("bcdfg", "aeiou", "klmnprst")]
    emotions = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")
    for speaker, word, emotion in itertools.product(("OAF", "YAF"), words, emotions):
        yield f"{speaker}_{word}_{emotion}.wav"


def jl() -> Iterator[str]:
    emotions = (
        *("angry", "sad", "neutral", "happy", "excited"),
        *("anxious", "apologetic", "assertive", "concerned", "encouraging"),
    )
    for speaker, emotion in itertools.product(("female1", "female2", "male1", "male2"), emotions):
        for sentence, session, repetition in itertools.product(range(1, 16), "ab", (1, 2)):
            name = f"{speaker}_{emotion}_{sentence}{session}_{repetition}.wav"
            yield f"Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/{name}"


def enterface05() -> Iterator[str]:
    codes = dict(anger="an", disgust="di", fear="fe", happiness="ha", sadness="sa", surprise="su")
    for subject, (emotion, code) in itertools.product(range(1, 45), codes.items()):
        if subject == 6:
            yield f"subject 6/{emotion}/s6_{code}.wav"
            continue
        for sentence in range(1, 6):
            if (subject, emotion) == (23, "happiness") and sentence <= 3:
                continue
            named = 12 if subject == 11 else subject
            stem = f"s{named}_{code}_{sentence}" if subject != 3 else f"s_3_{code}_{sentence}"
            yield f"subject {subject}/{emotion}/sentence {sentence}/{stem}.wav"


def portuguese() -> Iterator[str]:
    counts = {
        "angry": (32, 31),
        "disgust": (12, 23),
        "fear": (24, 17),
        "happy": (29, 17),
        "neutral": (30, 30),
        "sad": (31, 28),
        "surprise": (32, 32),
    }
    for emotion, (sentences, pseudosentences) in counts.items():
        for number in range(sentences):
            letter = "AB"[number % 2]
            yield f"Castro-BRM-2010 Sents/{number + 1}s{letter}_{emotion}{number}.wav"
        for number in range(pseudosentences):
            yield f"{number + 1}p{'AB'[number % 2]}_{emotion}{number}.wav"


def crema_d() -> Iterator[str]:
    """Two of the 91 actors, and the file that holds nothing."""
    for actor, sentence in itertools.product((1001, 1076), ("IEO", "MTI", "DFA")):
        for emotion in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD"):
            level = "HI" if sentence == "IEO" and emotion != "NEU" else "XX"
            yield f"AudioWAV/{actor}_{sentence}_{emotion}_{level}.wav"
