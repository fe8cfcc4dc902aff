"""Invented trees of the licensed corpora: their file names and label grammars, a few clips each.

Every function writes a tree below a folder and returns what each clip must become: by id, the
label, the emotion, the speaker and the group. Decoys and traps of the real releases are in them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import trees


@dataclass(frozen=True)
class Truth:
    """What a clip is."""

    label: str
    emotion: str
    speaker: str
    group: str


def write(folder: Path, texts: Mapping[str, str], *, encoding: str = "utf-8") -> None:
    """Write text files, with line ends as they are given."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode(encoding))


# IEMOCAP ------------------------------------------------------------------------------------------

SCENES = ("impro01", "script01_1")
ODD_SCENES = {
    3: ("M_impro05a", "M_impro05b", "M_impro08a", "M_impro08b"),
    5: ("M_script01_1b",),
}
IEMOCAP_CODES = {
    "ang": "anger",
    "hap": "happiness",
    "exc": "happiness",
    "sad": "sadness",
    "neu": "neutral",
}
IEMOCAP_DROPPED = ("fru", "xxx", "sur", "fea", "oth", "dis")


def iemocap_dialogues() -> Iterator[tuple[int, str]]:
    """Yield sessions and dialogues."""
    for session in range(1, 6):
        for actor, scene in itertools.product("FM", SCENES):
            yield session, f"Ses0{session}{actor}_{scene}"
        for rest in ODD_SCENES.get(session, ()):
            yield session, f"Ses0{session}{rest}"


def iemocap_block(turn: str, code: str) -> str:
    """Return a summary line and the lines of the evaluators."""
    return (
        f"[1.0000 - 2.5000]\t{turn}\t{code}\t[2.5000, 2.5000, 3.0000]\n"
        "C-E2:\tNeutral state;\t()\n"
        "C-E3:\tNeutral state;\t()\n"
        "C-E4:\tNeutral state; Frustration;\t(a comment)\n"
        "C-F1:\tSadness;\t()\n"
        "A-E3:\tval 3; act 2; dom  2;\t()\n"
        "A-E4:\tval 2; act 3; dom  ;\t()\n"
        "A-F1:\tval 2; act 3; dom  2;\t()\n\n"
    )


def iemocap(folder: Path, root: str = "IEMOCAP_full_release") -> dict[str, Truth]:
    """Write a tree of IEMOCAP; every dialogue has a turn of each label, spoken in turns."""
    truth = {}
    for session, dialogue in iemocap_dialogues():
        top = f"{root}/Session{session}".strip("/")
        blocks, said, turns = [], [], []
        for number, code in enumerate((*IEMOCAP_CODES, *IEMOCAP_DROPPED)):
            sex = "FM"[number % 2]
            turn = f"{dialogue}_{sex}{number // 2:03}"
            turns.append(f"sentences/wav/{dialogue}/{turn}.wav")
            blocks.append(iemocap_block(turn, code))
            said.append(f"{turn} [006.2901-008.2357]: What is {code} [LAUGHTER]?\n")
            if code in IEMOCAP_CODES:
                emotion = IEMOCAP_CODES[code]
                truth[turn] = Truth(emotion, emotion, f"Ses0{session}{sex}", str(session))
        said.insert(1, f"{dialogue}_MXX0 [009.0000-009.5000]: Mmhmm.\n")
        trees.plant(folder / top, [*turns, f"dialog/wav/{dialogue}.wav"])
        head = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
        labels = f"{top}/dialog/EmoEvaluation"
        write(
            folder,
            {
                f"{labels}/{dialogue}.txt": head + "".join(blocks),
                # What single raters and the actors say, under the same names.
                f"{labels}/Categorical/{dialogue}_e2_cat.txt": f"{dialogue}_F000 :Anger; ()\n",
                f"{labels}/Attribute/{dialogue}.txt": iemocap_block(f"{dialogue}_F000", "fea"),
                f"{labels}/Self-evaluation/{dialogue}.txt": iemocap_block(
                    f"{dialogue}_F000", "dis"
                ),
                f"{top}/dialog/transcriptions/{dialogue}.txt": "".join(said),
                f"{top}/dialog/lab/Ses0{session}_F/{dialogue}.lab": "1.0 2.5 f\n",
            },
        )
        apple_double = b"\0\5\x16\7\0\2\0\0Mac OS X        \0\2\0\0\0\t"
        (folder / labels / f"._{dialogue}.txt").write_bytes(apple_double)
    return truth


# MSP-IMPROV ---------------------------------------------------------------------------------------

MSP_LETTERS = {"A": "anger", "H": "happiness", "S": "sadness", "N": "neutral"}


def msp_clips() -> Iterator[tuple[str, str]]:
    """Yield the names of clips without their prefix, and their letters of consensus."""
    letters = itertools.cycle((*MSP_LETTERS, "O", "X", "N"))
    for session, target, condition in itertools.product(range(1, 7), "AHNS", "PRST"):
        for speaker, pair in (("F", "FM"), ("M", "MF"), ("F", "MF"), ("M", "FM")):
            if condition in "RT" and speaker != pair[0]:
                continue
            name = f"S{session:02}{target}-{speaker}0{session}-{condition}-{pair}{session:02}"
            yield name, next(letters)


