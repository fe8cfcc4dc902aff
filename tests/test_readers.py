"""IEMOCAP, MSP-IMPROV and SmartKom from invented trees, with the traps of the real ones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import licensed_trees as licensed
import numpy as np
import pandas as pd
import pytest
import soundfile
import trees

from emobench import audio, cli, corpora, features, folds, protocols
from emobench.corpora.registry import PACKAGED
from emobench.errors import CorpusError

REGISTRY = corpora.load_registry([PACKAGED])
PLANTERS = {
    "iemocap": licensed.iemocap,
    "msp-improv": licensed.msp_improv,
    "smartkom": licensed.smartkom,
}


def load(name: str, data: Path) -> pd.DataFrame:
    return corpora.load(REGISTRY.get(name), data, data / "cache")


def reading(name: str, data: Path) -> corpora.table.Reading:
    return corpora.open_corpus(REGISTRY.get(name), data)


def described(table: pd.DataFrame) -> dict[str, licensed.Truth]:
    columns = ["label", "emotion", "speaker", "group"]
    return {row[0]: licensed.Truth(*row[1:]) for row in table[columns].itertuples()}


def insist(name: str, data: Path, message: str) -> None:
    """Expect one problem, which `load` raises and `check` lists."""
    with pytest.raises(CorpusError, match=message):
        load(name, data)
    report = corpora.check(REGISTRY.get(name), data, cache=data / "cache")
    assert len(report.reading.problems) == 1
    assert re.search(message, report.reading.problems[0])
    assert not report.good


def warn_of(name: str, data: Path, message: str, caplog: pytest.LogCaptureFixture) -> None:
    """Expect one gap: `load` warns of it, and `check` lists it among what is not ok."""
    assert len(load(name, data))
    assert [bool(re.search(message, text)) for text in caplog.messages] == [True]
    report = corpora.check(REGISTRY.get(name), data, cache=data / "cache")
    assert len(report.reading.gaps) == 1
    assert not report.good


def edit(file: Path, old: str, new: str) -> int:
    """Replace the first occurrence of a text; return its line."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("name", PLANTERS)
def test_every_clip_is_what_it_should_be(name, tmp_path):
    truth = PLANTERS[name](tmp_path / name)
    table = load(name, tmp_path)
    assert described(table) == truth
    assert list(table.index) == sorted(truth, key=lambda clip: table.loc[clip, "path"] + clip)
    assert all(Path(path).is_file() for path in table["path"])
    assert table["transcript"].notna().all()


@pytest.mark.parametrize("name", PLANTERS)
def test_a_folder_more_or_less_does_not_matter(name, tmp_path):
    first = PLANTERS[name](tmp_path / "a" / name / "disk 1" / "unpacked")
    assert described(load(name, tmp_path / "a")) == first
    if name != "msp-improv":
        flat = PLANTERS[name](tmp_path / "b" / name, root="")
        assert described(load(name, tmp_path / "b")) == flat == first


@pytest.mark.parametrize("name", PLANTERS)
def test_unpacked_twice(name, tmp_path):
    truth = PLANTERS[name](tmp_path / name)
    trees.copy(tmp_path / name, tmp_path / name / "again")
    assert described(load(name, tmp_path)) == truth
    assert len(reading(name, tmp_path).duplicates) >= len(truth)
    assert not reading(name, tmp_path).problems


@pytest.mark.parametrize("name", PLANTERS)
def test_without_label_files(name, tmp_path):
    PLANTERS[name](tmp_path / name)
    for file in [*(tmp_path / name).rglob("*.txt"), *(tmp_path / name).rglob("*.par")]:
        file.unlink()
    insist(name, tmp_path, "expected label files .* somewhere below it .*found none. Unpack")


@pytest.mark.parametrize("name", PLANTERS)
def test_without_audio(name, tmp_path):
    PLANTERS[name](tmp_path / name)
    for file in (tmp_path / name).rglob("*.wav"):
        file.unlink()
    with pytest.raises(CorpusError, match=r"expected audio files like \*\.wav"):
        load(name, tmp_path)


