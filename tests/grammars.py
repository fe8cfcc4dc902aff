"""What the files of real corpora are called, and what each of them is: an oracle of its own.

Nothing here reads the registry. The names follow the published grammars; recordings themselves
are invented where they are needed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

ALL = ("anger", "happiness", "sadness", "fear", "surprise", "disgust", "neutral", "other")


class Leaf(NamedTuple):
    """An audio file.

    Attributes:
        path: below the corpus folder
        emotion: canonical; None where the file is left out
        speaker: who speaks
    """

    path: str
    emotion: str | None
    speaker: str


def cafe(folders: dict[str, str] | None = None) -> Iterator[Leaf]:
    """936 files; folder names differ by the code page of the unpacker."""
    named = {"C": "Colère", "D": "Dégoût", "J": "Joie", "N": "Neutre", "P": "Peur"}
    named |= {"S": "Surprise", "T": "Tristesse"} | (folders or {})
    emotions = dict(C="anger", D="disgust", J="happiness", N="neutral", P="fear")
    emotions |= {"S": "surprise", "T": "sadness"}
    for speaker, code, sentence in itertools.product(range(1, 13), "CDJNPST", range(1, 7)):
        for intensity in (1,) if code == "N" else (1, 2):
            level = "" if code == "N" else f"{('Faible', 'Fort')[intensity - 1]}/"
            name = f"{speaker:02}-{code}-{intensity}-{sentence}.wav"
            yield Leaf(f"{named[code]}/{level}{name}", emotions[code], f"{speaker:02}")


def crema_d(actors: range = range(1001, 1004)) -> Iterator[Leaf]:
    """82 clips an actor, as the grammar has it; the real corpus lacks 20 of them."""
    emotions = dict(ANG="anger", DIS="disgust", FEA="fear", HAP="happiness", NEU="neutral")
    emotions |= {"SAD": "sadness"}
    sentences = ("IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")
    for actor, sentence, (code, emotion) in itertools.product(actors, sentences, emotions.items()):
        graded = sentence == "IEO" and code != "NEU"
        for level in ("LO", "MD", "HI") if graded else ("XX",):
            # The slip of the pen and the clip without sound are the corpus' own.
            slip = (actor, sentence, code) == (1040, "ITH", "SAD")
            silent = (actor, sentence, code) == (1076, "MTI", "SAD")
            path = f"AudioWAV/{actor}_{sentence}_{code}_{'X' if slip else level}.wav"
            yield Leaf(path, None if silent else emotion, str(actor))


def crema_d_complete() -> Iterator[Leaf]:
    """7,442 files: without three of each emotion, and without five that are neutral."""
    left = dict.fromkeys(("anger", "disgust", "fear", "happiness", "sadness"), 3) | {"neutral": 5}
    for leaf in crema_d(range(1001, 1092)):
        if leaf.emotion and left[leaf.emotion]:
            left[leaf.emotion] -= 1
        else:
            yield leaf


def demos() -> Iterator[Leaf]:
    """Two speakers; only clips that were found prototypical count."""
    emotions = dict(col="other", dis="disgust", gio="happiness", pau="fear", rab="anger")
    emotions |= {"sor": "surprise", "tri": "sadness"}
    for sex, speaker in (("m", "23"), ("f", "61")):
        for code, emotion in emotions.items():
            for number, letter in itertools.product((0, 12), "ac"):
                stem = f"{sex}_{speaker}_{code}{number:02}{letter}.wav"
                yield Leaf(f"DEMOS/PR_{stem}", emotion, speaker)
                yield Leaf(f"DEMOS/NP_{stem}", None, speaker)
        yield Leaf(f"NEU/{sex}_{speaker}_neu05b.wav", None, speaker)


def emo_db() -> Iterator[Leaf]:
    """Every text by two speakers; 08 has no disgust."""
    emotions = dict(W="anger", L="other", E="disgust", A="fear", F="happiness", T="sadness")
    emotions |= {"N": "neutral"}
    texts = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    for speaker, text, (code, emotion) in itertools.product(("03", "08"), texts, emotions.items()):
        if (speaker, code) != ("08", "E"):
            yield Leaf(f"wav/{speaker}{text}{code}{'abcdef'[len(text) % 6]}.wav", emotion, speaker)


def emo_db_2(folder: str = "wav/") -> Iterator[Leaf]:
    """The 816 files of release 2.0, with invented texts; those that it calls ambiguous are None.

    The 535 others are as many by emotion as the first release has.
    """
    emotions = dict(W="anger", L="other", E="disgust", A="fear", F="happiness", T="sadness")
    emotions |= {"N": "neutral"}
    counts = dict(W=127, L=81, E=46, A=69, F=71, T=62, N=79)
    speakers = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
    texts = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    for code, emotion in emotions.items():
        kinds = itertools.product("ab", texts, speakers)
        for text, speaker, letter in [(text, who, ab) for ab, text, who in kinds][: counts[code]]:
            yield Leaf(f"{folder}{speaker}{text}{code}{letter}.wav", emotion, speaker)
        for text, speaker in list(itertools.product(texts, speakers))[: 41 if code == "W" else 40]:
            yield Leaf(f"{folder}{speaker}{text}{code}g.wav", None, speaker)


def emofilm(folder: str = "wav_corpus/") -> Iterator[Leaf]:
    """A clip of each kind; the language stands for the speaker."""
    emotions = dict(ans="fear", dis="disgust", gio="happiness", rab="anger", tri="sadness")
    kinds = itertools.product("fm", emotions.items(), "ab", ("en", "es", "it"))
    for item, (sex, (code, emotion), variant, language) in enumerate(kinds, 1):
        yield Leaf(f"{folder}{sex}_{code}{item:03}{variant}{language}.wav", emotion, language)


def enterface05(extension: str = "avi") -> Iterator[Leaf]:
    """1,293 files; folders tell the truth, names do not always."""
    codes = dict(anger="an", disgust="di", fear="fe", happiness="ha", sadness="sa", surprise="su")
    for subject, (emotion, code) in itertools.product(range(1, 45), codes.items()):
        speaker = str(subject)
        if subject == 6:
            yield Leaf(f"subject 6/{emotion}/s6_{code}.{extension}", None, speaker)
            continue
        for sentence in range(1, 6):
            if (subject, emotion) == (23, "happiness") and sentence <= 3:
                continue
            stem = f"s{12 if subject == 11 else subject}_{code}_{sentence}"
            if subject == 3 and emotion in ("anger", "disgust", "fear"):
                stem = f"s_3_{code}_{sentence}"
            if (subject, code, sentence) == (16, "su", 3):
                stem = "s16_su_3avi"
            if (subject, emotion) == (2, "anger") and sentence <= 2:
                stem = f"s2_an_{3 - sentence}"
            path = f"subject {subject}/{emotion}/sentence {sentence}/{stem}.{extension}"
            yield Leaf(path, emotion, speaker)


def jl() -> Iterator[Leaf]:
    """2,400 files, of which 1,200 are of a primary emotion."""
    emotions = dict(angry="anger", sad="sadness", neutral="neutral", happy="happiness")
    emotions |= {"excited": "other"}
    secondary = ("anxious", "apologetic", "assertive", "concerned", "encouraging")
    speakers = ("female1", "female2", "male1", "male2")
    for speaker, code in itertools.product(speakers, (*emotions, *secondary)):
        for sentence, session, repetition in itertools.product(range(1, 16), "ab", (1, 2)):
            name = f"{speaker}_{code}_{sentence}{session}_{repetition}.wav"
            folder = "Raw JL corpus (unchecked and unannotated)/JL(wav+txt)"
            yield Leaf(f"{folder}/{name}", emotions.get(code), speaker)


def portuguese() -> Iterator[Leaf]:
    """368 files in two archives."""
    counts = {
        "anger": ("angry", 32, 31),
        "disgust": ("disgust", 12, 23),
        "fear": ("fear", 24, 17),
        "happiness": ("happy", 29, 17),
        "neutral": ("neutral", 30, 30),
        "sadness": ("sad", 31, 28),
        "surprise": ("surprise", 32, 32),
    }
    for emotion, (word, sentences, pseudosentences) in counts.items():
        for number in range(sentences):
            speaker = "AB"[number % 2]
            name = f"{number + 1}s{speaker}_{word}{number % 9 + 1}.wav"
            yield Leaf(f"Castro-BRM-2010 Sents/{name}", emotion, speaker)
        for number in range(pseudosentences):
            speaker = "AB"[number % 2]
            yield Leaf(f"{number + 1}p{speaker}_{word}{number % 9 + 1}.wav", emotion, speaker)


def ravdess(channel: str = "01", folder: str = "") -> Iterator[Leaf]:
    """1,440 files of speech or 1,012 of song, which here are not left out."""
    emotions = ("neutral", "other", "happiness", "sadness", "anger", "fear", "disgust", "surprise")
    for actor, code in itertools.product(range(1, 25), range(1, 9 if channel == "01" else 7)):
        if channel == "02" and actor == 18:
            continue
        intensities = (1,) if code == 1 else (1, 2)
        for intensity, statement, repetition in itertools.product(intensities, (1, 2), (1, 2)):
            stem = f"{code:02}-{intensity:02}-{statement:02}-{repetition:02}-{actor:02}"
            path = f"{folder}Actor_{actor:02}/03-{channel}-{stem}.wav"
            yield Leaf(path, emotions[code - 1], f"{actor:02}")


def savee(joint: str = "/") -> Iterator[Leaf]:
    """480 files, in a folder for each speaker or in one for all."""
    emotions = dict(a="anger", d="disgust", f="fear", h="happiness", n="neutral")
    emotions |= {"sa": "sadness", "su": "surprise"}
    for speaker, (code, emotion) in itertools.product(("DC", "JE", "JK", "KL"), emotions.items()):
        for sentence in range(1, 31 if code == "n" else 16):
            yield Leaf(f"AudioData/{speaker}{joint}{code}{sentence:02}.wav", emotion, speaker)


def shemo() -> Iterator[Leaf]:
    """Two men and two women, one of each without some emotions."""
    emotions = dict(A="anger", H="happiness", N="neutral", S="sadness", W="surprise", F=None)
    for speaker, codes in {"F01": "AFHNSW", "F22": "AN", "M01": "AFHNSW", "M40": "SF"}.items():
        folder = "female" if speaker[0] == "F" else "male"
        for code, number in itertools.product(codes, range(1, 4)):
            yield Leaf(f"{folder}/{speaker}{code}{number:02}.wav", emotions[code], speaker)


def shemo_complete() -> Iterator[Leaf]:
    """3,000 files of 87 speakers, 38 of them of fear."""
    counts = dict(A=1059, H=201, N=1028, S=449, W=225, F=38)
    emotions = dict(A="anger", H="happiness", N="neutral", S="sadness", W="surprise", F=None)
    speakers = [f"F{n:02}" for n in range(1, 32)] + [f"M{n:02}" for n in range(1, 57)]
    for code, count in counts.items():
        for number, speaker in list(itertools.product(range(1, 20), speakers))[:count]:
            folder = "female" if speaker[0] == "F" else "male"
            yield Leaf(f"{folder}/{speaker}{code}{number:02}.wav", emotions[code], speaker)


def tess(slip: bool = False, folders: bool = False) -> Iterator[Leaf]:
    """2,800 files, flat or in the fourteen folders of another copy, with its slip of the pen."""
    words = ["".join(letters) for letters in itertools.product("bcdfg", "aeiou", "klmnprst")]
    emotions = dict(angry="anger", disgust="disgust", fear="fear", happy="happiness")
    emotions |= {"neutral": "neutral", "ps": "surprise", "sad": "sadness"}
    irregular = {"OAF_ps": "OAF_Pleasant_surprise", "YAF_ps": "YAF_pleasant_surprised"}
    irregular |= {"OAF_fear": "OAF_Fear", "OAF_sad": "OAF_Sad"}
    words[0] = "bite"
    for speaker, word, (code, emotion) in itertools.product(
        ("OAF", "YAF"), words, emotions.items()
    ):
        kind = f"{speaker}_{code}"
        folder = f"{irregular.get(kind, kind)}/" if folders else ""
        slipped = slip and (word, kind) == ("bite", "OAF_neutral")
        spelt = "OA" if slipped else speaker
        yield Leaf(f"{folder}{spelt}_{word}_{code}.wav", emotion, speaker)
