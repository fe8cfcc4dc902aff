"""`emobench predict`: what it takes, what it says of what it cannot take, and how it goes on."""

from __future__ import annotations

import json
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import perform_here
from exports import export_to

import emobench
from emobench.bundles import extracting, labelling
from emobench.bundles.folder import ABOUT, seal
from emobench.bundles.wanted import Wanted
from emobench.cli import main
from emobench.errors import BundleError, SpecError
from emobench.executors.worker import perform
from emobench.spec import Places

RATE = 16_000


@pytest.fixture(scope="module")
def made(tiny_data, tiny_cache, tmp_path_factory) -> Path:
    """The bundle of a support vector machine, trained on all speakers of `tiny`."""
    places = Places(
        tmp_path_factory.mktemp("results"), tiny_cache, tiny_data, (tiny_data / "datasets.yaml",)
    )
    out = tmp_path_factory.mktemp("bundles") / "svm"
    with pytest.MonkeyPatch.context() as patch:
        perform_here(patch, lambda work: perform(work, lambda epoch: None))
        export_to(out, places)
    return out


@pytest.fixture
def bundle(made, tmp_path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "bundle"))


@pytest.fixture
def voices(tiny_data, tmp_path) -> Path:
    """A folder of each speaker's clips, three of each."""
    for path in sorted((tiny_data / "tiny").glob("*_1.wav")):
        folder = tmp_path / "voices" / path.name[:2]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    return tmp_path / "voices"


@pytest.fixture
def predict(capsys):
    def call(*words: object) -> tuple[int, pd.DataFrame, str]:
        """Run the command; return its exit status, its answers, and what it said."""
        with pytest.raises(SystemExit) as stop:
            main(["predict", *map(str, words)])
        told = capsys.readouterr()
        lines = told.out.splitlines()
        head = lines[0].split(",") if lines else []
        rows = [dict(zip(head, line.split(","), strict=True)) for line in lines[1:]]
        return stop.value.code, pd.DataFrame(rows, columns=head), " ".join(told.err.split())

    return call


def sound(seconds: float = 1.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    pitch = 120 + 20 * seed
    tone = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 9))
    return 0.1 * tone + 0.01 * np.random.default_rng(seed).standard_normal(len(time))


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


# What it takes


def test_files_folders_and_globs_name_the_same_clips(made, voices, predict):
    files = sorted(voices.rglob("*.wav"))
    (voices / "notes.txt").write_text("no audio")
    (voices / "s1" / "._s1.wav").write_bytes(b"of the system")
    status, by_file, said = predict(made, *files)
    assert (status, len(by_file)) == (0, 12)
    assert "caution: clips without a speaker are standardised by the mean and scale" in said
    for words in ([voices], [voices / "*" / "*.wav"], [files[0], voices, files[3]]):
        found = predict(made, *words)[1].sort_values("path", ignore_index=True)
        pd.testing.assert_frame_equal(found, by_file)


def test_the_speaker_stands_in_a_column_or_is_the_folder(made, voices, tmp_path, predict):
    files = sorted(voices.rglob("*.wav"))
    table = pd.DataFrame({"file": files, "who": [path.parent.name for path in files]})
    table.to_csv(tmp_path / "list.csv", index=False)
    status, by_column, said = predict(made, tmp_path / "list.csv", "--speaker-column", "who")
    assert status == 0
    assert "fewer than 10 clips of a speaker, such as the 3 of s1" in said
    _, by_folder, _ = predict(made, voices, "--speaker-from-folder")
    assert list(by_column["speaker"]) == list(table["who"])
    same = by_folder.drop(columns="speaker"), by_column.drop(columns="speaker")
    pd.testing.assert_frame_equal(*same)
    _, by_nobody, said = predict(made, tmp_path / "list.csv")
    assert not by_nobody["p_anger"].equals(by_column["p_anger"])
    assert "caution: clips without a speaker" in said