@pytest.mark.parametrize("name", PLANTERS)
@pytest.mark.parametrize("protocol", ["losgo", "keesing2020"])
def test_commands(name, protocol, tmp_path, monkeypatch, capsys):
    truth = PLANTERS[name](tmp_path / name)
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, "--data", str(tmp_path)])
        return ended.value.code, capsys.readouterr().out

    status, out = run("check", name)
    assert status == 1
    assert f"not ok: {len(truth):,} of " in out
    status, out = run("utterances", name, "--csv")
    assert status == 0
    assert len(out.splitlines()) == 1 + len(truth)
    status, out = run("folds", name, "--protocol", protocol, "--json")
    made = json.loads(out)
    assert [len(made), sum(len(fold["test"]) for fold in made)] == [
        {"iemocap": 5}.get(name, 6),
        len(truth),
    ]
    for fold in made:
        assert {truth[clip].group for clip in fold["test"]} == set(fold["held_out"])


# IEMOCAP ------------------------------------------------------------------------------------------

FIRST = "IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
FIRST_AUDIO = "IEMOCAP_full_release/Session1/sentences/wav/Ses01F_impro01"


def test_iemocap_facts(tmp_path):
    licensed.iemocap(tmp_path / "iemocap")
    table = load("iemocap", tmp_path)
    clip = table.loc["Ses05M_script01_1b_F001"]
    assert clip[["speaker", "group", "sex", "scene", "style"]].tolist() == [
        *("Ses05F", "5", "female", "script01_1b", "scripted")
    ]
    assert clip["raw_emotion"] == "excited"
    assert clip[["valence", "activation", "dominance"]].tolist() == ["2.5000", "2.5000", "3.0000"]
    assert clip["transcript"] == "What is exc [LAUGHTER]?"
    assert set(table["speaker"]) == {f"Ses0{n}{sex}" for n in range(1, 6) for sex in "FM"}
    dropped = reading("iemocap", tmp_path).dropped
    assert sorted(dropped.values()) == [25, 125]


def test_iemocap_lines_as_they_also_occur(tmp_path):
    licensed.iemocap(tmp_path / "iemocap")
    file = tmp_path / "iemocap" / FIRST
    edit(file, "[2.5000, 2.5000, 3.0000]", "[2.5000, 2.5000, ]")
    edit(file, "(a comment)", "(like Ses01F_impro01_M000\x85)")
    edit(tmp_path / "iemocap" / FIRST.replace("EmoEvaluation", "transcriptions"), "?\n", "?\nM: \n")
    file.write_bytes(file.read_text("utf-8").replace("\n", "\r\n").encode("cp1252", "replace"))
    table = load("iemocap", tmp_path)
    assert pd.isna(table.loc["Ses01F_impro01_F000", "dominance"])
    assert table.loc["Ses01F_impro01_F000", "valence"] == "2.5000"


def test_iemocap_speakers_as_in_the_papers_code(tmp_path):
    truth = licensed.iemocap(tmp_path / "iemocap")
    table = load("iemocap:paper-speakers", tmp_path)
    assert table["speaker"].to_dict() == {clip: clip[3:6] for clip in truth}
    assert table["group"].to_dict() == {clip: known.group for clip, known in truth.items()}
    assert list(table["label"]) == list(load("iemocap", tmp_path)["label"])


