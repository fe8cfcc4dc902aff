"""The utterance table: files become clips, whatever the copy on disk looks like."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
import soundfile
import trees

from emobench import corpora
from emobench.corpora.reading import durations
from emobench.corpora.reading.audio_files import scan
from emobench.corpora.registry import PACKAGED
from emobench.errors import AudioError, CorpusError
from emobench.storage import memory

REGISTRY = corpora.load_registry([PACKAGED])

MINE = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>\w+?)_(?P<emotion>[a-z]+)(?P<sentence>\d*)\.wav$
  emotions: {ang: anger, hap: happiness}
"""
FOUR = ("a_ang1.wav", "a_hap1.wav", "b_ang2.wav", "b_hap2.wav")


def read(name: str, data: Path) -> pd.DataFrame:
    return corpora.load(REGISTRY.get(name), data, data / "cache")


def define(tmp_path: Path, more: str = "", base: str = MINE) -> corpora.Corpus:
    file = tmp_path / "mine.yaml"
    file.write_text(base + more, encoding="utf-8")
    return corpora.load_registry([file]).get("mine")


def load(tmp_path: Path, more: str = "", base: str = MINE) -> pd.DataFrame:
    return corpora.load(define(tmp_path, more, base), tmp_path, tmp_path / "cache")


def test_columns_types_and_values(tmp_path):
    trees.plant(tmp_path / "mine", FOUR, seconds=0.5)
    table = load(tmp_path)
    assert tuple(table.columns) == corpora.TABLE_COLUMNS
    assert table.index.name == "id"
    assert list(table.index) == ["a_ang1", "a_hap1", "b_ang2", "b_hap2"]
    assert list(table["label"]) == ["anger", "happiness", "anger", "happiness"]
    assert list(table["emotion"]) == list(table["label"])
    assert list(table["raw_emotion"]) == ["ang", "hap", "ang", "hap"]
    assert list(table["group"]) == list(table["speaker"]) == ["a", "a", "b", "b"]
    assert list(table["sentence"]) == ["1", "1", "2", "2"]
    np.testing.assert_allclose(table["duration"], 0.5)
    for column in ("start", "end", "sex", "age", "intensity", "repetition", "transcript"):
        assert table[column].isna().all(), column
    assert all(os.path.isabs(path) and os.path.isfile(path) for path in table["path"])


def test_ids_do_not_depend_on_how_deep_the_archive_lies(tmp_path):
    trees.plant(tmp_path / "one" / "ravdess", trees.ravdess())
    trees.plant(tmp_path / "two" / "RAVDESS" / "x" / "y z", trees.ravdess())
    one, two = (read("ravdess", tmp_path / root) for root in ("one", "two"))
    pd.testing.assert_frame_equal(
        one.drop(columns=["path", "duration"]), two.drop(columns=["path", "duration"])
    )
    assert one.index[0] == "03-01-01-01-01-01-01"


def test_ravdess_twice_and_with_song(tmp_path):
    trees.plant(tmp_path / "ravdess", trees.ravdess())
    trees.copy(tmp_path / "ravdess", tmp_path / "ravdess" / "audio_speech_actors_01-24")
    trees.plant(tmp_path / "ravdess" / "song", trees.ravdess("02"))
    reading = corpora.open_corpus(REGISTRY.get("ravdess"), tmp_path)
    assert len(reading.clips) == len(reading.duplicates) == 1440
    assert reading.dropped == {"song": 1012}
    assert reading.duplicates[0] == (
        "03-01-01-01-01-01-01",
        "Actor_01/03-01-01-01-01-01-01.wav",
        "audio_speech_actors_01-24/Actor_01/03-01-01-01-01-01-01.wav",
    )
    assert len(read("ravdess:song", tmp_path)) == 1012
    assert len(read("ravdess:speech+song", tmp_path)) == 2452
    table = read("ravdess", tmp_path)
    assert set(table["label"]) == set(REGISTRY.get("ravdess").labels)
    assert table.loc["03-01-02-02-01-02-08"].to_dict() | {"path": "", "duration": 0} == {
        **dict.fromkeys(("path",), ""),
        **{"start": pytest.approx(np.nan, nan_ok=True), "end": pytest.approx(np.nan, nan_ok=True)},
        **{"label": "other", "emotion": "other", "raw_emotion": "calm", "speaker": "08"},
        **{"group": "08", "sex": "female", "age": None, "sentence": "01", "intensity": "strong"},
        **{"repetition": "02", "transcript": "Kids are talking by the door", "duration": 0},
        **{"modality": "03", "channel": "01"},
    }