def test_parts_of_a_file_are_clips(made, tmp_path, predict):
    parts = [sound(0.8, seed=seed) for seed in range(3)]
    write(tmp_path / "sounds" / "all.wav", np.concatenate(parts))
    for number, part in enumerate(parts):
        write(tmp_path / "sounds" / f"{number}.wav", part)
    rows = [("all.wav", 0.8 * n, 0.8 * (n + 1)) for n in range(3)]
    table = pd.DataFrame(rows, columns=["path", "start", "end"])
    table.to_csv(tmp_path / "sounds" / "parts.csv", index=False)
    _, found, _ = predict(made, tmp_path / "sounds" / "parts.csv")
    _, whole, _ = predict(made, *(tmp_path / "sounds" / f"{n}.wav" for n in range(3)))
    assert list(found["path"]) == ["all.wav"] * 3
    assert list(found["start"].astype(float)) == [row[1] for row in rows]
    chances = [name for name in found if name.startswith("p_")]
    np.testing.assert_allclose(
        found[chances].astype(float), whole[chances].astype(float), atol=1e-6
    )


def test_relative_paths_of_a_table_begin_in_its_folder_or_in_another(made, tmp_path, predict):
    write(tmp_path / "there" / "a.wav", sound())
    for place in ("there", "here"):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / "list.csv").write_text("path\na.wav\n")
    assert predict(made, tmp_path / "there" / "list.csv")[0] == 0
    status, _, said = predict(made, tmp_path / "here" / "list.csv")
    assert status == 1
    assert "left out: a.wav: no such file" in said
    assert predict(made, tmp_path / "here" / "list.csv", "--root", tmp_path / "there")[0] == 0


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_any_format_that_the_reader_takes_is_taken(made, tmp_path, predict, ending):
    path = write(tmp_path / f"a.{ending}", sound())
    status, found, _ = predict(made, tmp_path)
    assert (status, list(found["path"])) == (0, [str(path)])


@pytest.mark.parametrize("ending", ["tsv", "json", "jsonl", "xlsx", "parquet"])
def test_a_table_may_be_written_in_any_way(made, tmp_path, predict, ending):
    for number in range(2):
        write(tmp_path / f"{number}.wav", sound(2, seed=number))
    table = pd.DataFrame(
        {"path": ["0.wav", "1.wav", "1.wav"], "start": [None, 0.0, 1.0], "who": ["01", "01", "02"]}
    )
    table["end"] = [None, 1.0, None]
    table.to_csv(tmp_path / "list.csv", index=False)
    other = tmp_path / f"list.{ending}"
    {
        "tsv": lambda: table.to_csv(other, sep="\t", index=False),
        "json": lambda: table.to_json(other, orient="records"),
        "jsonl": lambda: table.to_json(other, orient="records", lines=True),
        "xlsx": lambda: table.to_excel(other, index=False),
        "parquet": lambda: table.to_parquet(other),
    }[ending]()
    status, known, _ = predict(made, tmp_path / "list.csv", "--speaker-column", "who")
    assert (status, len(known), set(known["speaker"])) == (0, 3, {"01", "02"})
    status, found, _ = predict(made, other, "--speaker-column", "who")
    assert status == 0
    pd.testing.assert_frame_equal(found, known)
    other.write_bytes(b"\xff\xfe no table")
    status, _, said = predict(made, other)
    assert status == 2
    assert f"{other}: expected a table in UTF-8 with a column path, found: " in said
    assert "Save it as CSV" in said


def test_probabilities_come_as_json_too(made, voices, tmp_path, predict):
    out = tmp_path / "answers.jsonl"
    assert predict(made, voices, "--out", out)[0] == 0
    _, known, _ = predict(made, voices)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["path"] for line in lines] == list(known["path"])
    for line, (_, row) in zip(lines, known.iterrows(), strict=True):
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-6)
        assert max(line["probabilities"], key=line["probabilities"].get) == line["predicted"]
        assert line["probabilities"]["anger"] == float(row["p_anger"])
        assert line["bundle"] == emobench.load_model(made).name