def test_iemocap_without_excitement(tmp_path):
    truth = licensed.iemocap(tmp_path / "iemocap")
    table = load("iemocap:no-excited", tmp_path)
    assert "excited" not in set(table["raw_emotion"])
    assert len(table) == len(truth) - 25
    corpus = REGISTRY.get("iemocap:no-excited")
    assert corpus.folds == "session"
    assert sum(corpus.expect.emotions.values()) == 5531 - 1041


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\tang\t", "\t"),
        ("[1.0000 - 2.5000]\t", "1.0000 - 2.5000]\t"),
        ("F000\tang", "F0000\tang"),
        ("\tang\t[2.5000, 2.5000, 3.0000]", "\tang"),
        ("2.5000]\tSes01F", "2.5000]\tSes09F"),
    ],
)
def test_iemocap_malformed_summary(old, new, tmp_path):
    licensed.iemocap(tmp_path / "iemocap")
    line = edit(tmp_path / "iemocap" / FIRST, old, new)
    problems = reading("iemocap", tmp_path).problems
    assert f"{FIRST}, line {line}: expected '[start - end] turn emotion" in problems[0]
    assert "Restore the file" in problems[0]
    with pytest.raises(CorpusError, match=r"Ses01F_impro01\.txt, line 3: expected"):
        load("iemocap", tmp_path)


def test_iemocap_many_malformed_lines_are_counted(tmp_path):
    licensed.iemocap(tmp_path / "iemocap")
    file = tmp_path / "iemocap" / FIRST
    file.write_text(file.read_text().replace("[1.0000", "[one"))
    problems = reading("iemocap", tmp_path).problems
    assert len(problems) == 6
    assert problems[-1] == "… and 6 more such lines."


def test_iemocap_label_without_audio(tmp_path, caplog):
    licensed.iemocap(tmp_path / "iemocap")
    (tmp_path / "iemocap" / FIRST_AUDIO / "Ses01F_impro01_F000.wav").unlink()
    message = r"iemocap\.reader: .*none for 1: Ses01F_impro01_F000 \(.*impro01\.txt, line 3\)\. Res"
    warn_of("iemocap", tmp_path, message, caplog)


def test_iemocap_labels_that_are_dropped_need_no_audio(tmp_path):
    truth = licensed.iemocap(tmp_path / "iemocap")
    for file in list((tmp_path / "iemocap").rglob("Ses*_[FM]00?.wav")):
        if file.stem not in truth:
            file.unlink()
    assert described(load("iemocap", tmp_path)) == truth


def test_iemocap_audio_without_label(tmp_path):
    licensed.iemocap(tmp_path / "iemocap")
    trees.plant(tmp_path / "iemocap" / FIRST_AUDIO, ["Ses01F_impro01_F099.wav"])
    message = r"iemocap\.reader: .* none for 1 file: .*_F099\.wav\. Restore .*`ignore:`"
    insist("iemocap", tmp_path, message)


def test_iemocap_two_labels_for_a_turn(tmp_path):
    licensed.iemocap(tmp_path / "iemocap")
    write = {
        f"old/EmoEvaluation/{Path(FIRST).name}": licensed.iemocap_block(
            "Ses01F_impro01_F000", "neu"
        )
    }
    licensed.write(tmp_path / "iemocap", write)
    message = r"old/EmoEvaluation.*, line 1: expected 'ang' for .*line 3, found 'neu'\. Remove"
    insist("iemocap", tmp_path, message)


def test_iemocap_unknown_label_and_strangers(tmp_path):
    licensed.iemocap(tmp_path / "iemocap")
    edit(tmp_path / "iemocap" / FIRST, "\tang\t", "\tbor\t")
    trees.plant(tmp_path / "iemocap" / FIRST_AUDIO, ["Ses01F_impro01_X000.wav"])
    found = reading("iemocap", tmp_path)
    assert len(found.unmatched) == 1
    first, second = found.problems
    assert "1 file named otherwise: IEMOCAP_full_release/Session1/sentences" in first
    assert "expected one of the codes ang, hap, exc, sad, neu, found 'bor'" in second


def test_iemocap_without_transcripts(tmp_path):
    truth = licensed.iemocap(tmp_path / "iemocap")
    for file in (tmp_path / "iemocap").rglob("transcriptions/*.txt"):
        file.unlink()
    table = load("iemocap", tmp_path)
    assert described(table) == truth
    assert table["transcript"].isna().all()