def test_tess_in_folders_with_a_slip_of_the_pen(tmp_path):
    flat = [name for name in trees.tess() if not name.startswith("OAF_bite")]
    folders = {"ps": "Pleasant_surprise", "fear": "Fear"}
    names = []
    for name in flat:
        speaker, _, emotion = name.removesuffix(".wav").split("_")
        names.append(f"TESS data/{speaker}_{folders.get(emotion, emotion)}/{name}")
    names[0] = "TESS data/OAF_neutral/OA_bite_neutral.wav"
    trees.plant(tmp_path / "tess", names)
    table = read("tess", tmp_path)
    assert set(table["speaker"]) == {"OAF", "YAF"}
    slip = table.loc["OA_bite_neutral"]
    assert (slip["speaker"], slip["age"], slip["transcript"]) == ("OAF", 64, "Say the word bite")
    surprised = table[table["raw_emotion"] == "pleasant surprise"]
    assert set(surprised["label"]) == {"surprise"}
    assert set(table["sex"]) == {"female"}


@pytest.mark.parametrize("joint", ["/", "_"])
def test_savee_flat_or_in_folders(tmp_path, joint):
    trees.plant(tmp_path / "SAVEE", trees.savee(joint))
    table = read("savee", tmp_path)
    assert len(table) == 480
    assert table.loc["KL_su15", ["speaker", "label"]].tolist() == ["KL", "surprise"]
    assert table.loc["DC_a01", "sex"] == "male"


def test_cafe_with_garbled_folders(tmp_path):
    trees.plant(tmp_path / "cafe", trees.cafe())
    root = os.fsencode(tmp_path / "cafe")
    os.rename(root + b"/C", root + b"/Col\x8are")  # as an unpacker that knows no code pages does
    os.rename(root + b"/D", root + "/Dégoût".encode())
    os.rename(root + b"/J", root + unicodedata.normalize("NFD", "/Jöie").encode())
    table = read("cafe", tmp_path)
    assert len(table) == 936
    angry = table.loc["01-C-2-3"]
    assert (angry["label"], angry["sex"], angry["intensity"]) == ("anger", "male", "strong")
    assert Path(angry["path"]).is_file()
    assert angry["duration"] > 0
    assert table.loc["02-N-1-6", "transcript"] == "Six ours aimants domestiqués"


def test_crema_d_drops_the_clip_without_sound(tmp_path):
    trees.plant(tmp_path / "crema-d", trees.crema_d())
    (tmp_path / "crema-d" / "VideoDemographics.csv").write_text(
        "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n"
        "1076,25,Female,African American,Not Hispanic\n"
    )
    reading = corpora.open_corpus(REGISTRY.get("CREMA-D"), tmp_path)
    assert reading.dropped == {"holds no audio signal": 1}
    table = read("crema-d", tmp_path)
    assert "1076_MTI_SAD_XX" not in table.index
    assert "1076_MTI_NEU_XX" in table.index
    assert table.loc["1001_IEO_ANG_HI", ["sex", "age", "intensity"]].tolist() == [
        "male",
        51,
        "high",
    ]
    assert table.loc["1076_DFA_SAD_XX", "transcript"] == "Don't forget a jacket"
    assert table["age"].dtype == "Int64"


