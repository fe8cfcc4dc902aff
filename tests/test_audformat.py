"""Databases in audformat, read and written, with the real package as the other side."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from trees import wav_bytes

from emobench.cli import main
from emobench.corpora import load_registry
from emobench.corpora.opening import read
from emobench.corpora.proposal import propose
from emobench.errors import CorpusError
from emobench.run_options import Selection
from emobench.runs import execute, plan

audformat = pytest.importorskip("audformat", reason="needs audformat, which makes the databases")
import pandas as pd  # noqa: E402 -- after audformat, which brings it

# What audformat calls in pandas, which is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in:DeprecationWarning")

SPEAKERS = {"anna": {"gender": "female", "age": 31}, "ben": {"gender": "male", "age": 45}}
TEXTS = {"a01": "Der Lappen liegt auf dem Eisschrank.", "b02": "Das will sie am Mittwoch abgeben."}
FILES = [
    f"audio/{speaker}_{text}_{take}.wav"
    for speaker in SPEAKERS
    for text in TEXTS
    for take in (1, 2)
]
EMOTIONS = ["happy", "angry"] * 4


def database(*, segments: bool = False, texts: bool = True) -> audformat.Database:
    """A database with emotions in one table, and speakers and texts in another."""
    made = audformat.Database("mine", usage=audformat.define.Usage.RESEARCH, license="CC0-1.0")
    made.languages = ["deu"]
    made.schemes["emotion"] = audformat.Scheme(labels=["happy", "angry"])
    made.schemes["speaker"] = audformat.Scheme(labels=SPEAKERS)
    made.schemes["transcription"] = audformat.Scheme(labels=TEXTS)
    whole = audformat.filewise_index(FILES)
    files = made["files"] = audformat.Table(whole)
    files["speaker"] = audformat.Column(scheme_id="speaker")
    files["speaker"].set([Path(file).name.split("_")[0] for file in FILES])
    if texts:
        files["transcription"] = audformat.Column(scheme_id="transcription")
        files["transcription"].set([Path(file).name.split("_")[1] for file in FILES])
    index = whole
    if segments:
        index = audformat.segmented_index(
            [file for file in FILES for _ in (0, 1)],
            ["0s", "0.1s"] * len(FILES),
            ["0.1s", pd.NaT] * len(FILES),
        )
    labels = made["emotion"] = audformat.Table(index)
    labels["emotion"] = audformat.Column(scheme_id="emotion")
    labels["emotion"].set(EMOTIONS * (2 if segments else 1))
    labels["emotion.confidence"] = audformat.Column()
    labels["emotion.confidence"].set([0.5] * len(index))
    return made


def saved(folder: Path, made: audformat.Database, storage: str = "csv") -> Path:
    for number, file in enumerate(FILES):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(wav_bytes(seconds=0.3 + 0.01 * number))
    made.save(str(folder), storage_format=storage)
    return folder


def proposed(folder: Path):
    """The clips that a user reads who proposes an entry and uses it."""
    entry = propose(folder, audformat=True)
    assert entry.ready, entry.text
    file = folder.parent / "entry.yaml"
    file.write_text(entry.text)
    corpus = load_registry([file]).get(entry.name)
    reading = read(corpus, folder)
    reading.raise_problems()
    return corpus, reading


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_a_database_becomes_an_entry(tmp_path, storage):
    made = database()
    corpus, reading = proposed(saved(tmp_path / "mine", made, storage))
    assert (corpus.title, corpus.language, corpus.licence) == ("mine", "deu", "CC0-1.0")
    assert corpus.reader == "audformat-texts"
    assert corpus.has_transcripts
    facts = {clip.file.relative: clip.facts for clip in reading.clips}
    for file, emotion in made["emotion"]["emotion"].get().items():
        speaker = made["files"]["speaker"].get()[file]
        assert facts[file]["raw_emotion"] == emotion
        assert facts[file]["emotion"] == {"happy": "happiness", "angry": "anger"}[emotion]
        assert facts[file]["speaker"] == speaker
        assert facts[file]["sex"] == SPEAKERS[speaker]["gender"]
        assert facts[file]["age"] == str(SPEAKERS[speaker]["age"])
        assert facts[file]["transcript"] == TEXTS[facts[file]["sentence"]]


def test_a_database_that_tells_no_text_promises_none(tmp_path):
    corpus, reading = proposed(saved(tmp_path / "mine", database(texts=False)))
    assert (corpus.reader, corpus.has_transcripts) == ("audformat", False)
    assert all("transcript" not in clip.facts for clip in reading.clips)


def test_segments_are_clips(tmp_path):
    _, reading = proposed(saved(tmp_path / "mine", database(segments=True)))
    spans = [(clip.start, clip.end) for clip in reading.clips if clip.file.relative == FILES[0]]
    assert spans == [(0.0, 0.1), (0.1, None)]
    assert {clip.id for clip in reading.clips} >= {"audio/anna_a01_1-0-100", "audio/anna_a01_1-100"}
    assert len({clip.id for clip in reading.clips}) == 16
    assert {clip.facts["speaker"] for clip in reading.clips} == set(SPEAKERS)


def test_speakers_may_stand_in_a_table_of_labels(tmp_path):
    made = database()
    table = made["people"] = audformat.MiscTable(
        pd.Index(list(SPEAKERS), name="speaker", dtype="string")
    )
    table["sex"] = audformat.Column()
    table["sex"].set(["female", "male"])
    made.schemes["speaker"] = audformat.Scheme("str", labels="people")
    _, reading = proposed(saved(tmp_path / "mine", made))
    assert {(clip.facts["speaker"], clip.facts["sex"]) for clip in reading.clips} == {
        *(("anna", "female"), ("ben", "male"))
    }


def test_what_is_not_labelled_is_counted_and_what_is_not_there_is_said(tmp_path):
    folder = saved(tmp_path / "mine", database())
    (folder / "audio" / "stranger.wav").write_bytes(wav_bytes(seconds=0.5))
    (folder / FILES[0]).unlink()
    _, reading = proposed(folder)
    assert reading.dropped == {"the database gives it no emotion": 1}
    assert len(reading.clips) == len(FILES) - 1
    assert "found none for 1 file: audio/anna_a01_1.wav" in reading.gaps[0]


def test_tables_that_contradict_each_other_are_named(tmp_path):
    made = database()
    other = made["other"] = audformat.Table(audformat.filewise_index(FILES[:1]))
    other["emotion"] = audformat.Column(scheme_id="emotion")
    other["emotion"].set(["angry"])
    entry = propose(saved(tmp_path / "mine", made), audformat=True)
    assert not entry.ready
    assert "expected emotion 'happy' for audio/anna_a01_1.wav" in entry.verdict


def test_folders_that_are_no_database_are_explained(tmp_path):
    folder = saved(tmp_path / "mine", database())
    (folder / "db.emotion.pkl").write_bytes(b"")
    with pytest.raises(CorpusError, match="found pickles, which can run code"):
        propose(folder, audformat=True)
    (folder / "db.emotion.pkl").unlink()
    (folder / "db.yaml").write_text("tables: [")
    with pytest.raises(CorpusError, match=r"db\.yaml: expected a database that audformat can read"):
        propose(folder, audformat=True)
    (folder / "db.yaml").unlink()
    with pytest.raises(CorpusError, match=r"expected one database of audformat.*found none"):
        propose(folder, audformat=True)


def test_a_database_without_speakers_is_not_ready(tmp_path):
    made = database(texts=False)
    del made.tables["files"]
    entry = propose(saved(tmp_path / "mine", made), audformat=True)
    assert not entry.ready
    assert "No column of the database is called 'speaker'" in " ".join(entry.text.split("\n#"))


# Written ------------------------------------------------------------------------------------------


def write(tmp_path: Path, name: str, folder: Path, out: Path) -> int:
    arguments = ["utterances", name, "--data", str(folder.parent), "--audformat", str(out)]
    arguments += ["--datasets", str(tmp_path / "entry.yaml"), "--cache", str(tmp_path / "cache")]
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code or 0


@pytest.mark.parametrize("segments", [False, True])
def test_what_is_written_is_read_as_it_was(tmp_path, segments, capsys):
    folder = saved(tmp_path / "mine", database(segments=segments))
    _, first = proposed(folder)
    assert write(tmp_path, "mine", folder, tmp_path / "out") == 0
    assert "absolute, as the sound lies elsewhere" in capsys.readouterr().out
    written = audformat.Database.load(str(tmp_path / "out"))
    frame = written["utterances"].df
    assert written.license == "CC0-1.0"
    assert list(written.languages) == ["deu"]
    by_clip = {(clip.file.path, clip.start or 0.0, clip.end): clip.facts for clip in first.clips}
    assert len(frame) == len(by_clip)
    for index, row in frame.iterrows():
        file, start, end = index if segments else (index, pd.Timedelta(0), pd.NaT)
        facts = by_clip[file, start.total_seconds(), None if pd.isna(end) else end.total_seconds()]
        assert row["emotion"] == facts["emotion"]
        assert row["emotion.original"] == facts["raw_emotion"]
        assert (row["speaker"], row["gender"]) == (facts["speaker"], facts["sex"])
        assert str(row["age"]) == facts["age"]
        assert row["transcription"] == facts["transcript"]


BY_NAMES = r"""
mine:
  title: By the names of its files
  pattern: '(?P<speaker>[a-z]+)_(?P<emotion>a01|b02)_(?P<repetition>\d)\.wav'
  emotions: {a01: anger, b02: boredom -> other}