# MSP-IMPROV ---------------------------------------------------------------------------------------

CLIP = "S01A-F01-P-FM01"


def test_msp_improv_facts(tmp_path):
    licensed.msp_improv(tmp_path / "msp-improv")
    table = load("msp-improv", tmp_path)
    clip = table.loc["MSP-IMPROV-S01A-M01-P-MF01"]
    wanted = ["speaker", "group", "sex", "condition", "target", "raw_emotion", "transcript"]
    assert clip[wanted].tolist() == ["M01", "1", "male", "P", "A", "happy", "I said S01A."]
    assert clip[["activation", "valence", "dominance"]].tolist() == [
        *("3.000000", "3.200000", "2.800000")
    ]
    assert pd.isna(clip["naturalness"])
    assert pd.isna(clip["sentence"])
    assert set(table.loc[table["condition"].isin(["R", "T"]), "sentence"]) == {
        f"{n:02}" for n in range(1, 7)
    }
    assert sum(reading("msp-improv", tmp_path).dropped.values()) == 82


@pytest.mark.parametrize("labels", ["Evaluation.txt", "Evalution.txt", "labels/EVALUATION.TXT"])
@pytest.mark.parametrize("below", ["", "Audio/", "a/b/"])
def test_msp_improv_spellings(labels, below, tmp_path):
    truth = licensed.msp_improv(tmp_path / "msp-improv", labels, below)
    assert described(load("msp-improv", tmp_path)) == truth


@pytest.mark.parametrize(
    "summary",
    [
        "MSP-IMPROV-{}.avi; N; A:3.000000; V:3.200000; D:2.800000 ; N:3.000000;",
        "UTD-IMPROV-{}.avi;N;A:3.0;V:3.2;D:2.8;N:3.0;",
        "  UTD-IMPROV-{}.avi ;  N ; A: 3 ; V : 3.2; D:2.8  ;  N:3.0 ; ",
        "UTD-IMPROV-{}.avi; N; A:NaN; V:NaN; D:NaN ; N:NaN;",
        "UTD-IMPROV-{}.avi; N; A:3.0; V:3.2; D:; N:nan",
        "UTD-IMPROV-{}.avi;\tN;\tA:3.0; V:3.2; D:2.8 ;",
    ],
)
def test_msp_improv_blanks_and_missing_values(summary, tmp_path):
    truth = licensed.msp_improv(tmp_path / "msp-improv")
    file = tmp_path / "msp-improv" / "Evalution.txt"
    first = file.read_text().splitlines()[0]
    edit(file, first, summary.format(CLIP))
    file.write_bytes(file.read_text().replace("\n", "\r\n").encode("utf-8-sig"))
    table = load("msp-improv", tmp_path)
    assert described(table) == truth | {
        f"MSP-IMPROV-{CLIP}": licensed.Truth("neutral", "neutral", "F01", "1")
    }


@pytest.mark.parametrize(
    "summary",
    [
        "UTD-IMPROV-{}.avi; A:3.000000; V:3.200000; D:2.800000 ; N:3.000000;",
        "UTD-IMPROV-{}; N; A:3.000000; V:3.200000; D:2.800000 ; N:3.000000;",
        "UTD-IMPROV-{}.avi; N; A:three; V:3.200000; D:2.800000 ; N:3.000000;",
        "UTD-IMPROV-{}.avi",
        "TD-IMPROV-{}.avi; N; A:3.000000; V:3.200000; D:2.800000 ; N:3.000000;",
    ],
)
def test_msp_improv_malformed_summary(summary, tmp_path):
    licensed.msp_improv(tmp_path / "msp-improv")
    file = tmp_path / "msp-improv" / "Evalution.txt"
    lines = file.read_text().splitlines(keepends=True)
    lines[0] = summary.format(CLIP) + "\n"
    file.write_text("".join(lines))
    problems = reading("msp-improv", tmp_path).problems
    assert "Evalution.txt, line 1: expected 'UTD-IMPROV-….avi; letter; A:…" in problems[0]