def test_several_processes_say_the_same(made, voices, predict):
    one = predict(made, voices, "--speaker-from-folder")[1]
    two = predict(made, voices, "--speaker-from-folder", "--jobs", 2)[1]
    pd.testing.assert_frame_equal(one, two)


# A database


# What audformat calls in pandas, which is not ours to mend.
audformats = pytest.mark.filterwarnings("ignore:The inplace keyword in:DeprecationWarning")


@audformats
def test_answers_become_a_database_of_audformat(made, voices, tmp_path, predict):
    audformat = pytest.importorskip("audformat", reason="needs audformat, which reads it")
    (voices / "silent.wav").write_bytes((write(tmp_path / "s.wav", np.zeros(RATE))).read_bytes())
    _, known, _ = predict(made, voices, "--speaker-from-folder")
    out = tmp_path / "database"
    status, printed, said = predict(made, voices, "--speaker-from-folder", "--audformat", out)
    assert (status, len(printed)) == (1, 0)
    assert f"{out / 'db.yaml'}: what is predicted of 12 clips" in said
    assert {path.name for path in out.iterdir()} == {"db.yaml", "db.predictions.csv"}
    database = audformat.Database.load(str(out))
    table = database["predictions"]
    model = emobench.load_model(made)
    assert database.schemes["predicted"].labels == list(model.labels)
    assert model.name in database.description
    rater = database.raters[table["predicted"].rater_id]
    assert (rater.type, rater.description) == ("machine", model.name)
    frame = table.get()
    assert list(frame.index) == [str(Path(path).absolute()) for path in known["path"]]
    assert list(frame["predicted"]) == list(known["predicted"])
    assert list(frame["speaker"]) == list(known["speaker"])
    for name in (column for column in known if column.startswith("p_")):
        np.testing.assert_array_equal(frame[name], known[name].astype(float))
    status, _, said = predict(made, voices, "--audformat", out)
    assert status == 2
    assert "expected no database here, found one" in said


@audformats
def test_parts_of_files_become_segments_relative_to_the_database(made, tmp_path, predict):
    audformat = pytest.importorskip("audformat", reason="needs audformat, which reads it")
    write(tmp_path / "audio" / "all.wav", sound(3))
    (tmp_path / "audio" / "again.wav").symlink_to("all.wav")
    rows = "path,start,end\nall.wav,0,1\nall.wav,1.5,\nagain.wav,,1\n"
    (tmp_path / "audio" / "parts.csv").write_text(rows)
    assert predict(made, tmp_path / "audio" / "parts.csv", "--audformat", tmp_path)[0] == 0
    frame = audformat.Database.load(str(tmp_path))["predictions"].get()
    assert list(frame.index) == [
        ("audio/all.wav", pd.Timedelta("0s"), pd.Timedelta("1s")),
        ("audio/all.wav", pd.Timedelta("1.5s"), pd.NaT),
    ]
    assert "speaker" not in frame


@audformats
@pytest.mark.parametrize("name", ["kept.csv", "kept.jsonl"])
def test_a_database_is_gone_on_with_where_labelling_stopped(made, voices, tmp_path, predict, name):
    pytest.importorskip("audformat", reason="needs audformat, which writes it")
    once, again = tmp_path / "once", tmp_path / "again"
    predict(made, voices, "--out", tmp_path / name, "--audformat", once)
    lines = (tmp_path / name).read_bytes().splitlines(keepends=True)
    again.mkdir()
    if name == "kept.csv":
        (again / "answers.csv").write_bytes(b"".join(lines[:6]))
        _, _, said = predict(made, voices, "--audformat", again)
    else:
        (tmp_path / name).write_bytes(b"".join(lines[:5]))
        _, _, said = predict(made, voices, "--out", tmp_path / name, "--audformat", again)
    assert "7 of 12 clips labelled, 5 were there already, 0 left out" in said
    for file in ("db.yaml", "db.predictions.csv"):
        assert (again / file).read_bytes() == (once / file).read_bytes()


