"""Names of files that are put together at random, of what real corpora put into theirs."""

from __future__ import annotations

import itertools
import random

PEOPLE = {
    "names": ("anna", "ben", "cleo", "dora", "emil", "fred"),
    "initials": ("AB", "CD", "EF", "GH", "IJ", "KL"),
    "numbers": tuple(f"{n:02}" for n in range(1, 7)),
    "ids": tuple(str(n) for n in range(1001, 1007)),
    "codes": tuple(f"P{n:03}" for n in range(1, 7)),
    "words": tuple(f"Actor_{n:02}" for n in range(1, 7)),
    "sexes": ("F1", "M2", "F3", "M4", "F5", "M6"),
}
EMOTIONS = (
    ("angry", "happy", "sad", "neutral"),
    ("ANG", "HAP", "SAD", "NEU"),
    ("Wut", "Freude", "Trauer", "Ekel"),
)
TAKES = (("1", "2", "3"), ("01", "02", "03", "04"), ("a", "b", "c"), ("t1", "t2", "t3"))
SENTENCES = (("s1", "s2", "s3"), ("DFA", "IEO", "TIE"), ("dogs", "kids"), ("b01", "b02", "b03"))
OTHERS = {"session", "sex", "level", "corpus", "count"}


def composed(seed: int) -> dict[str, str]:
    """Return the speaker by path: parts in any order between separators, some of them folders."""
    chance = random.Random(seed)
    people = chance.choice(list(PEOPLE.values()))[: chance.choice((3, 4, 6))]
    emotions, takes, sentences = map(chance.choice, (EMOTIONS, TAKES, SENTENCES))
    others = [name for name in sorted(OTHERS) if chance.random() < 0.25]
    parts = ["who", "emotion", "take", *(["sentence"] if chance.random() < 0.5 else []), *others]
    chance.shuffle(parts)
    folders = [name for name in ("who", "emotion", "session") if chance.random() < 0.25]
    folders = [name for name in folders if name in parts]
    named = [name for name in parts if name not in folders or chance.random() < 0.4] or ["take"]
    separator, kept = chance.choice("__-. "), chance.choice((1, 0.7))
    truth: dict[str, str] = {}
    spoken = itertools.product(people, emotions, takes, sentences if "sentence" in parts else " ")
    for number, (who, emotion, take, sentence) in enumerate(spoken, 101):
        said = {"who": who, "emotion": emotion, "take": take, "sentence": sentence}
        said |= {"session": f"Session{people.index(who) // 2}", "sex": "FM"[people.index(who) % 2]}
        said |= {"level": chance.choice(("HI", "LO")), "corpus": "XYZ", "count": str(number)}
        if chance.random() < kept:
            names = [*(said[name] for name in folders), separator.join(said[n] for n in named)]
            truth["/".join(names) + ".wav"] = who
    return truth
