"""Entries that are proposed for many grammars: right, or not "Ready" with what is right."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import trees
from composed_names import composed
from naming import WORDS, Grammar, alternatives, check, grid, is_right, plant

from emobench.corpora.proposal import propose
from emobench.errors import CorpusError

INITIALS = {"A": "anger", "H": "happiness", "S": "sadness", "N": "neutral"}
NAMES = ("anna", "ben", "cleo")
PEOPLE = ("Anna Klein", "Anna Gross", "Ben Kurz")


def folder_initial() -> dict[str, str]:
    """`Angry/a1-01.wav`: the folder's initial, the take, the person."""
    return {
        f"{label.title()}/{label[0]}{take}-{who:02}.wav": f"{who:02}"
        for label in WORDS
        for take in (1, 2, 3)
        for who in range(1, 9)
    }


ROWS = [(f"{i:05}.wav", f"spk{i % 4}", list(WORDS)[i // 4 % 3]) for i in range(48)]
IN_WAVS = {f"wavs/{name}": who for name, who, _ in ROWS}


def table(path: str = "{}", header: str = "name,speaker,emotion", rows=ROWS) -> str:
    return (
        header + "\n" + "".join(f"{path.format(name)},{who},{label}\n" for name, who, label in rows)
    )


GRAMMARS = {
    # Those on which proposals were wrong.
    "the folder's initial, take, person": Grammar(folder_initial(), ready=False),
    "speaker, take, emotion and number": Grammar(
        grid("S{who}_F{take}_{label}{number:02}.wav", ("A5", "A6", "B7"), INITIALS, take=(1, 2)),
        ready=False,
    ),
    "a code before that is unique": Grammar(
        grid(
            "{count}_S{who}_F{take}_{label}{number:02}.wav", ("A5", "A6", "B7"), INITIALS, take="12"
        ),
        ready=False,
    ),
    "speaker folders of two words": Grammar(grid("{who}/{label}_{number}.wav", PEOPLE)),
    "takes in brackets": Grammar(
        grid("{label} ({number}){who}.wav", "bcd", "ahsn", range(1, 10)), ready=False
    ),
    "speaker folders, takes in brackets": Grammar(
        grid("{who}/{label} ({number})b.wav", ("DC", "JE", "KL"), "ahsn", range(1, 10))
    ),
    "an index column without a name": Grammar(
        IN_WAVS,
        {
            "m.csv": ",name,speaker,emotion\n"
            + "".join(f"{n},{','.join(r)}\n" for n, r in enumerate(ROWS))
        },
    ),
    "paths from another machine": Grammar(IN_WAVS, {"m.csv": table("/home/x/set/wavs/{}")}),
    "paths from beside": Grammar(IN_WAVS, {"m.csv": table("../data/wavs/{}")}),
    "paths of Windows": Grammar(IN_WAVS, {"m.csv": table("C:\\set\\wavs\\{}")}),
    "names that paths tell apart": Grammar(
        {f"wavs/{who}/{n}.wav": who for who in NAMES for n in range(6)},
        {
            "m.csv": "path,speaker,emotion\n"
            + "".join(
                f"/x/wavs/{who}/{n}.wav,{who},{list(WORDS)[n % 3]}\n"
                for who in NAMES
                for n in range(6)
            )
        },
    ),
    "train and test": Grammar(
        IN_WAVS, {"train.csv": table(rows=ROWS[:30]), "test.csv": table(rows=ROWS[30:])}
    ),
    "a sentence of letter and number": Grammar(
        grid("{who}_{label}_{text}{number}.wav", NAMES, numbers=(1, 2), text="ab")
    ),
    "women and men": Grammar(
        grid("S{who}_F{take}_{label}{number:02}.wav", ("M5", "M6", "F7"), INITIALS, take=(1, 2))
    ),
    "women and men, and a text of letter and number": Grammar(
        grid(
            "{label}-{who}-{text}.wav",
            ("f1", "f2", "m1", "m2"),
            ("dis", "gio", "rab", "tri"),
            [1],
            text=("b1", "b2", "l1", "n3"),
        )
    ),
    "speakers in brackets": Grammar(
        {
            f"{label}/{label[0]}{text:02} ({who}).wav": str(who)
            for label in WORDS
            for text in range(1, 6)
            for who in range(1, 5)
        },
        ready=False,
    ),
    "numbered folders and names": Grammar(
        {
            f"{who:04}/{label}/{who:04}_{n * 7 + k:06}.wav": f"{who:04}"
            for who in range(1, 6)
            for k, label in enumerate(WORDS)
            for n in range(4)
        }
    ),
    "sex, number, name": Grammar(
        {
            f"{sex}_{n:02}_{who}_S_{text}_{label}_{take}.wav": who
            for sex, n, who in (
                ("F", 1, "OISHI"),
                ("F", 2, "RIA"),
                ("M", 1, "BIPLOB"),
                ("M", 2, "ARIF"),
            )
            for text in (1, 2, 3)
            for label in ("ANGRY", "HAPPY", "SAD")
            for take in (1, 2)
        }
    ),
    # Others of our own.
    "a date before": Grammar(
        {
            f"2021030{d}_{path}": who
            for d, name in enumerate(NAMES)
            for path, who in grid("{who}_{label}_{number}.wav", [name]).items()
        }
    ),
    "emotion, sex, name": Grammar(
        {
            f"{label}/{sex}/{who}_{n:02}.wav": who
            for label in WORDS
            for who, sex in (("ana", "female"), ("eva", "female"), ("tom", "male"), ("jon", "male"))
            for n in range(1, 6)
        }
    ),
    "a word of the text before the speaker": Grammar(
        grid(
            "{word}_{who}_{label}.wav",
            ("OAF", "YAF", "OBM"),
            numbers=[1],
            word=("back", "bar", "base", "bath"),
        ),
        ready=False,
    ),
    "padded numbers": Grammar(
        grid("{who:02}-{label}-{number:02}.wav", range(1, 9), ("ang", "hap", "sad"), range(1, 6))
    ),
    "the person at the end": Grammar(
        grid("{label}_{number:02}_p{who}.wav", range(1, 5), ("ang", "hap", "sad")), ready=False
    ),
    "a word of the text at the end": Grammar(
        grid("{label}_{who}_{word}.wav", ("C1", "F2", "M3"), numbers=[1], word=("abajo", "ayer"))
    ),
    "a number first, then a word of the text": Grammar(
        grid(
            "{who}_{text}_{label}_{level}.wav",
            range(1001, 1007),
            ("ANG", "HAP", "SAD"),
            [1],
            text=("IEO", "TIE", "DFA"),
            level=("LO", "MD"),
        ),
        ready=False,
    ),
    "session folders": Grammar(
        {
            f"session{n}/{path}": who
            for n, pair in enumerate((("AB", "CD"), ("EF", "GH"), ("IJ", "KL")), 1)
            for path, who in grid("{who}_{label}_{number}.wav", pair).items()
        }
    ),
    "folders of a split": Grammar(
        {
            f"{'test' if who == 's4' else 'train'}/{path}": who
            for path, who in grid("{label}/{who}-{number:03}.wav", ("s1", "s2", "s3", "s4")).items()
        }
    ),
    "take and person, both numbers": Grammar(
        grid("{label}{number:02}_{who:02}.wav", range(1, 7), numbers=range(1, 6)), ready=False
    ),
    "two words between hyphens": Grammar(grid("{who} - {label} - {number}.wav", PEOPLE)),
    "person, session and take": Grammar(
        grid("spk{who}_sess{part}_{label}_{number}.wav", range(1, 5), part=(1, 2))
    ),
    "words of another language in a table": Grammar(
        {f"clips/{n * 7919 % 65536:04x}.wav": f"M{n % 3}" for n in range(36)},
        {
            "liste.csv": "Datei;Sprecher;Gefühl\n"
            + "".join(
                f"{n * 7919 % 65536:04x}.wav;M{n % 3};{('Wut', 'Freude', 'Trauer')[n // 3 % 3]}\n"
                for n in range(36)
            )
        },
    ),
    # Ten more of our own.
    "words run together in capitals": Grammar(
        grid("{who}{label}{number:02}.wav", ("Anna", "Ben", "Cleo"), ("Angry", "Happy", "Sad"))
    ),
    "the emotion's letter at the end": Grammar(
        grid("{who}-{number:03}-{label}.wav", ("s01", "s02", "s03", "s04"), INITIALS), ready=False
    ),
    # What stands first is not always the speaker.
    "take, emotion, the speaker's number": Grammar(
        grid("{number:02}_{label}_{who}_HI.wav", (1001, 1002, 1003)), ready=False
    ),
    "take, the speaker's number, session, emotion": Grammar(
        grid("t{number}_{who}_Session{half}_{label}.wav", (1001, 1002, 1003), half="12"),
        ready=False,
    ),
    "sentence, the speaker's number, take, emotion": Grammar(
        grid("b0{text}_{who}_{number}_{label}.wav", ("01", "02", "03"), text="123"), ready=False
    ),
    "emotion, sentence, the speaker's number": Grammar(
        grid("{label}.{text}.{who}.t{number}.wav", ("01", "02", "03"), text=("DFA", "IEO", "TIE")),
        ready=False,
    ),
    "a count, emotion, take, initials": Grammar(
        grid("{count} {label} t{number} {who}.wav", ("AB", "CD", "EF")), ready=False
    ),
    "take of a letter and number, emotion, the speaker's number": Grammar(
        grid("t{number}_{label}_{who}.wav", ("01", "02", "03", "04")), ready=False
    ),
    "take, sex, emotion, a code": Grammar(
        {
            f"{take:02}-{'FM'[who % 2]}-{label}-P{who:03}.wav": str(who)
            for take in (1, 2, 3)
            for who in range(1, 7)
            for label in WORDS
        },
        ready=False,
    ),
    "speaker folders, sex at the end": Grammar(
        {
            f"{label}/{who}/{take} {text:03} {sex}.wav": who
            for who, sex in (("anna", "F"), ("ben", "M"), ("cleo", "F"))
            for label in "AHNS"
            for take in (1, 2, 3)
            for text in (1, 2)
        }
    ),
    "sex and age before": Grammar(
        grid("{who}_{label}_{number}.wav", ("F23a", "M31b", "F40c", "M52d"))
    ),
    "accents": Grammar(
        grid("{who}_{label}_{number}.wav", ("Zoë", "Jörg", "André"), ("wütend", "froh", "traurig"))
    ),
    "numbers for emotions, explained beside": Grammar(
        grid("{who}_{label}_{number}.wav", NAMES, "123"),
        {"README.txt": "Codes:\n1 = angry\n2 = happy\n3 = sad\n"},
    ),
    "emotion folder, take stuck to the speaker": Grammar(
        grid("{label}/{who}{number}.wav", NAMES), ready=False
    ),
    "language folders": Grammar(
        {
            f"{language}/{path}": who
            for language, pair in (("en", ("ann", "bob")), ("de", ("uwe", "eva")))
            for path, who in grid("{who}_{label}_{number}.wav", pair).items()
        },
        ready=False,
    ),
    "two microphones": Grammar(
        grid("{microphone}/{who}_{label}_{number}.wav", NAMES, microphone=("near", "far")),
        ready=False,
    ),
    "records of JSON by name": Grammar(
        IN_WAVS,
        {
            "labels.json": json.dumps(
                {name[:-4]: {"spk_id": who, "affect": label} for name, who, label in ROWS}
            )
        },
    ),
    "names tell the emotion, a table the speaker": Grammar(
        {f"x/{list(WORDS)[n // 12]}_{n:03}.wav": "abc"[n % 3] for n in range(36)},
        {
            "speakers.csv": "wav;who\n"
            + "".join(f"{list(WORDS)[n // 12]}_{n:03}.wav;{'abc'[n % 3]}\n" for n in range(36))
        },
    ),
    # What one number or code may hide.
    "numbers that begin anew for each sex": Grammar(
        {
            f"{sex}/{n:02}/{label}_{take}.wav": f"{sex}{n}"
            for sex in ("male", "female")
            for n in (1, 2, 3)
            for label in WORDS
            for take in (1, 2)
        },
        ready=False,
    ),
    "numbers that begin anew in each session": Grammar(
        {
            f"Session{part}/spk{n}/{label}_{take}.wav": f"{part}{n}"
            for part in (1, 2, 3)
            for n in (1, 2)
            for label in WORDS
            for take in (1, 2)
        },
        ready=False,
    ),
    "numbers that go on for each sex": Grammar(
        {
            f"{sex}/{n:02}/{label}_{take}.wav": str(n)
            for sex, numbers in (("male", (1, 3, 5)), ("female", (2, 4, 6)))
            for n in numbers
            for label in WORDS
            for take in (1, 2)
        }
    ),
    "person and take, a letter each": Grammar(
        grid("{who}{take}_{label}.wav", "XYZ", numbers=[1], take="abc"), ready=False
    ),
    "person and text, two digits each": Grammar(
        grid("{who:02}{text:02}{label}{number}.wav", range(1, 6), "WFTN", text=(1, 2, 3)),
        ready=False,
    ),
    "a table of emotions and one of speakers": Grammar(
        IN_WAVS,
        {
            "emotions.csv": "name,emotion\n"
            + "".join(f"{name},{label}\n" for name, _, label in ROWS),
            "speakers.csv": "name,speaker\n" + "".join(f"{name},{who}\n" for name, who, _ in ROWS),
        },
    ),
}


@pytest.mark.parametrize("name", GRAMMARS)
def test_an_entry_is_right_or_not_ready_and_offers_what_is(tmp_path, name):
    check(tmp_path / "corpus", GRAMMARS[name])


def test_who_each_feel_one_thing_only_are_no_speakers(tmp_path):
    people = {"angry": ("ann", "bob"), "sad": ("cyd", "dan"), "happy": ("eve", "fay")}
    truth = {
        f"{label}_{who}_{n}.wav": who
        for label, pair in people.items()
        for who in pair
        for n in "123"
    }
    proposal = propose(trees.plant(tmp_path / "corpus", truth))
    assert not proposal.ready
    assert "Who speaks is not found" in proposal.text


def test_other_readings_are_listed_with_their_counts(tmp_path):
    grammar = GRAMMARS["speaker, take, emotion and number"]
    proposal = propose(plant(tmp_path / "corpus", grammar))
    assert (
        "say who speaks. It may be the file name (3 values: SA5, SA6, SB7), or the file name "
        "(2 values: F1, F2), or the file name (" in proposal.verdict
    )


def test_parts_in_any_order_are_read_rightly_or_asked_about(tmp_path):
    ready = 0
    for seed in (*range(24), 47, 130, 423, 473):
        truth = composed(seed)
        folder = plant(tmp_path / str(seed) / "corpus", Grammar(truth))
        proposal = propose(folder)
        ready += proposal.ready
        offered = [proposal.text, *([] if proposal.ready else alternatives(proposal))]
        assert any(is_right(folder, text, truth) for text in offered), f"{seed}: {proposal.text}"
    assert ready >= 6


def test_words_for_dialogues_are_followed_by_no_speaker(tmp_path):
    names = [
        f"dlg{dialogue:02}_{role}_{turn}_{label}.wav"
        for dialogue in range(1, 5)
        for role in "AB"
        for turn, label in enumerate(WORDS)
    ]
    proposal = propose(trees.plant(tmp_path / "corpus", names))
    assert not proposal.ready
    assert "(?P<speaker>dlg" not in proposal.text


def test_readings_are_listed_where_none_is_better_founded(tmp_path):
    grammar = GRAMMARS["emotion folder, take stuck to the speaker"]
    proposal = propose(plant(tmp_path / "corpus", grammar))
    told = "say who speaks. It may be the file name (3 values: anna, ben, cleo), or the file name ("
    assert f"{told}9 values: anna1, anna2, anna3, " in proposal.verdict


def test_many_tables_that_say_nothing_are_not_told_one_by_one(tmp_path):
    others = {f"wavs/{name[:-4]}.json": '{"mood": "x", "tone": "y"}' for name, _, _ in ROWS}
    proposal = propose(plant(tmp_path / "corpus", Grammar(IN_WAVS, others)))
    assert proposal.text.count("but no column names most") == 1


def test_a_sentence_keeps_its_letter(tmp_path):
    proposal = propose(plant(tmp_path / "corpus", GRAMMARS["a sentence of letter and number"]))
    assert "repetition" not in proposal.text


@pytest.mark.parametrize(
    "others",
    [
        {"labels.parquet": "PAR1", "labels.xlsx": "PK"},
        {f"wavs/{name[:-4]}.json": json.dumps({"emotion": label}) for name, _, label in ROWS},
    ],
)
def test_tables_that_are_not_read_are_named(tmp_path, others):
    proposal = propose(plant(tmp_path / "corpus", Grammar(IN_WAVS, others)))
    assert not proposal.ready
    told = " ".join(line[1:].strip() for line in proposal.text.splitlines())
    for kind in {Path(name).suffix for name in others}:
        assert re.search(rf"\{kind}[^:]*: seen, but not read: (expected|found)", told)
    assert ("and 43 more" in told) is (len(others) == 48)


@pytest.mark.parametrize("name", ["speech.zip", "speech.tar.gz", "deep/er/speech.7z"])
def test_archives_are_to_be_unpacked(tmp_path, name):
    (tmp_path / "corpus" / name).parent.mkdir(parents=True)
    (tmp_path / "corpus" / name).write_bytes(b"PK")
    with pytest.raises(CorpusError, match=f"found only {name}. Unpack it there"):
        propose(tmp_path / "corpus")