@audformats
def test_a_database_that_cannot_be_written_is_said_before_anything_is_labelled(
    made, voices, tmp_path, predict
):
    pytest.importorskip("audformat", reason="needs audformat, which writes it")
    bad = shutil.copy(next(voices.rglob("*.wav")), str(voices / "caf\udce9.wav"))
    out = tmp_path / "database"
    status, _, said = predict(made, voices, "--audformat", out)
    assert status == 2
    assert r"expected names of files that are text, found '" in said
    assert r"caf\udce9.wav'. Rename the file" in said
    assert not out.exists()
    Path(bad).unlink()
    (voices / "short.wav").write_bytes(write(tmp_path / "s.wav", sound(0.01)).read_bytes())
    status, _, said = predict(made, voices / "short.wav", "--audformat", out)
    assert status == 1
    assert f"{out}: no database, as no clip was labelled" in said


# What it cannot take


def test_bad_files_among_good_ones_are_named_and_the_rest_is_labelled(made, voices, predict):
    write(voices / "silent.wav", np.zeros(RATE))
    write(voices / "empty.wav", np.zeros(0))
    write(voices / "short.wav", sound(0.01))
    (voices / "text.wav").write_text("Dear diary")
    (voices / "none.wav").write_bytes(b"")
    cut = write(voices / "cut.wav", sound())
    cut.write_bytes(cut.read_bytes()[:9_000])
    (voices / "link.wav").symlink_to("nowhere.wav")
    status, found, said = predict(made, voices)
    assert (status, len(found)) == (1, 12)
    for name, reason in {
        "silent": "silent: all 16000 samples equal 0",
        "empty": "has a header but holds no samples",
        "short": "too short: expected at least 400 samples",
        "text": "is a text file that begins with 'Dear diary'",
        "none": "is an empty file",
        "cut": "is cut short",
        "link": "no such file",
    }.items():
        assert f"left out: {voices / name}.wav: {reason}" in said
    assert "12 of 19 clips labelled, 7 left out" in said


def test_nothing_at_all_is_a_mistake(made, tmp_path, predict):
    (tmp_path / "folder").mkdir()
    assert predict(made, tmp_path / "folder")[0] == 2
    status, _, said = predict(made, tmp_path / "folder" / "*.wav")
    assert status == 2
    assert "expected files that match, found none" in said
    with pytest.raises(SpecError, match="expected at least one, found none"):
        emobench.load_model(made).predict([])


def test_narrow_sound_is_cautioned_against(made, tmp_path, predict):
    path = write(tmp_path / "phone.wav", sound(rate=8_000), 8_000)
    status, found, said = predict(made, path)
    assert (status, len(found)) == (0, 1)
    assert "caution: files with a sampling rate below 16,000 Hz hold less" in said


def test_channels_that_differ_must_be_chosen_from(made, tmp_path, predict):
    left, right = sound(seed=1), np.random.default_rng(1).normal(0, 0.1, RATE)
    alike = write(tmp_path / "alike.wav", np.stack([left, left], axis=1))
    both = write(tmp_path / "both.wav", np.stack([left, right], axis=1))
    mono = write(tmp_path / "mono.wav", left)
    status, found, said = predict(made, alike, both, mono)
    assert status == 1
    assert f"left out: {both}: its channels differ (correlation" in said
    assert "Choose one: --channel left|right|mean" in said
    assert found["p_anger"].nunique() == 1
    status, chosen, _ = predict(made, both, "--channel", "left")
    assert (status, list(chosen["p_anger"])) == (0, list(found["p_anger"][:1]))
    assert predict(made, both, "--channel", "right")[1]["p_anger"][0] != found["p_anger"][0]


