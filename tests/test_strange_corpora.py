"""Corpora as people have them: two files with one id, other channels, clips that nothing takes."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from pathlib import Path

import grammars
import numpy as np
import pytest
import soundfile
import trees

from emobench import audio, cli, corpora, features
from emobench.corpora.registry import PACKAGED
from emobench.errors import CorpusError

REGISTRY = corpora.load_registry([PACKAGED])
RATE = 16_000

MINE = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[a-z]+)_(?P<emotion>angry|happy|sad)_\d+\.wav$
  emotions: {angry: anger, happy: happiness, sad: sadness}
"""


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Check a corpus as a user does; return the exit status and all that is said."""
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)

    def checked(name: str, *words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["check", name, "--data", str(tmp_path), *words])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return ended.value.code, said.out + said.err

    return checked


@pytest.fixture
def mine(tmp_path, check):
    """A small corpus: its folder, how to check it, and how to read it."""
    folder = tmp_path / "mine"
    names = [
        f"{who}_{what}_{n}.wav" for who in ("a", "b") for what in ("angry", "sad") for n in "12"
    ]
    trees.plant(folder, names)
    file = tmp_path / "mine.yaml"

    class Mine:
        def __init__(self) -> None:
            self.folder = folder

        def describe(self, more: str = "", text: str = MINE) -> None:
            file.write_text(text + more)

        def check(self, *words: str) -> tuple[int, str]:
            return check("mine", "--datasets", str(file), *words)

        def load(self):
            corpus = corpora.load_registry([file]).get("mine")
            return corpora.load(corpus, tmp_path, tmp_path / "cache")

    made = Mine()
    made.describe()
    return made


def emo_db(folder: Path, where: str = "wav") -> list[str]:
    """Write the 535 names of EMO-DB's first release; return them."""
    names = [f"{where}/{leaf.path.rpartition('/')[2]}" for leaf in grammars.emo_db()]
    trees.plant(folder, names)
    return names


# One id, several files ----------------------------------------------------------------------------


def test_laryngograms_beside_the_speech_are_left_out_with_a_reason(tmp_path, check):
    names = emo_db(tmp_path / "emo-db")
    trees.plant(tmp_path / "emo-db", (name.replace("wav/", "laryngo/", 1) for name in names))
    _, out = check("emo-db")
    assert f"left out by the registry: {len(names):,} (laryngogram, no speech)" in out
    table = corpora.load(REGISTRY.get("emo-db"), tmp_path, tmp_path / "cache")
    assert len(table) == len(names)
    assert all(Path(path).parent.name == "wav" for path in table["path"])


def test_more_recordings_than_the_first_release_had_are_a_variant(tmp_path, check):
    """Release 2.0 holds 816 recordings, 535 of which were released at first."""
    every = itertools.product(
        ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16"),
        ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"),
        "WLEAFTN",
        "ab",
    )
    names = ["".join(parts) for parts in every][:816]
    trees.plant(tmp_path / "emo-db" / "wav", (f"{name}.wav" for name in names))
    found = corpora.load(REGISTRY.get("emo-db:2.0"), tmp_path, tmp_path / "cache")
    assert sorted(found.index) == sorted(names)
    status, out = check("emo-db")
    assert status == 1
    assert "not ok: 816 clips instead of 535. Remove what does not belong to the corpus" in out
    assert "or check the variant that it is: emo-db:2.0, EMO-DB 2.0 (all 816 recordings); " in out


def test_different_recordings_of_one_name_stop_check_and_run(mine):
    trees.plant(mine.folder / "other", ["a_angry_1.wav", "b_sad_2.wav"])
    shutil.copy(mine.folder / "a_sad_1.wav", mine.folder / "other")
    status, out = mine.check()
    assert status == 1
    assert (
        "mine.yaml, line 4: mine.pattern: expected one recording for each id, found 2 files with "
        "the id of another and different content: 'a_angry_1' is a_angry_1.wav and "
        "other/a_angry_1.wav; 'b_sad_2' is b_sad_2.wav and other/b_sad_2.wav." in out
    )
    assert "`ignore: other/**`" in out
    assert "other: 1 that holds the same as in the corpus folder" in out
    with pytest.raises(CorpusError, match=r"a_angry_1\.wav and other/a_angry_1\.wav"):
        mine.load()
    mine.describe("  ignore: other/**\n")
    assert len(mine.load()) == 8


def test_two_folders_of_one_name_each_are_told_apart_by_a_glob(mine):
    for folder in ("speech", "egg"):
        trees.plant(mine.folder / folder, ["c_angry_1.wav"])
    out = mine.check()[1]
    assert "write `glob: egg/**/*.wav` or `glob: speech/**/*.wav`; if both do" in out
    mine.describe("  glob: speech/**/*.wav\n")
    assert list(mine.load().index) == ["c_angry_1"]