def test_crema_d_without_its_speaker_table(tmp_path):
    trees.plant(tmp_path / "CREMA-D", trees.crema_d())
    assert read("crema-d", tmp_path)["sex"].isna().all()


def test_enterface_is_read_from_folders(tmp_path):
    trees.plant(tmp_path / "enterface", trees.enterface05())
    reading = corpora.open_corpus(REGISTRY.get("enterface05"), tmp_path)
    assert reading.files == 1293
    assert list(reading.dropped.values()) == [6]
    table = read("enterface05", tmp_path)
    assert table.loc["subject 11/anger/sentence 1/s12_an_1", "speaker"] == "11"
    assert table.loc["subject 12/anger/sentence 1/s12_an_1", "speaker"] == "12"


def test_demos_keeps_the_prototypical_clips(tmp_path):
    names = ["DEMOS/PR_m_23_tri00a.wav", "DEMOS/NP_f_61_gio02c.wav", "NEU/m_68_neu05b.wav"]
    trees.plant(tmp_path / "demos", [*names, "DEMOS/PR_f_61_col02c.wav"])
    table = read("demos", tmp_path)
    assert list(table["label"]) == ["other", "sadness"]
    assert list(table["sex"]) == ["female", "male"]
    assert table.loc["PR_f_61_col02c", "raw_emotion"] == "guilt"


def test_shemo_drops_fear_and_not_women(tmp_path):
    trees.plant(tmp_path / "shemo", ["female/F01F01.wav", "female/F01A01.wav", "male/M02W09.wav"])
    table = read("shemo", tmp_path)
    assert list(table.index) == ["F01A01", "M02W09"]
    assert list(table["label"]) == ["anger", "surprise"]
    assert list(table["sex"]) == ["female", "male"]


def test_emofilm_takes_languages_for_speakers(tmp_path):
    trees.plant(tmp_path / "emofilm", ["wav_corpus/f_ans001aen.wav", "wav_corpus/m_dis002ces.wav"])
    table = read("emofilm", tmp_path)
    assert list(table["speaker"]) == ["en", "es"]
    assert table.loc["m_dis002ces", ["label", "raw_emotion"]].tolist() == ["disgust", "contempt"]


def test_first_of_two_files_with_one_id_is_used(tmp_path):
    trees.plant(tmp_path / "mine" / "b", FOUR, seconds=0.2)
    trees.copy(tmp_path / "mine" / "b", tmp_path / "mine" / "a")
    table = load(tmp_path)
    assert len(table) == 4
    assert table.loc["a_ang1", "path"].endswith("/mine/a/a_ang1.wav")


def test_names_of_the_system_are_passed_over(tmp_path):
    trees.plant(tmp_path / "mine", [*FOUR, "._a_ang1.wav", ".cache/a_ang9.wav"])
    assert len(load(tmp_path)) == 4


def test_links_are_followed_once(tmp_path):
    trees.plant(tmp_path / "elsewhere" / "deep", FOUR)
    (tmp_path / "mine").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "elsewhere" / "deep" / "again").symlink_to(tmp_path / "elsewhere")
    assert len(load(tmp_path)) == 4


def test_extension_in_capitals(tmp_path):
    trees.plant(tmp_path / "mine", [name.upper().replace(".WAV", ".Wav") for name in FOUR])
    base = MINE.replace("[a-z]+", "[A-Z]+").replace("ang:", "ANG:").replace("hap:", "HAP:")
    assert list(load(tmp_path, base=base).index) == ["A_ANG1", "A_HAP1", "B_ANG2", "B_HAP2"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_letters_beyond_ascii_in_either_normal_form(tmp_path, form):
    names = ["Jörg (1) [x]_Wut.wav", "Zoë_Wut.wav", "Zoë_Freude über.wav"]
    trees.plant(tmp_path / "mine", [unicodedata.normalize(form, name) for name in names])
    base = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[^_]+)_(?P<emotion>.+)\.wav$
  emotions: {Wut: anger, Freude über: happiness}