def endless(path: Path, seconds: int, rate: int, at: int, samples: np.ndarray) -> Path:
    """Write a wav file of silence, which takes no room on the disk, with some sound in it."""
    size = 2 * seconds * rate
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16
    )
    with path.open("wb") as stream:
        stream.write(head + struct.pack("<4sI", b"data", size))
        stream.seek(44 + 2 * at * rate)
        stream.write((samples * 32_767).astype("<i2").tobytes())
        stream.truncate(44 + size)
    return path


def test_three_hours_are_refused_as_one_utterance_and_read_in_parts(made, tmp_path, predict):
    path = endless(tmp_path / "meeting.wav", 3 * 3600, RATE, 7200, sound(2))
    status, _, said = predict(made, path)
    assert status == 1
    assert "lasts 10,800 s, longer than the 120 s" in said
    assert "Name its utterances in a CSV file with the columns path, start and end" in said
    (tmp_path / "parts.csv").write_text("path,start,end\nmeeting.wav,7200,7202\n")
    status, found, _ = predict(made, tmp_path / "parts.csv")
    _, known, _ = predict(made, write(tmp_path / "part.wav", sound(2)))
    assert (status, found["predicted"][0]) == (0, known["predicted"][0])
    (tmp_path / "parts.csv").write_text(
        "path,start,end\nmeeting.wav,7200,\nmeeting.wav,10790,10801\n"
    )
    status, _, said = predict(made, tmp_path / "parts.csv")
    assert status == 1
    assert "meeting.wav from 7200 s to its end: lasts 3,600 s" in said
    assert "expected a segment within its 10800.00 s" in said


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("name\na.wav\n", "expected a column 'path', found name"),
        ("path,start\na.wav,soon\n", "row 1, start: expected a time in seconds, .*found 'soon'"),
        ("path,start,end\na.wav,2,1\n", "row 1: expected an end after the start, found 2 s to 1 s"),
        ("path,start\na.wav,0\n,1\n", "row 2: expected the path of a file, found none"),
        ("path,start\na.wav,-1\n", "row 1, start: expected a time in seconds"),
        ("path\n", "expected a row for each clip, found none"),
        ("", "expected a table in UTF-8 with a column path"),
        ("path\n\xe9.wav\n", "expected a table in UTF-8 with a column path"),
    ],
)
def test_tables_that_cannot_be_used_are_explained(made, tmp_path, predict, text, match):
    import re

    (tmp_path / "list.csv").write_bytes(text.encode("latin-1"))
    status, _, said = predict(made, tmp_path / "list.csv")
    assert status == 2
    assert re.search(match, said)
    assert "Traceback" not in said


def test_a_speaker_of_one_clip_is_standardised_by_training(made, voices, predict):
    """By itself nothing would be left of a single row."""
    path = next(voices.rglob("*.wav"))
    _, alone, _ = predict(made, path, "--speaker-from-folder")
    _, several, _ = predict(made, voices / path.parent.name, "--speaker-from-folder")
    moved = alone["p_anger"][0], several["p_anger"][0]
    shutil.move(path, voices)
    _, nobody, _ = predict(made, voices / path.name)
    assert alone["p_anger"][0] == nobody["p_anger"][0]
    assert len(set(moved)) == 2


# Going on


def test_a_file_of_answers_is_gone_on_with(made, voices, tmp_path, predict):
    words = (made, voices, "--speaker-from-folder", "--out")
    predict(*words, tmp_path / "whole.csv")
    whole = (tmp_path / "whole.csv").read_bytes()
    lines = whole.splitlines(keepends=True)
    part = tmp_path / "part.csv"
    for begun in (b"", lines[0], b"".join(lines[:5]), b"".join(lines[:8])[:-30], whole):
        part.write_bytes(begun)
        status, _, said = predict(*words, part)
        assert status == 0
        assert part.read_bytes() == whole
    assert "0 of 12 clips labelled, 12 were there already, 0 left out" in said