def test_msp_improv_label_or_audio_alone(tmp_path, caplog):
    licensed.msp_improv(tmp_path / "msp-improv")
    place = tmp_path / "msp-improv" / "Audio/session1/S01A/P"
    (place / f"MSP-IMPROV-{CLIP}.wav").unlink()
    message = r"none for 1: MSP-IMPROV-S01A-F01-P-FM01 \(.*txt, line 1\)"
    warn_of("msp-improv", tmp_path, message, caplog)
    trees.plant(place, [f"MSP-IMPROV-{CLIP}.wav", f"MSP-IMPROV-{CLIP[:-1]}9.wav"])
    insist("msp-improv", tmp_path, r"none for 1 file: .*MSP-IMPROV-S01A-F01-P-FM09\.wav\. Restore")


def test_msp_improv_ignores_what_it_is_told_to(tmp_path):
    truth = licensed.msp_improv(tmp_path / "msp-improv")
    trees.plant(tmp_path / "msp-improv/Audio/session1", ["calibration.wav"])
    insist("msp-improv", tmp_path, r"1 file named otherwise: Audio/session1/calibration\.wav")
    own = PACKAGED.read_text("utf-8").replace(
        "  reader: msp-improv\n", "  reader: msp-improv\n  ignore: [calibration.wav]\n"
    )
    (tmp_path / "own.yaml").write_text(own, "utf-8")
    corpus = corpora.load_registry([tmp_path / "own.yaml"]).get("msp-improv")
    assert described(corpora.load(corpus, tmp_path, tmp_path / "cache")) == truth


def test_msp_improv_without_transcripts(tmp_path):
    truth = licensed.msp_improv(tmp_path / "msp-improv")
    for file in (tmp_path / "msp-improv").rglob("Human_Transcriptions/*/*.txt"):
        file.unlink()
    table = load("msp-improv", tmp_path)
    assert described(table) == truth
    assert table["transcript"].isna().all()


# SmartKom -----------------------------------------------------------------------------------------


def smartkom_session(
    folder: Path,
    turns: list[tuple[int, int]],
    states: list[tuple[int, int, str]],
    *,
    session: str = "w001_pk",
    encoding: str = "latin-1",
) -> Path:
    """Write a session of speaker AAA; return its label file."""
    place = f"SK-Public/{session}/{session}"
    texts = {f"{place}_AAA.par": licensed.smartkom_par(turns, states)}
    licensed.write(folder, texts, encoding=encoding)
    trees.plant(folder, [f"{place}d.wav"], seconds=2.0)
    return folder / f"{place}_AAA.par"


def test_smartkom_segments(tmp_path):
    licensed.smartkom(tmp_path / "smartkom")
    table = load("smartkom", tmp_path)
    clip = table.loc["w003_pk_AAB_002"]
    assert clip["path"].endswith("SK-Public/w003_pk/w003_pkd.wav")
    assert clip["start"] == pytest.approx(2 * 4800 / 16_000)
    assert clip["end"] == pytest.approx((2 * 4800 + 3999 + 1) / 16_000)
    assert clip["duration"] == pytest.approx(0.25)
    assert clip["session"] == "w003_pk"
    assert clip["transcript"] == "können"
    assert audio.read(clip["path"], clip["start"], clip["end"]).shape == (4000,)
    assert reading("smartkom", tmp_path).dropped == {
        "session without turns (TRN) or user states (USH)": 2
    }


def test_smartkom_classes(tmp_path):
    truth = licensed.smartkom(tmp_path / "smartkom")
    merged = load("smartkom:merged", tmp_path)
    assert list(merged["label"]) == list(merged["emotion"])
    assert set(merged["label"]) == set(REGISTRY.get("smartkom:merged").labels)
    assert len(REGISTRY.get("smartkom:merged").labels) == 6
    assert set(REGISTRY.get("smartkom").labels) == {known.label for known in truth.values()}
    assert len(REGISTRY.get("smartkom").labels) == 7