"""


def test_written_beside_the_sound_it_is_a_corpus_again(tmp_path, capsys):
    folder = tmp_path / "mine"
    for number, file in enumerate(FILES):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(wav_bytes(seconds=0.3 + 0.01 * number))
    (tmp_path / "entry.yaml").write_text(BY_NAMES)
    assert write(tmp_path, "mine", folder, folder) == 0
    assert "relative to it" in capsys.readouterr().out
    corpus, reading = proposed(folder)
    assert corpus.title == "mine"
    for clip in reading.clips:
        speaker, code, repetition = clip.file.stem.split("_")
        assert clip.facts["emotion"] == {"a01": "anger", "b02": "other"}[code]
        assert (clip.facts["speaker"], clip.facts["repetition"]) == (speaker, repetition)
    assert len(reading.clips) == len(FILES)
    assert write(tmp_path, "mine", folder, folder) == 2
    assert "expected no database here, found one" in capsys.readouterr().err


def test_stored_predictions_stand_beside_the_clips(tiny_data, tiny_places, tmp_path, capsys):
    selection = Selection("svm-is09", "tiny", "smoke", folds=(0,))
    summary = execute(plan(selection, tiny_places), tiny_places)
    assert summary.failures == {}
    [parquet] = tiny_places.results.rglob("*.parquet")
    stored = pd.read_parquet(parquet).set_index("id")
    sound = tmp_path / "tiny"
    shutil.copytree(tiny_data / "tiny", sound)  # to be written to
    words = ["utterances", "tiny", "--data", tmp_path, "--results", tiny_places.results]
    words += ["--datasets", tiny_places.datasets[0], "--cache", tmp_path / "cache"]
    words += ["--audformat", sound, "--protocol", "smoke", "--model", "svm-is09"]

    def call(*more: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            main([*map(str, words), *more])
        told = capsys.readouterr()
        return stop.value.code or 0, told.out + told.err

    status, said = call()
    assert status == 1
    assert "expected a complete result, found none, but tiny svm-is09" in said
    assert not (sound / "db.yaml").exists()
    status, said = call("--partial")
    assert status == 0
    assert f"svm-is09.1: what is predicted of {len(stored)} of them" in said
    database = audformat.Database.load(str(sound))
    frame = database["svm-is09.1"].get()
    ids = database["utterances"].get()["id"]
    assert len(ids) > len(frame) == len(stored)
    stored = stored.loc[ids[frame.index]]
    assert list(frame["predicted"]) == list(stored["predicted"])
    assert set(frame["fold"]) == {"0"}
    for name in ("p_anger", "p_sadness"):
        np.testing.assert_allclose(frame[name], stored[name], atol=1e-7)
    rater = database.raters[database["svm-is09.1"]["predicted"].rater_id]
    assert rater.type == "machine"
    assert "svm-is09, protocol smoke, repetition 1" in rater.description
    _, reading = proposed(sound)  # what is predicted is not taken for what was said
    emotions = {clip.file.relative: clip.facts["emotion"] for clip in reading.clips}
    assert emotions == dict(database["utterances"].get()["emotion"])


def test_predictions_need_a_database_to_be_written_to(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["utterances", "demo", "--model", "svm-is09"])
    assert stop.value.code == 2
    assert "--model: expected --audformat FOLDER" in capsys.readouterr().err


# Folders of Hugging Face's datasets ---------------------------------------------------------------


def audio_folder(root: Path, parts: dict[str, list[str]], kind: str) -> Path:
    for part, files in parts.items():
        rows = []
        for file in files:
            where = root / part / file
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(wav_bytes(seconds=0.3 + 0.001 * len(rows) + 0.01 * len(part)))
            number = int(Path(file).stem)
            emotion = ["anger", "happiness", "sadness"][number % 3]
            rows.append({"file_name": file, "emotion": emotion, "speaker_id": f"p{number // 6}"})
        table = pd.DataFrame(rows)
        if kind == "csv":
            table.to_csv(root / part / "metadata.csv", index=False)
        else:
            table.to_json(root / part / "metadata.jsonl", orient="records", lines=True)
    return root


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(
    "parts",
    [
        {"": [f"data/{number:03d}.wav" for number in range(24)]},
        {
            "train": [f"{number:03d}.wav" for number in range(18)],
            "test": [f"{number:03d}.wav" for number in range(18, 24)],
        },
    ],
    ids=["one table", "one in each split"],
)
def test_an_audio_folder_is_read_by_its_metadata(tmp_path, parts, kind):
    folder = audio_folder(tmp_path / "hub", parts, kind)
    entry = propose(folder)
    assert entry.ready, entry.text
    file = tmp_path / "entry.yaml"
    file.write_text(entry.text)
    reading = read(load_registry([file]).get(entry.name), folder)
    reading.raise_problems()
    assert len(reading.clips) == 24
    for clip in reading.clips:
        number = int(clip.file.stem)
        assert clip.facts["emotion"] == ["anger", "happiness", "sadness"][number % 3]
        assert clip.facts["speaker"] == f"p{number // 6}"