def test_answers_of_something_else_are_not_gone_on_with(made, bundle, voices, tmp_path, predict):
    out = tmp_path / "answers.csv"
    assert predict(made, voices, "--out", out)[0] == 0
    before = out.read_bytes()
    values = json.loads((bundle / ABOUT).read_text())
    values.pop("sha256")
    seal(bundle, {**values, "licences": []})
    for words, match in (
        ((bundle, voices, "--out", out), "found something else (an answer of svm-is09"),
        ((made, voices, "--out", out, "--format", "json"), "as json, found something else"),
    ):
        status, _, said = predict(*words)
        assert status == 2
        assert match in said
    assert out.read_bytes() == before


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("text", ["chapter,words\n1,2000", "one line", "{}\n{}", "[1]\n", "path,"])
def test_a_file_of_something_else_stays_as_it_is(made, voices, tmp_path, predict, text, ending):
    if (text, ending) == ("path,", "csv"):
        text = "path;"
    out = tmp_path / f"thesis.{ending}"
    out.write_text(text)
    status, _, said = predict(made, voices, "--out", out)
    assert status == 2
    assert "found something else" in said
    assert out.read_text() == text


def test_what_is_not_text_in_a_name_comes_back(made, voices, tmp_path, predict):
    strange = str(voices / "s1" / 'caf\udce9, "quoted".wav')
    shutil.copy(next(voices.rglob("*.wav")), strange)
    out = tmp_path / "answers.csv"
    for _ in range(2):
        status, _, said = predict(made, voices, "--out", out)
        assert status == 0
    assert "0 of 13 clips labelled, 13 were there already" in said


# What memory holds


def test_few_clips_are_held_at_a_time(made, monkeypatch):
    """However many there are: those that wait to be predicted, and not one more."""
    model = emobench.load_model(made)
    monkeypatch.setattr(labelling, "_CLIPS", 16)
    extracted, answered, most = 0, 0, 0
    clips = [
        Wanted(str(n), samples=sound(0.2, seed=n % 5).astype(np.float32), sample_rate=RATE)
        for n in range(100)
    ]
    extract = extracting._extract_clip

    def counted(*arguments):
        nonlocal extracted
        extracted += 1
        return extract(*arguments)

    monkeypatch.setattr(extracting, "_extract_clip", counted)
    for answer in model.answers(clips):
        answered += answer.probabilities is not None
        most = max(most, extracted - answered)
    assert answered == 100
    assert most <= 16 + extracting._CLIPS_PER_TASK


def test_a_speaker_of_many_clips_is_standardised_by_all(made, monkeypatch):
    from emobench.bundles import speakers

    clips = [
        Wanted(str(n), samples=sound(0.3, seed=n).astype(np.float32), sample_rate=RATE)
        for n in range(40)
    ]
    spoken = [replace(clip, speaker="one") for clip in clips]
    model = emobench.load_model(made)
    known = [answer.probabilities for answer in model.answers(spoken)]
    monkeypatch.setattr(speakers, "_BLOCK", 7)
    monkeypatch.setattr(labelling, "_CLIPS", 9)
    found = [answer.probabilities for answer in model.answers(spoken)]
    np.testing.assert_allclose(found, known, atol=1e-6)
    alone = [answer.probabilities for answer in model.answers(clips)]
    assert np.abs(np.array(alone) - np.array(known)).max() > 0.01


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_without_room_for_a_speaker_is_told(made, voices, predict, monkeypatch):
    import tempfile

    full = lambda: open("/dev/full", "r+b", buffering=0)  # noqa: E731, SIM115
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    status, _, said = predict(made, voices, "--speaker-from-folder")
    assert status == 1
    assert "found a full disk. Free some space, or set TMPDIR to another folder" in said


# Bundles that cannot be used