def test_a_pattern_without_an_end_makes_no_clip_vanish(mine):
    mine.describe(text=MINE.replace(r"_\d+\.wav$", "_"))
    status, out = mine.check()
    assert status == 1
    assert "found 4 files with the id of another and different content" in out
    assert "let it match all of them up to `$`; or write an `id:`" in out
    with pytest.raises(CorpusError, match="up to `\\$`"):
        mine.load()


def test_copies_in_another_container_are_copies(mine):
    samples, rate = soundfile.read(mine.folder / "a_sad_1.wav", dtype="int16")
    path = mine.folder / "again" / "a_sad_1.wav"
    path.parent.mkdir()
    soundfile.write(path, samples, rate, format="WAVEX", subtype="PCM_16")
    assert path.read_bytes() != (mine.folder / "a_sad_1.wav").read_bytes()
    status, out = mine.check()
    assert status == 0
    assert "again: 1 that holds the same as in the corpus folder" in out


def test_capitals_alone_make_no_other_recording(mine):
    trees.plant(mine.folder, ["a_angry_1.WAV"])
    status, out = mine.check()
    assert status == 1
    assert "Their names differ in capitals alone: remove one of the two." in out


def test_copies_under_two_labels_are_no_copies(mine):
    text = MINE.replace("^(?P<speaker>[a-z]+)_(?P<emotion>angry|happy|sad)_", "")
    text = text.replace(
        r"\d+\.wav$", r"(?P<emotion>angry|sad)/(?P<speaker>[a-z]+)_(?P<repetition>\d+)\.wav$"
    )
    mine.describe("  match: path\n  id: '{speaker}_{repetition}'\n", text)
    shutil.rmtree(mine.folder)
    trees.plant(mine.folder, ["angry/a_1.wav", "angry/a_2.wav", "sad/b_1.wav"])
    shutil.copy(mine.folder / "angry/a_1.wav", mine.folder / "sad")
    assert mine.check()[0] == 1
    with pytest.raises(CorpusError, match=r"'a_1' is angry/a_1\.wav and sad/a_1\.wav"):
        mine.load()


def test_what_copies_hold_is_remembered_until_it_changes(mine, monkeypatch):
    trees.copy(mine.folder, mine.folder / "again")
    assert len(mine.load()) == 8
    copy = mine.folder / "again" / "a_sad_1.wav"
    before = copy.stat()
    content = bytearray(copy.read_bytes())
    content[-1] ^= 1
    copy.write_bytes(content)
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))  # as an archive or rsync does
    with pytest.raises(CorpusError, match=r"again/a_sad_1\.wav"):
        mine.load()


# Channels -----------------------------------------------------------------------------------------