"""
    base = unicodedata.normalize("NFC" if form == "NFD" else "NFD", base)
    table = load(tmp_path, base=base)
    assert list(table["speaker"]) == ["Jörg (1) [x]", "Zoë", "Zoë"]
    assert list(table["label"]) == ["anger", "happiness", "anger"]
    assert Path(table.loc["Zoë_Wut", "path"]).is_file()


def test_globs(tmp_path):
    trees.plant(tmp_path, ["a/AudioWAV/x.WAV", "AudioWAV/y.wav", "AudioMP3/z.wav", "y.mp3"])

    def found(*globs: str, ignored: tuple[str, ...] = ()) -> list[str]:
        return [file.relative for file in scan(tmp_path, globs, ignored)]

    assert found("AudioWAV/*.wav") == ["AudioWAV/y.wav", "a/AudioWAV/x.WAV"]
    assert found("*.mp3", "z.*") == ["AudioMP3/z.wav", "y.mp3"]
    assert found("a/**/*.wav") == ["a/AudioWAV/x.WAV"]
    assert found("*.wav", ignored=("AudioWAV/*",)) == ["AudioMP3/z.wav"]
    assert found("?.mp3") == ["y.mp3"]
    assert found("udioWAV/*.wav") == []


def test_strangers_are_named_with_file_entry_key_and_line(tmp_path):
    trees.plant(tmp_path / "mine", [*FOUR, *(f"noise {number}.wav" for number in range(7))])
    with pytest.raises(CorpusError) as caught:
        load(tmp_path)
    told = str(caught.value)
    assert "mine.yaml, line 4: mine.pattern: expected the expression to match every file" in told
    assert "found 7 that it does not: noise 0.wav, noise 1.wav" in told
    assert "noise 4.wav and 2 more." in told
    assert "noise 5.wav" not in told
    assert len(load(tmp_path, "  ignore: 'noise *.wav'\n")) == 4


def test_labels_in_folder_names(tmp_path):
    names = ["angry/Jo (1).wav", "angry/Al (2).wav", "very happy/Jo (1).wav"]
    trees.plant(tmp_path / "mine", names)
    base = r"""
mine:
  title: Mine
  pattern: (?:^|/)(?P<emotion>[^/]+)/(?P<speaker>\w+) \((?P<sentence>\d)\)\.wav$
  emotions: {angry: anger, very happy: happiness}