def test_a_bundle_that_is_not_there(tmp_path, predict):
    status, _, said = predict(tmp_path / "none", "a.wav")
    assert status == 1
    assert "expected the folder of a bundle, found nothing. `emobench export` makes one." in said
    status, _, said = predict(tmp_path, "a.wav")
    assert f"{tmp_path}: expected a bundle with bundle.json, found none" in said


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("model.npz", lambda content: None, r"model\.npz: expected a file of the bundle, found no"),
        ("model.npz", lambda content: content[:-50], r"model\.npz: .*cut short or was changed"),
        ("model.npz", lambda content: content[:-1] + b"!", r"cut short or was changed"),
        ("bundle.json", lambda content: None, r"expected a bundle with bundle\.json, found none"),
        ("bundle.json", lambda content: content[:200], r"bundle\.json: is damaged"),
        ("bundle.json", lambda content: b"\x00" * 9, r"bundle\.json: is damaged"),
        (
            "bundle.json",
            lambda content: content.replace(b'"sadness"', b'"joy"'),
            r"bundle\.json: was changed after it was written",
        ),
        (
            "bundle.json",
            lambda content: content.replace(b'"format": 1', b'"format": 2'),
            r"expected a bundle of format 1, found format 2, written by emobench \d",
        ),
    ],
)
def test_what_is_deleted_cut_or_changed_is_named(bundle, name, change, match):
    content = change((bundle / name).read_bytes())
    if content is None:
        (bundle / name).unlink()
    else:
        assert content != (bundle / name).read_bytes()
        (bundle / name).write_bytes(content)
    with pytest.raises(BundleError, match=match):
        emobench.load_model(bundle)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"model": "svm-is99"}, r"is of a model or front-end that is not known here.*svm-is99"),
        ({"versions": {}}, r"other versions of what computes: model svm-is09 None \(here 1\)"),
        ({"inputs": {"functionals": {"feature": "is09"}}}, r"cannot be made out"),
        ({"config": {"C": [1]}}, r"cannot be made out .*expected the options"),
        ({"labels": None}, r"cannot be made out"),
    ],
)
def test_a_bundle_of_another_version_is_refused(bundle, change, match):
    values = json.loads((bundle / ABOUT).read_text())
    values.pop("sha256")
    seal(bundle, {**values, **change})
    with pytest.raises(BundleError, match=match) as refused:
        emobench.load_model(bundle)
    assert "or use the version that made the bundle (0" in str(refused.value)


def places_of(value, where=()):
    """Yield the keys that lead to everything in a JSON object, lists left whole."""
    for key, inside in value.items():
        yield (*where, key)
        if isinstance(inside, dict) and key != "training":  # which is told, and nothing more
            yield from places_of(inside, (*where, key))


def test_no_value_of_a_bundle_makes_it_fail_in_another_way(bundle):
    original = json.loads((bundle / ABOUT).read_text())
    del original["sha256"]
    tried = refused = 0
    for where in places_of(original):
        for value in (None, "x", -1, [], [None], [1e400, -1], {"x": 1}):
            changed = json.loads(json.dumps(original))
            holder = changed
            for key in where[:-1]:
                holder = holder[key]
            holder[where[-1]] = value
            content = {key: each for key, each in changed.items() if key not in ("format", "files")}
            tried += 1
            seal(bundle, content)
            try:
                model = emobench.load_model(bundle)
                model.predict([sound().astype(np.float32)], sample_rate=RATE)
            except (BundleError, SpecError):
                refused += 1
    assert tried > 100
    assert refused > 50


def test_weights_of_something_else_are_refused(bundle):
    values = json.loads((bundle / ABOUT).read_text())
    values.pop("sha256")
    np.savez(bundle / "model.npz", classes=np.array([{"an": "object"}], dtype=object))
    seal(bundle, values)
    with pytest.raises(BundleError, match=r"expected the weights of svm-is09, found what cannot"):
        emobench.load_model(bundle).predict([np.ones(RATE)], sample_rate=RATE)


def test_an_edited_card_is_no_obstacle(bundle, caplog):
    (bundle / "README.md").write_text("my model")
    assert emobench.load_model(bundle).labels
    assert "the model card was changed after the bundle was written" in caplog.text