def msp_block(name: str, letter: str, prefix: str = "UTD") -> str:
    """Return a summary line and the lines of the raters, one of whom stands there twice."""
    rater = "rater-1_x; Neutral; Neutral,; A:3.000000; V:3.000000; D:NaN; N:3.000000;\n"
    return (
        f"{prefix}-IMPROV-{name}.avi; {letter}; A:3.000000; V:3.200000; D:2.800000 ; N:NaN;\n"
        + rater
        + "rater-2_y; Angry; Angry,Frustrated,; A:4.000000; V:2.000000; D:3.000000; N:4.000000;\n"
        + rater
        + "\n"
    )


def msp_improv(
    folder: Path, labels: str = "Evalution.txt", below: str = "Audio/"
) -> dict[str, Truth]:
    """Write a tree of MSP-IMPROV."""
    truth, blocks = {}, []
    for name, letter in msp_clips():
        sentence, speaker, condition, _ = name.split("-")
        session = speaker[-1]
        clip = f"MSP-IMPROV-{name}"
        place = f"{below}session{session}/{sentence}/{condition}/{clip}"
        trees.plant(folder, [f"{place}.wav"])
        write(folder, {f"Video/session{session}/{sentence}/{condition}/{clip}.avi": "no audio\n"})
        write(folder, {f"Human_Transcriptions/{sentence}/{clip}.txt": f"I said {sentence}.\r\n"})
        blocks.append(msp_block(name, letter))
        if letter in MSP_LETTERS:
            emotion = MSP_LETTERS[letter]
            truth[clip] = Truth(emotion, emotion, speaker, session)
    write(folder, {labels: "".join(blocks), "Readme.txt": "MSP-IMPROV-\n"})
    return truth


# SmartKom -----------------------------------------------------------------------------------------

SMARTKOM_STATES = {
    "Neutral": ("neutral", "neutral"),
    "Freude/Erfolg": ("happiness", "happiness"),
    '"Uberlegen/Nachdenken': ("pondering", "other"),
    "Ratlosigkeit": ("helplessness", "other"),
    '"Arger/Mi"serfolg': ("anger", "anger"),
    '"Uberraschung/Verwunderung': ("surprise", "surprise"),
    "Restklasse": ("unknown", "unknown"),
}
SMARTKOM_SPEAKERS = ("AAA", "AAB", "ABS", "AIS", "AJZ", "AKG", "AKA")
TURN = 4800
"""Samples from one turn to the next: each lasts 0.25 s of 0.3 s."""


def smartkom_par(
    turns: Iterable[tuple[int, int]], states: Iterable[tuple[int, int, str]], *, more: str = ""
) -> str:
    """Return a Partitur file; turns of two words each, begin and duration in samples."""
    turns = list(turns)
    lines = ["LHD:\tPartitur 1.3.2", "SAM:\t16000", "NCH:\t1", "LBD:"]
    for number, _ in enumerate(turns):
        lines += [f'ORT:\t{2 * number}\tk"onnen', f"ORT:\t{2 * number + 1}\t<A>"]
        lines += [f"KAN:\t{2 * number}\tkW9n@n"]
    for number, (start, length) in enumerate(turns):
        words = f"{2 * number},{2 * number + 1}"
        lines.append(f"TRN:\t{start}\t{length}\t{words}\tw001_pk_{number:03}_AAA")
    lines += [f"USH:\t{start}\t{length}\t{state}{more}" for start, length, state in states]
    return "\r\n".join(lines) + "\r\n"


def smartkom(folder: Path, root: str = "SK-Public/") -> dict[str, Truth]:
    """Write a tree of SmartKom: two sessions for each speaker, a turn in each user state."""
    truth = {}
    for number in range(2 * len(SMARTKOM_SPEAKERS)):
        speaker = SMARTKOM_SPEAKERS[number // 2]
        session = f"w{number + 1:03}_pk"
        stem = f"{root}{session}/{session}"
        turns = [(TURN * index, 3999) for index in range(len(SMARTKOM_STATES))]
        states = [(TURN * index, TURN - 1, state) for index, state in enumerate(SMARTKOM_STATES)]
        write(
            folder,
            {
                f"{stem}_{speaker}.par": smartkom_par(turns, states, more=" \tx y"),
                f"{stem}_SMA.par": smartkom_par(turns, [(0, 99_999, "Restklasse")]),
            },
            encoding="latin-1",
        )
        trees.plant(folder, [f"{stem}d.wav", f"{stem}h.wav"], seconds=2.2)
        for index, (label, emotion) in enumerate(SMARTKOM_STATES.values()):
            truth[f"{session}_{speaker}_{index:03}"] = Truth(label, emotion, speaker, speaker)
    unfinished = {
        "w101_pk": smartkom_par([(0, 99)], []),
        "w102_pk": smartkom_par([], [(0, 99, "Neutral")]),
    }
    for session, text in unfinished.items():
        write(folder, {f"{root}{session}/{session}_AAC.par": text})
        trees.plant(folder, [f"{root}{session}/{session}d.wav"])
    return truth