"""
    with pytest.raises(CorpusError, match=r"It holds a '/': write `match: path`"):
        load(tmp_path, base=base)
    table = load(tmp_path, "  match: path\n", base)
    assert list(table.index) == ["angry/Al (2)", "angry/Jo (1)", "very happy/Jo (1)"]
    assert list(table["label"]) == ["anger", "anger", "happiness"]


def test_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    trees.plant(tmp_path / "mine" / "locked", FOUR)
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CorpusError, match=r"locked: expected a folder that can be read"):
        load(tmp_path)


def test_unmapped_code_is_named_with_its_line(tmp_path):
    trees.plant(tmp_path / "mine", [*FOUR, "c_hep1.wav"])
    with pytest.raises(CorpusError, match=r"line 5: mine\.emotions: .* found 'hep' in 1 file: "):
        load(tmp_path)
    with pytest.raises(CorpusError, match=r"c_hep1\.wav\. Did you mean 'hap'\?"):
        load(tmp_path)
    table = load(tmp_path, "  drop: [{where: {emotion: [hep, x], speaker: c}, reason: typing}]\n")
    assert len(table) == 4


def test_folder_without_audio(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(CorpusError, match=r"mine: expected audio files like \*\.wav .*found none"):
        load(tmp_path)


def test_absent_folder_says_where_it_looked(tmp_path):
    (tmp_path / "tess").mkdir()
    with pytest.raises(CorpusError, match=r"expected a folder 'mine', found tess\. Unpack"):
        load(tmp_path)
    with pytest.raises(CorpusError, match=r"'savee', found .*licence at http://kahlan"):
        read("savee", tmp_path)
    with pytest.raises(CorpusError, match=r"nowhere: expected the folder .* Correct --data"):
        read("savee", tmp_path / "nowhere")


def test_data_folder_comes_from_the_environment(tmp_path, monkeypatch):
    trees.plant(tmp_path / "mine", FOUR)
    corpus = define(tmp_path)
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)
    with pytest.raises(CorpusError, match=r"Pass --data DIR; the corpus belongs in DIR/mine"):
        corpora.load(corpus)
    assert corpora.find(corpus, None) is None
    monkeypatch.setenv("EMOBENCH_DATA", str(tmp_path))
    assert corpora.find(corpus, None) == tmp_path / "mine"
    assert len(corpora.load(corpus, cache=tmp_path / "cache")) == 4


def test_labels_from_a_table_alone(tmp_path):
    trees.plant(tmp_path / "mine", ["wavs/0 1.wav", "wavs/02.WAV", "wavs/03.wav"])
    (tmp_path / "mine" / "labels.tsv").write_text(
        dedent("""\
        made by hand
        File \tWho\tHow\tYears
        0 1.wav\tAnn\thappy\t31.5
        02.WAV\tBob\tangry\t
        03.wav\tBob\tbored\t40
        """),
        encoding="utf-8-sig",
    )
    base = """
mine:
  title: Mine
  emotions: {happy: happiness, angry: anger}
  drop: [{where: {emotion: bored}, reason: not wanted}]
  tables:
    - file: labels.tsv
      skip: 1
      key: {name: File}
      columns: {speaker: Who, emotion: How, age: Years}