def two_channels(path: Path, right: float | None, seed: int = 0) -> np.ndarray:
    left = np.random.default_rng(seed).uniform(-0.5, 0.5, RATE // 4)
    other = np.random.default_rng(seed + 99).uniform(-0.1, 0.1, len(left))
    both = np.stack([left, other if right is None else right * left], axis=1)
    soundfile.write(path, both, RATE, subtype="FLOAT")
    return left


@pytest.mark.parametrize(
    ("right", "told"),
    [
        (-0.99, "correlation -1.00, level -0 dB"),
        (-1.0, "correlation -1.00, level "),
        (None, "level -14 dB"),
    ],
)
def test_channels_that_differ_stop_check_and_run_until_one_is_named(mine, right, told):
    left = two_channels(mine.folder / "a_angry_1.wav", right)
    status, out = mine.check()
    assert status == 1
    assert "a_angry_1.wav: its channels differ (" in out
    assert told in out
    assert "Write `channel: left` (the first), `channel: right` or `channel: mean`" in out
    with pytest.raises(CorpusError, match=r"found 1 file whose channels differ: a_angry_1\.wav \("):
        mine.load()
    mine.describe("  channel: left\n")
    assert mine.check()[0] == 0
    table = mine.load()
    assert set(table["audio_channel"]) == {"left"}
    row = table.loc["a_angry_1"]
    heard = audio.read(Path(row["path"]), channel=row["audio_channel"])
    np.testing.assert_allclose(heard, left, atol=1e-6)
    mine.describe("  channel: mean\n")
    assert len(mine.load()) == 8


def test_channels_that_are_alike_are_averaged_without_a_word(mine):
    two_channels(mine.folder / "a_angry_1.wav", 0.5)
    assert mine.check() == (0, mine.check()[1])
    assert "audio_channel" not in mine.load()


def test_stereo_originals_of_emo_db_want_a_word_on_the_channel(tmp_path, check):
    (tmp_path / "emo-db" / "wav").mkdir(parents=True)
    for number, name in enumerate(("03a01Fa", "08a01Wa", "09a01Na")):
        two_channels(tmp_path / "emo-db" / "wav" / f"{name}.wav", None, number)
    status, out = check("emo-db")
    assert status == 1
    assert out.count("Write `channel: left`") == 3
    found = corpora.load(REGISTRY.get("emo-db:stereo"), tmp_path, tmp_path / "cache")
    assert set(found["audio_channel"]) == {"left"}


def test_a_channel_that_there_is_not_is_told_with_the_line(mine):
    mine.describe("  channel: centre\n")
    status, out = mine.check()
    assert status == 2
    assert "mine.yaml, line 6: mine.channel: expected one of left, right, mean" in out


# The same questions in check and run --------------------------------------------------------------


def test_check_refuses_clips_that_are_too_short_for_every_front_end(mine):
    (mine.folder / "a_angry_1.wav").write_bytes(trees.wav_bytes(seconds=0.005))
    status, out = mine.check()
    assert status == 1
    assert "a_angry_1.wav: expected at least 20 ms of speech, found 5 ms." in out
    heard = [features.get(name) for name in features.names() if not features.get(name).text]
    assert min(item.minimum for item in heard) == audio.SHORTEST_SECONDS * audio.SAMPLE_RATE


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_deep_refuses_clips_whose_samples_are_all_equal(mine, value):
    soundfile.write(mine.folder / "a_angry_1.wav", np.full(4_000, value), RATE)
    assert mine.check()[0] == 0
    for _ in range(2):  # found out, and remembered
        status, out = mine.check("--deep")
        assert status == 1
        assert "a_angry_1.wav: expected speech, found only silence" in out


def test_a_pipe_among_the_files_is_named_and_not_waited_for(mine):
    os.mkfifo(mine.folder / "x.wav")
    started = time.monotonic()
    status, out = mine.check()
    assert status == 1
    assert "x.wav: expected a regular file, found a pipe or a device. Remove it" in out
    assert time.monotonic() - started < 5


def test_a_broken_format_does_not_end_the_check(mine):
    content = bytearray(trees.wav_bytes())
    content[20:22] = b"\x99\x99"
    (mine.folder / "a_angry_1.wav").write_bytes(content)
    status, out = mine.check()
    assert status == 1
    assert "files that cannot be used: 1" in out


@pytest.mark.corpora
def test_a_second_deep_check_is_a_matter_of_reading_what_is_known(real_data, tmp_path):
    corpus = REGISTRY.get("ravdess")
    first = corpora.check(corpus, real_data, deep=True, cache=tmp_path)
    started = time.monotonic()
    second = corpora.check(corpus, real_data, deep=True, cache=tmp_path)
    assert time.monotonic() - started < 2
    assert (second.broken, second.alike) == (first.broken, first.alike)


# Where things are ---------------------------------------------------------------------------------


def test_a_data_folder_that_is_the_corpus_itself(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))
    emo_db(tmp_path / "Emo-DB")
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", "emo-db", "--data", str(tmp_path / "Emo-DB")])
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "found that of emo-db itself. Pass --data" in told
    assert "Emo-DB/.." in told


def test_a_folder_in_which_an_archive_waits_to_be_unpacked(tmp_path, check):
    (tmp_path / "tess").mkdir()
    (tmp_path / "tess" / "TESS.zip").write_bytes(b"PK")
    status, out = check("tess")
    assert status == 1
    assert "found only TESS.zip. Unpack it there." in out


def test_a_single_clip_is_not_called_clips(mine):
    for path in sorted(mine.folder.iterdir())[1:]:
        path.unlink()
    assert "ok: 1 clip, nothing to compare with" in mine.check()[1]


def test_more_clips_than_the_entry_expects(mine):
    mine.describe("  expect: {anger: 3, sadness: 4}\n")
    out = mine.check()[1]
    assert "not ok: 8 clips instead of 7." in out
    assert "or correct `expect:`" in out


def test_where_a_proposed_entry_goes_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = [
        f"{who}-{what}-{n}.wav" for who in ("ann", "bob") for what in ("happy", "sad") for n in "12"
    ]
    trees.plant(tmp_path / "data" / "voices", names)

    def add(*words: str) -> str:
        with pytest.raises(SystemExit):
            cli.main(["corpora", "add", "data/voices", *words])
        return capsys.readouterr().err

    told = add()
    assert "Then, once it is saved: emobench check voices --data" in told
    assert "--datasets voices.yaml" in told
    told = add("--out", "datasets.yaml")
    assert "takes the place of the packaged registry" in told
    assert "takes the place" not in add("--out", "mine.yaml")


def test_features_are_those_of_the_channel_that_is_named(mine, tmp_path):
    for number, path in enumerate(sorted(mine.folder.iterdir())):
        two_channels(path, None, number)
    heard = {}
    for channel in ("left", "right"):
        mine.describe(f"  channel: {channel}\n")
        found = features.load(mine.load(), features.spec("logmel"), cache=tmp_path / "cache")
        heard[channel] = found.clip(0)
    left, _ = soundfile.read(sorted(mine.folder.iterdir())[0], dtype="float32")
    for position, channel in enumerate(("left", "right")):
        alone = features.extract("logmel", np.ascontiguousarray(left[:, position]), RATE)
        np.testing.assert_array_equal(heard[channel], alone)
