"""`check`, `utterances` and `corpora`: what a person is told about a copy on disk."""

from __future__ import annotations

import csv
import io
import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trees

from emobench import cli, corpora
from emobench.corpora.registry import PACKAGED

REGISTRY = corpora.load_registry([PACKAGED])


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Run a command as a user does; return its exit status, what it says, and its complaints."""
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))

    def run(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return ended.value.code, said.out, said.err

    return run


def mine(tmp_path: Path, more: str = "") -> tuple[Path, Path]:
    """Return a registry file with a small corpus, and the corpus' folder."""
    file = tmp_path / "mine.yaml"
    text = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[a-z])_(?P<emotion>ang|hap)_\d+\.wav$
  emotions: {ang: anger, hap: happiness}
"""
    file.write_text(text + more)
    names = itertools.product("abc", ("ang", "hap"), range(4))
    trees.plant(tmp_path / "mine", (f"{who}_{what}_{n}.wav" for who, what, n in names))
    return file, tmp_path / "mine"


def cells(report: corpora.CheckReport) -> dict[str, tuple[int, int | None, int | None]]:
    return {cell.name: (cell.found, cell.expected, cell.published) for cell in report.cells}


def test_whole_corpus(tmp_path, command):
    trees.plant(tmp_path / "savee", trees.savee(), rate=44_100)
    status, out, _ = command("check", "savee", "--data", tmp_path)
    assert status == 0
    assert "ok: 480 clips, as expected." in out
    assert "44,100 Hz mono (480 files)" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["anger", "60", "60", "60"] in lines
    assert ["clips", "480", "480", "480"] in lines
    assert ["speakers", "4", "4"] in lines
    assert "differs" not in out


def test_half_the_files(tmp_path, command):
    names = sorted(trees.ravdess())
    trees.plant(tmp_path / "ravdess", names[: len(names) // 2])
    status, out, _ = command("check", "ravdess", "--data", tmp_path)
    assert status == 1
    assert "not ok: 720 of 1,440 clips. The copy is incomplete: unpack the missing" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["surprise", "96", "192", "192", "<-", "differs"] in lines
    assert ["anger", "96", "192", "192", "<-", "differs"] in lines
    assert ["speakers", "12", "24", "<-", "differs"] in lines


def test_files_twice(tmp_path, command):
    for folder in ("", "audio_speech_actors_01-24"):
        trees.plant(tmp_path / "ravdess" / folder, trees.ravdess())
    status, out, _ = command("check", "ravdess", "--data", tmp_path)
    assert status == 0
    assert "files with the id of another, not used: 1,440" in out
    assert "audio_speech_actors_01-24/Actor_01/03-01-01-01-01-01-01.wav (as Actor_01/" in out
    assert "… and 1,420 more" in out


def test_one_cell_differs(tmp_path):
    trees.plant(tmp_path / "tess", trees.tess())
    next((tmp_path / "tess").glob("OAF_*_sad.wav")).unlink()
    report = corpora.check(REGISTRY.get("tess"), tmp_path, cache=tmp_path / "cache")
    assert [cell.name for cell in report.cells if cell.differs] == ["sadness", "clips"]
    assert cells(report)["sadness"] == (399, 400, 400)
    assert cells(report)["speakers"] == (2, 2, None)
    assert not report.good


def test_stubs_empty_and_damaged_files_are_named(tmp_path, command):
    file, folder = mine(tmp_path)
    (folder / "a_ang_0.wav").write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    )
    (folder / "a_ang_1.wav").write_bytes(b"")
    (folder / "a_ang_2.wav").write_bytes(b"this is a text\n" * 40)
    (folder / "a_ang_3.wav").write_bytes(trees.wav_bytes()[:44])
    status, out, _ = command("check", "mine", "--data", tmp_path, "--datasets", file)
    assert status == 1
    assert "files that cannot be used: 4" in out
    told = {line.split(":")[0].strip(): line for line in out.splitlines() if ".wav:" in line}
    assert set(told) == {f"a_ang_{number}.wav" for number in range(4)}
    assert "git lfs pull" in told["a_ang_0.wav"]
    assert "empty" in told["a_ang_1.wav"]
    assert "not ok: the counts are as expected, but see above." in out


def test_same_content_under_two_names(tmp_path):
    file, folder = mine(tmp_path)
    copy = (folder / "b_ang_1.wav").read_bytes()
    (folder / "c_hap_2.wav").write_bytes(copy)
    samples, rate = soundfile.read(folder / "a_ang_0.wav", dtype="int16")
    soundfile.write(folder / "a_hap_3.wav", samples, rate, format="FLAC", subtype="PCM_16")
    corpus = corpora.load_registry([file]).get("mine")
    quick = corpora.check(corpus, tmp_path, cache=tmp_path / "cache")
    deep = corpora.check(corpus, tmp_path, cache=tmp_path / "cache", deep=True)
    assert quick.alike == (("b_ang_1.wav", "c_hap_2.wav"),)
    assert deep.alike == (("a_ang_0.wav", "a_hap_3.wav"), ("b_ang_1.wav", "c_hap_2.wav"))
    assert quick.good
    assert deep.good


def test_deep_finds_silence_and_shows_progress(tmp_path):
    file, folder = mine(tmp_path)
    soundfile.write(folder / "a_ang_0.wav", np.zeros(800), 16_000)
    corpus = corpora.load_registry([file]).get("mine")
    assert corpora.check(corpus, tmp_path, cache=tmp_path / "cache").good
    steps = []
    report = corpora.check(
        corpus, tmp_path, cache=tmp_path / "c", deep=True, progress=lambda *step: steps.append(step)
    )
    assert list(report.broken) == ["a_ang_0.wav"]
    assert "only silence" in report.broken["a_ang_0.wav"]
    assert steps[23] == ("reading headers", 24, 24)
    assert steps[-1] == ("decoding", 24, 24)


def test_strangers_and_unknown_codes_are_told_beside_the_counts(tmp_path, command):
    file, folder = mine(tmp_path)
    trees.plant(folder, ["rehearsal.wav"])
    status, out, _ = command("check", "mine", "--data", tmp_path, "--datasets", file)
    assert status == 1
    assert "mine.yaml, line 4: mine.pattern: expected" in out
    assert "rehearsal.wav. Correct `pattern`" in out
    assert ["clips", "24"] in [line.split() for line in out.splitlines()]


def test_corpus_without_expectations(tmp_path, command):
    file, _ = mine(tmp_path)
    status, out, _ = command("check", "mine", "--data", tmp_path, "--datasets", file)
    assert status == 0
    assert "ok: 24 clips, nothing to compare with (no `expect:`)." in out


def test_too_many_files(tmp_path, command):
    file, _ = mine(tmp_path, "  expect: {anger: 11, happiness: 12}\n")
    status, out, _ = command("check", "mine", "--data", tmp_path, "--datasets", file)
    assert status == 1
    assert "not ok: 24 clips instead of 23. Remove what does not belong" in out


def test_expected_emotion_that_is_absent_is_a_cell(tmp_path):
    file, folder = mine(tmp_path, "  expect: {anger: 12, happiness: 12}\n")
    for path in folder.glob("*_hap_*"):
        path.unlink()
    corpus = corpora.load_registry([file]).get("mine")
    report = corpora.check(corpus, tmp_path, cache=tmp_path / "cache")
    assert cells(report)["happiness"] == (0, 12, None)


def test_folder_without_audio(tmp_path, command):
    (tmp_path / "tess").mkdir()
    status, out, _ = command("check", "tess", "--data", tmp_path)
    assert status == 1
    assert "expected audio files like *.wav" in out


def test_absent_corpus(tmp_path, command):
    status, _, err = command("check", "demos", "--data", tmp_path)
    assert status == 1
    assert "Ask for a licence at https://zenodo.org/records/2544829 (about 2.5 GB)." in err
    assert len(err.splitlines()) == 1


def test_all_takes_what_is_there_and_says_where_the_rest_is(tmp_path, command):
    trees.plant(tmp_path / "savee", trees.savee())
    status, out, _ = command("check", "all", "--data", tmp_path)
    assert status == 0
    assert "ok: 480 clips" in out
    assert "shemo: not found. Download it at https://github.com/mansourehk/ShEMO (0.9 GB)." in out
    assert "demo:" not in out
    status, _, err = command("check", "all", "--data", tmp_path / "nowhere")
    assert status == 1
    assert "found no folder" in err


def test_utterances_as_csv(tmp_path, command):
    trees.plant(tmp_path / "Emo-DB" / "wav", ["03a01Fa.wav", "16b10Lb.wav"], seconds=0.5)
    status, out, err = command("utterances", "emodb", "--data", tmp_path, "--csv")
    assert (status, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["id", *corpora.TABLE_COLUMNS]
    assert rows[1] == {
        **dict.fromkeys(corpora.TABLE_COLUMNS, ""),
        **{"id": "16b10Lb", "path": "wav/16b10Lb.wav", "label": "other", "emotion": "other"},
        **{"raw_emotion": "boredom", "speaker": "16", "group": "16", "sex": "female", "age": "31"},
        **{"sentence": "b10", "repetition": "b", "duration": "0.5"},
        "transcript": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
    }


def test_utterances_for_people(tmp_path, command):
    for folder in ("a", "b"):
        trees.plant(tmp_path / "emo-db" / folder, ["03a01Fa.wav", "16b10Lb.wav"])
    status, out, err = command("utterances", "emo-db", "--data", tmp_path)
    assert status == 0
    assert out.splitlines()[1].split()[:4] == ["03a01Fa", "happiness", "happiness", "03"]
    assert "2 further files bear the id of another" in err


def test_list_of_corpora(tmp_path, command):
    (tmp_path / "RAVDESS").mkdir()
    status, out, _ = command("corpora", "--data", tmp_path)
    assert status == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.split()}
    assert {"crema-d", "emo-db", "demo", "ravdess:song"} <= set(lines)
    assert lines["ravdess"].split()[-1] == "yes"
    assert lines["tess"].split()[-1] == "no"
    status, out, _ = command("corpora", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert (rows["crema-d"]["clips"], rows["crema-d"]["folds"]) == (7441, "groups:6")
    assert rows["demo"]["synthetic"] is True


def test_show(tmp_path, command):
    status, out, _ = command("corpora", "show", "Crema D")
    assert status == 0
    for text in ("10.1109/TAFFC.2014.2336244", "holds no audio signal", "7,441", "groups:6"):
        assert text in out
    file, _ = mine(tmp_path)
    status, out, _ = command("corpora", "show", "mine", "--datasets", file)
    assert status == 0
    status, _, err = command("corpora", "show", "krema")
    assert status == 2
    assert "Did you mean 'crema-d'" in err


def test_wrong_registry_file_is_told_in_a_line(tmp_path, command):
    file, _ = mine(tmp_path, "  fold: speaker\n")
    status, _, err = command("check", "mine", "--data", tmp_path, "--datasets", file)
    assert status == 2
    assert f"{file}, line 6: mine.fold: expected" in err
    assert "Did you mean 'folds'?" in err


def test_large_corpus_takes_little_time(tmp_path, command):
    names = [
        f"AudioWAV/{actor}_{sentence}_{emotion}_XX.wav"
        for actor, sentence, emotion in itertools.product(
            range(1001, 1053),
            (
                *("IEO", "TIE", "IOM", "IWW", "TAI", "MTI"),
                *("IWL", "ITH", "DFA", "ITS", "TSI", "WSI"),
            ),
            ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD"),
        )
    ]
    trees.plant(tmp_path / "crema-d", names)
    started = time.process_time()
    status, out, _ = command("check", "crema-d", "--data", tmp_path)
    assert time.process_time() - started < 5
    assert (status, f"{len(names):,} of 7,441 clips" in out) == (1, True)
    started = time.process_time()
    command("utterances", "crema-d", "--data", tmp_path, "--csv")
    assert time.process_time() - started < 2


if sys.platform == "linux":

    def test_name_that_is_no_utf_8(tmp_path, command):
        trees.plant(tmp_path / "cafe" / "C", ["01-C-1-1.wav"])
        (tmp_path / "cafe" / "C").rename(tmp_path / "cafe" / "Col\udc8are")
        status, out, _ = command("utterances", "cafe", "--data", tmp_path)
        assert status == 0
        assert "Col?re/01-C-1-1.wav" in out
        assert command("check", "cafe", "--data", tmp_path)[0] == 1