STATES = [(0, 99, "Neutral"), (100, 49, "Ratlosigkeit"), (150, 99, "Neutral")]


@pytest.mark.parametrize(
    ("turn", "states", "label"),
    [
        ((0, 99), STATES, "neutral"),
        ((90, 49), STATES, "helplessness"),
        ((100, 49), STATES, "helplessness"),
        ((50, 98), STATES, "neutral"),  # 50 and 49 samples
        ((90, 69), STATES, "helplessness"),
        ((50, 149), STATES, "neutral"),  # twice 50 of one state beat 50 of another
        ((50, 149), [*STATES[1:], STATES[0]], "neutral"),
        ((100, 99), STATES, "helplessness"),  # of equals, the earlier
        ((500, 99), STATES, "neutral"),  # no state covers it: the last
        ((0, 9), STATES[1:], "helplessness"),  # no state covers it: the next
        ((0, 199), [(0, 9, "Neutral"), (120, 19, "Ratlosigkeit")], "helplessness"),
    ],
)
def test_smartkom_state_that_covers_most(turn, states, label, tmp_path):
    smartkom_session(tmp_path / "smartkom", [turn], states)
    assert load("smartkom", tmp_path)["label"].tolist() == [label]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
@pytest.mark.parametrize(
    ("state", "label"),
    [
        ('"Uberlegen/Nachdenken', "pondering"),
        ("Überlegen/Nachdenken", "pondering"),
        ('"Arger/Mi"serfolg', "anger"),
        ("Ärger/Mißerfolg", "anger"),
        ("Arger/Miserfolg  ", "anger"),
        ('"Uberraschung/Verwunderung\t1\tx y', "surprise"),
        ("Restklasse\t", "unknown"),
    ],
)
def test_smartkom_spellings_of_states(state, label, encoding, tmp_path):
    states = [(0, 99_999, state)]
    smartkom_session(tmp_path / "smartkom", [(0, 999)], states, encoding=encoding)
    assert load("smartkom", tmp_path)["label"].tolist() == [label]


def test_smartkom_blanks_instead_of_tabs(tmp_path):
    file = smartkom_session(tmp_path / "smartkom", [(0, 999), (2000, 9)], [(0, 9999, "Neutral")])
    file.write_text(file.read_text("latin-1").replace("\t", "  "), "latin-1")
    table = load("smartkom", tmp_path)
    assert list(table.index) == ["w001_pk_AAA_000", "w001_pk_AAA_001"]
    assert table["transcript"].tolist() == ["können", "können"]


def test_smartkom_missing_words(tmp_path):
    file = smartkom_session(tmp_path / "smartkom", [(0, 999)], [(0, 9999, "Neutral")])
    lines = file.read_text("latin-1").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("ORT")), "latin-1")
    assert load("smartkom", tmp_path)["transcript"].isna().all()


def test_smartkom_first_channel_beside_the_labels(tmp_path):
    smartkom_session(tmp_path / "smartkom", [(0, 999)], [(0, 9999, "Neutral")])
    trees.plant(tmp_path / "smartkom", ["A/w001_pkd.wav", "SK-Public/w001_pk/w001_pka.wav"])
    trees.plant(tmp_path / "smartkom/SK-Public/w001_pk", ["w001_pk.wav", "w001_pk_ab.wav"])
    assert load("smartkom", tmp_path)["path"].item().endswith("w001_pk/w001_pka.wav")


def test_smartkom_session_of_the_system_alone(tmp_path):
    smartkom_session(tmp_path / "smartkom", [(0, 999)], [(0, 9999, "Neutral")])
    file = smartkom_session(tmp_path / "smartkom", [(0, 9)], [(0, 9, "Neutral")], session="w9_pk")
    file.rename(file.with_name("w9_pk_SMA.par"))
    found = reading("smartkom", tmp_path)
    assert [clip.id for clip in found.clips] == ["w001_pk_AAA_000"]
    assert list(found.dropped.values()) == [1]