"""
    table = load(tmp_path, base=base)
    assert list(table.index) == ["wavs/0 1", "wavs/02"]
    assert list(table["speaker"]) == ["Ann", "Bob"]
    assert list(table["label"]) == ["happiness", "anger"]
    assert table["age"].isna().tolist() == [False, True]


TABLE = "  tables: [{file: who.csv, key: {speaker: Who}, columns: {sex: Sex}}]\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"line 6: mine\.tables\.0\.file: expected a file who\.csv somewhere below"),
        (
            "Wo,Sex\na,m\n",
            r"key\.speaker: expected one .* Wo, Sex, found 'Who'\. Did you mean 'Wo'",
        ),
        ("Who\na\n", r"columns\.sex: expected one of the table's columns Who, found 'Sex'"),
        ("", r"columns \(none\), found 'Who'"),
        ("Who,Sex\na,m\na,f\n", r"who\.csv, line 3: expected one row for a, found a second"),
        ("Who,Sex\na,Herr\n", r"expected female or male, found 'Herr' in 2 files: a_ang1"),
        (b"Who,Sex\nJ\xf6rg,m\n", r"expected a table in utf-8 .* Correct `encoding:`"),
    ],
)
def test_mistakes_of_a_side_table(tmp_path, content, message):
    trees.plant(tmp_path / "mine", FOUR)
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "mine" / "who.csv").write_bytes(data)
    with pytest.raises(CorpusError, match=message):
        load(tmp_path, TABLE)


def test_table_without_a_speaker_for_some(tmp_path):
    trees.plant(tmp_path / "mine", FOUR)
    (tmp_path / "mine" / "who.csv").write_text("Id,Who\na_ang1,Ann\n")
    base = MINE.replace("(?P<speaker>", "(?:")
    more = "  tables: [{file: who.csv, key: {id: Id}, columns: {speaker: Who}}]\n"
    with pytest.raises(CorpusError, match=r"mine\.tables: expected 'speaker' .* for 3: a_hap1"):
        load(tmp_path, more, base)


def test_age_that_is_no_number(tmp_path):
    trees.plant(tmp_path / "mine", FOUR)
    with pytest.raises(CorpusError, match=r"expected ages in years, found 'old'"):
        load(tmp_path, "  defaults: {age: old}\n")


def test_values_defaults_and_further_columns(tmp_path):
    trees.plant(tmp_path / "mine", [*FOUR, "b_ang.wav"])
    more = (
        "  values:\n    sex: {from: speaker, map: {a: F}, otherwise: m}\n"
        "    age: {from: speaker, map: {a: 30}}\n    speaker: {map: {a: Ann}}\n"
        "  defaults: {transcript: 'Item {sentence}', room: lab}\n  extra: [room]\n"
    )
    table = load(tmp_path, more)
    assert list(table["speaker"]) == ["Ann", "Ann", "b", "b", "b"]
    assert list(table["sex"]) == ["female", "female", "male", "male", "male"]
    assert table.loc["a_ang1", "age"] == 30
    assert table.loc["b_ang", ["age", "transcript", "sentence"]].isna().all()
    assert table.loc["b_ang2", "transcript"] == "Item 2"
    assert set(table["room"]) == {"lab"}


def test_training_on_the_raw_emotion(tmp_path):
    trees.plant(tmp_path / "mine", FOUR)
    base = MINE.replace("ang: anger", "ang: rage -> anger")
    table = load(tmp_path, "  train_on: raw_emotion\n", base)
    assert list(table["label"]) == ["rage", "happiness", "rage", "happiness"]
    assert list(table["emotion"]) == ["anger", "happiness", "anger", "happiness"]


@pytest.fixture
def settled(monkeypatch):
    """Let looks at files be remembered that were written a moment ago."""
    monkeypatch.setattr(memory, "_SETTLED_NS", -(10**12))


def test_durations_are_those_of_soundfile_and_are_remembered(tmp_path, monkeypatch, settled):
    trees.plant(tmp_path / "mine", FOUR[:3], seconds=0.25)
    soundfile.write(tmp_path / "mine" / FOUR[3], np.zeros((4410, 2)), 44_100)
    table = load(tmp_path)
    expected = [soundfile.info(path).duration for path in table["path"]]
    np.testing.assert_allclose(table["duration"], expected)

    asked = []

    def asked_for(file):
        asked.append(file.name)
        raise AudioError("broken")

    monkeypatch.setattr(durations, "_header", asked_for)
    pd.testing.assert_frame_equal(load(tmp_path), table)
    assert asked == []
    os.utime(table["path"].iloc[1], (1, 1))
    assert np.isnan(load(tmp_path)["duration"].iloc[1])
    assert asked == [FOUR[1]]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 1}', '{"version": 1, "files": 3}'])
def test_damaged_memory_is_read_anew(tmp_path, damage, settled):
    trees.plant(tmp_path / "mine", FOUR, seconds=0.25)
    load(tmp_path)
    (kept,) = (tmp_path / "cache" / "headers").iterdir()
    kept.write_text(damage)
    np.testing.assert_allclose(load(tmp_path)["duration"], 0.25)


def test_memory_that_cannot_be_written_only_costs_time(tmp_path, caplog, settled):
    trees.plant(tmp_path / "mine", FOUR, seconds=0.25)
    (tmp_path / "cache").write_text("a file, not a folder")
    np.testing.assert_allclose(load(tmp_path)["duration"], 0.25)
    assert "headers are not remembered" in caplog.text


def test_file_without_a_header_stays_in_the_table(tmp_path):
    trees.plant(tmp_path / "mine", FOUR)
    (tmp_path / "mine" / FOUR[0]).write_bytes(b"")
    (tmp_path / "mine" / FOUR[1]).unlink()
    (tmp_path / "mine" / FOUR[1]).symlink_to(tmp_path / "nowhere.wav")
    assert load(tmp_path)["duration"].isna().tolist() == [True, True, False, False]
