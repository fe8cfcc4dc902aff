"""`check`, `utterances` and `corpora`: what a person is told about a copy on disk."""

from __future__ import annotations

import csv
import io
import itertools
import json
import sys
import time
from pathlib import Path

import licensed_trees as licensed
import numpy as np
import pytest
import soundfile
import trees

from emobench import cli, corpora
from emobench.corpora.reading import audio_files, contents, parallel
from emobench.corpora.registry import PACKAGED
from emobench.storage import memory

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
    trees.plant(tmp_path / "ravdess", trees.ravdess())
    trees.copy(tmp_path / "ravdess", tmp_path / "ravdess" / "audio_speech_actors_01-24")
    status, out, _ = command("check", "ravdess", "--data", tmp_path)
    assert status == 0
    assert "files with the id of another, not used: 1,440" in out
    assert (
        "\n  audio_speech_actors_01-24: 1,440 that hold the same as in the corpus folder\n" in out
    )


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
    assert "not ok: see above." in out


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


def test_only_files_of_equal_size_are_opened_to_compare_them(tmp_path, monkeypatch):
    file, folder = mine(tmp_path)
    for number, path in enumerate(sorted(folder.iterdir())):
        path.write_bytes(
            trees.wav_bytes(seconds=0.01 * (number // 2 + 1 if number < 4 else number))
        )
    looked_at = []
    look = contents._middle
    monkeypatch.setattr(contents, "_middle", lambda it: looked_at.append(it.name) or look(it))
    corpus = corpora.load_registry([file]).get("mine")
    assert corpora.check(corpus, tmp_path, cache=tmp_path / "cache").alike == ()
    assert looked_at == ["a_ang_0.wav", "a_ang_1.wav", "a_ang_2.wav", "a_ang_3.wav"]


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


def test_one_corpus_that_cannot_be_read_does_not_end_all(tmp_path, command):
    trees.plant(tmp_path / "crema-d", trees.crema_d())
    (tmp_path / "crema-d" / "VideoDemographics.csv").write_text("a,b\n1,2\n")
    (tmp_path / "iemocap").mkdir()
    trees.plant(tmp_path / "iemocap", ["Ses01F_impro01_F000.wav"])
    trees.plant(tmp_path / "savee", trees.savee())
    status, out, err = command("check", "all", "--data", tmp_path)
    assert (status, err) == (1, "")
    lines = out.splitlines()
    place = lines.index("crema-d: CREMA-D")
    assert "expected one of the table's columns a, b, found 'ActorID'" in lines[place + 1]
    assert lines[place + 2] == "not ok: it cannot be read."
    assert "iemocap: expected label files EmoEvaluation/*.txt somewhere below it" in out
    assert "not ok: 0 of 5,531 clips. The copy is incomplete or cannot be understood" in out
    assert any(line.startswith("ok: 480 clips, as expected.") for line in lines)
    assert lines[-1] == f"1 ok, 2 not ok (crema-d, iemocap), 13 not found in {tmp_path}"


def test_absent_corpora_of_a_pool(tmp_path, command):
    trees.plant(tmp_path / "tess", trees.tess())
    _, out, _ = command("check", "all", "--data", tmp_path)
    assert "ravdess+tess: not found. It is made of ravdess; get it." in out
    assert (
        "ravdess: not found. Download it at https://zenodo.org/records/1188976 (about 208 MB). "
        "`emobench download ravdess` fetches it." in out
    )
    assert out.splitlines()[-1].startswith("1 ok, 0 not ok, 15 not found in ")


def test_pool_shows_what_is_wrong_with_its_parts(tmp_path, command):
    trees.plant(tmp_path / "tess", [*trees.tess(), "rehearsal.wav"])
    (tmp_path / "ravdess").mkdir()
    status, out, _ = command("check", "ravdess+tess", "--data", tmp_path)
    assert status == 1
    assert f"{tmp_path / 'ravdess'}: expected audio files like *.wav" in out
    assert "tess.pattern: expected the expression to match every file" in out
    assert "not ok: 2,800 of 4,240 clips. The copy is incomplete or cannot be understood" in out
    for file in (tmp_path / "tess").glob("*.wav"):
        file.unlink()
    status, out, _ = command("check", "ravdess+tess", "--data", tmp_path)
    assert status == 1
    assert out.count("expected audio files like *.wav") == 2
    assert "not ok: there is nothing to count." in out


def test_counts_that_the_registry_corrects_and_labels_of_the_corpus_own(tmp_path, command):
    licensed.smartkom(tmp_path / "smartkom")
    _, out, _ = command("check", "smartkom", "--data", tmp_path)
    lines = [line.split() for line in out.splitlines()]
    assert ["sadness", "0", "0", "54", "(published", "otherwise)"] in lines
    assert ["other", "28", "237", "183", "<-", "differs"] in lines
    assert "labels trained on: anger 14, happiness 14, surprise 14, neutral 14, pondering 14" in out
    assert "helplessness 14, unknown 14" in out


def test_segments_are_measured_as_clips_and_their_file_is_named_once(tmp_path):
    licensed.smartkom(tmp_path / "smartkom")
    corpus = REGISTRY.get("smartkom")
    whole = corpora.check(corpus, tmp_path, cache=tmp_path / "cache")
    assert len(whole.durations) == 98
    assert set(np.round(whole.durations, 3)) == {0.25}
    assert whole.formats == {(16_000, 1): 14}
    assert whole.broken == {}
    folder = tmp_path / "smartkom" / "SK-Public"
    (folder / "w001_pk" / "w001_pkd.wav").write_bytes(b"")
    # The last two of seven turns begin after it ends.
    (folder / "w002_pk" / "w002_pkd.wav").write_bytes(trees.wav_bytes(seconds=1.4))
    report = corpora.check(corpus, tmp_path, cache=tmp_path / "cache")
    name = "SK-Public/w002_pk/w002_pkd.wav"
    assert list(report.broken) == [
        "SK-Public/w001_pk/w001_pkd.wav",
        *(f"{name} (w002_pk_AAA_00{number})" for number in (5, 6)),
    ]
    assert "expected a segment within its 1.40 s" in report.broken[f"{name} (w002_pk_AAA_006)"]
    assert len(report.durations) == 91


def test_deep_hears_silent_segments(tmp_path):
    licensed.smartkom(tmp_path / "smartkom")
    path = tmp_path / "smartkom" / "SK-Public" / "w001_pk" / "w001_pkd.wav"
    samples, rate = soundfile.read(path)
    samples[: int(0.3 * rate)] = 0
    soundfile.write(path, samples, rate)
    corpus = REGISTRY.get("smartkom")
    report = corpora.check(corpus, tmp_path, cache=tmp_path / "cache", deep=True)
    assert list(report.broken) == ["SK-Public/w001_pk/w001_pkd.wav (w001_pk_AAA_000)"]
    assert "only silence" in next(iter(report.broken.values()))


def test_many_stubs_are_summed_up(tmp_path, command):
    trees.plant(tmp_path / "crema-d", trees.crema_d())
    for file in (tmp_path / "crema-d").rglob("*.wav"):
        file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n")
    status, out, _ = command("check", "crema-d", "--data", tmp_path)
    assert status == 1
    assert "files that cannot be used: 163" in out
    assert "… and 143 more" in out
    assert "163 in all: is a Git LFS pointer, not the audio itself. Run `git lfs pull`" in out


def test_the_same_sound_under_two_labels_and_by_two_speakers_is_marked(tmp_path, command):
    file, folder = mine(tmp_path)
    (folder / "c_hap_2.wav").write_bytes((folder / "b_ang_1.wav").read_bytes())
    (folder / "a_hap_2.wav").write_bytes((folder / "a_hap_1.wav").read_bytes())
    _, out, _ = command("check", "mine", "--data", tmp_path, "--datasets", file)
    assert "  a_hap_1.wav = a_hap_2.wav\n" in out
    assert (
        "  b_ang_1.wav = c_hap_2.wav; labels differ: anger, happiness; speakers differ: b, c" in out
    )


def test_many_strangers_are_listed(tmp_path, command):
    file, folder = mine(tmp_path)
    trees.plant(folder, [f"rehearsal{number}.wav" for number in range(30)])
    _, out, _ = command("check", "mine", "--data", tmp_path, "--datasets", file)
    assert "files that are not understood: 30" in out
    assert "\n  rehearsal7.wav\n" not in out  # 7 comes after 26 in the order of names
    assert "\n  rehearsal25.wav\n" in out
    assert "… and 10 more" in out


def test_file_that_goes_away_while_it_is_looked_at(tmp_path, monkeypatch):
    file, folder = mine(tmp_path)
    corpus = corpora.load_registry([file]).get("mine")
    cache = tmp_path / "cache"
    monkeypatch.setattr(memory, "_SETTLED_NS", -(10**12))  # its header is remembered at once
    assert corpora.check(corpus, tmp_path, cache=cache).good
    scan = audio_files.scan

    def scan_then_lose(*arguments):
        found = scan(*arguments)
        (folder / "a_ang_0.wav").unlink(missing_ok=True)
        return found

    monkeypatch.setattr("emobench.corpora.opening.scan", scan_then_lose)
    report = corpora.check(corpus, tmp_path, cache=cache)
    assert "cannot be read (No such file or directory)" in report.broken["a_ang_0.wav"]


def test_leaving_early_leaves_the_rest_undone():
    done = []

    def slow(item):
        time.sleep(0.01)
        done.append(item)

    with parallel.each(slow, range(1000), 2) as pairs:
        next(pairs)
    assert len(done) < 100


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
    trees.plant(tmp_path / "emo-db" / "a", ["03a01Fa.wav", "16b10Lb.wav"])
    trees.copy(tmp_path / "emo-db" / "a", tmp_path / "emo-db" / "b")
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