def test_smartkom_missing_sound(tmp_path, caplog):
    licensed.smartkom(tmp_path / "smartkom")
    for file in (tmp_path / "smartkom").rglob("w001_pk?.wav"):
        file.unlink()
    message = r"w001_pk_AAA\.par: expected the recording w001_pk\?\.wav .* found none\. Unpack"
    warn_of("smartkom", tmp_path, message, caplog)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TRN:\t0\t999", "TRN:\tzero\t999"),
        ("TRN:\t0\t999\t0,1", "TRN:\t0\t999"),
        ("USH:\t0\t9999\tNeutral", "USH:\t0\t9999"),
        ("USH:\t0\t", "USH:\t-5\t"),
    ],
)
def test_smartkom_malformed_line(old, new, tmp_path):
    turns = [(0, 999), (2000, 9)]
    states = [(0, 9999, "Neutral"), (10_000, 9, "Neutral")]
    file = smartkom_session(tmp_path / "smartkom", turns, states)
    line = edit(file, old, new)
    insist("smartkom", tmp_path, rf"w001_pk_AAA\.par, line {line}: expected 'ORT: index word'.*Res")


def test_smartkom_misnamed_labels(tmp_path):
    file = smartkom_session(tmp_path / "smartkom", [(0, 999)], [(0, 9999, "Neutral")])
    (file.parent / "w001_pk.par").write_bytes(file.read_bytes())
    insist("smartkom", tmp_path, r"w001_pk\.par: expected a name such as w001_pk_AAA\.par")


def test_smartkom_unknown_state(tmp_path):
    smartkom_session(tmp_path / "smartkom", [(0, 999)], [(0, 9999, "Langeweile")])
    insist("smartkom", tmp_path, r"expected one of the codes .* found 'Langeweile' in 1 file")


def test_smartkom_features_are_those_of_the_segment(tmp_path):
    smartkom_session(tmp_path / "smartkom", [(8000, 7999)], [(0, 99_999, "Neutral")])
    table = load("smartkom", tmp_path)
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 96_000).astype("float32")
    soundfile.write(table["path"].item(), samples, 48_000, subtype="FLOAT")
    spec = features.spec("logmel", bands=40)
    found = features.load(table, spec, cache=tmp_path / "cache")
    cut = audio.resample(samples[24_000:48_000], 48_000)
    wanted = features.extract(spec.name, cut, 16_000, **dict(spec.params))
    np.testing.assert_array_equal(found.clip(0), wanted)


def test_smartkom_speakers_are_dealt_into_six_groups(tmp_path):
    licensed.smartkom(tmp_path / "smartkom")
    corpus = REGISTRY.get("smartkom")
    made = folds.make(load("smartkom", tmp_path), corpus.folds, protocols.get("losgo"))
    held_out = [speaker for fold in made for speaker in fold.held_out]
    assert sorted(held_out) == sorted(licensed.SMARTKOM_SPEAKERS)


def test_smartkom_runs(tmp_path, monkeypatch, capsys):
    licensed.smartkom(tmp_path / "smartkom")
    random = np.random.default_rng(0)
    for file in (tmp_path / "smartkom").rglob("*.wav"):
        soundfile.write(file, random.uniform(-0.3, 0.3, 36_000), 16_000)
    words = ["run", "--model", "svm-is09", "--corpus", "smartkom", "--protocol", "smoke"]
    places = ["--data", tmp_path, "--cache", tmp_path / "cache", "--results", tmp_path / "results"]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, *map(str, places)])
    assert ended.value.code == 0
    results = next((tmp_path / "results").rglob("*.parquet"))
    stored = pd.read_parquet(results)
    assert set(stored["label"]) == set(REGISTRY.get("smartkom").labels)
