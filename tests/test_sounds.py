"""The sound of a clip decides what is cached and filed, whatever its file looks like."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from emobench import audio, conditions, corpora, features, sounds
from emobench.errors import FeatureError
from emobench.features import cache as cached
from emobench.runs import Selection, execute, plan
from emobench.runs.preparing import prepare, preview
from emobench.storage import memory
from emobench.store import read_experiments

RATE = 16_000


def write(path: Path, seed: int, *, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, 8_000)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def settle(*paths: Path) -> None:
    """Wait until files are old enough for a look to be remembered."""
    newest = max(path.stat().st_ctime_ns for path in paths)
    while time.time_ns() <= newest + memory._SETTLED_NS:
        time.sleep(0.05)


def replace_in_place(path: Path, seed: int) -> None:
    """Write other sound of the same size and time of modification over a file."""
    before = path.stat()
    write(path, seed)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (before.st_size, before.st_mtime_ns, before.st_ino) == (
        *(after.st_size, after.st_mtime_ns, after.st_ino),
    )


def table_of(paths: list[Path]) -> pd.DataFrame:
    columns = {"path": [str(path) for path in paths], "start": pd.NA, "end": pd.NA}
    return pd.DataFrame(columns, index=pd.Index([path.stem for path in paths], name="id"))


@pytest.fixture(autouse=True)
def fine_clock(monkeypatch):
    """Take the file system's clock for finer than the coarsest there is: tests wait less."""
    monkeypatch.setattr(memory, "_SETTLED_NS", 100_000_000)


@pytest.fixture
def decoded(monkeypatch) -> list[Path]:
    """Files that were decoded to learn what they sound like."""
    seen = []
    decode = audio.decode

    def watched(path, start=None, end=None, **more):
        seen.append(path)
        return decode(path, start, end, **more)

    monkeypatch.setattr(sounds.audio, "decode", watched)
    return seen


def test_a_name_is_the_sha256_of_rate_and_samples(tmp_path):
    path = write(tmp_path / "a.wav", 1)
    samples, _ = soundfile.read(path, dtype="float32")
    expected = hashlib.sha256(b"16000\n" + samples.astype("<f4").tobytes()).hexdigest()
    assert sounds.names([(path, None, None)], tmp_path) == [expected]


def test_containers_do_not_matter_and_sound_does(tmp_path):
    wav, other = write(tmp_path / "a.wav", 1), write(tmp_path / "b.wav", 2)
    samples, _ = soundfile.read(wav, dtype="int16")
    soundfile.write(tmp_path / "a.flac", samples, RATE, subtype="PCM_16")
    soundfile.write(tmp_path / "slow.wav", samples, RATE // 2, subtype="PCM_16")
    paths = [wav, tmp_path / "a.flac", other, tmp_path / "slow.wav"]
    one, same, different, slow = sounds.names([(path, None, None) for path in paths], tmp_path)
    assert one == same
    assert len({one, different, slow}) == 3


def test_segments_have_names_of_their_own(tmp_path):
    path = write(tmp_path / "a.wav", 1)
    first, second, whole = sounds.names(
        [(path, 0.0, 0.25), (path, 0.25, None), (path, None, None)], tmp_path
    )
    samples, _ = soundfile.read(path, dtype="float32")
    assert first == sounds.digest(samples[:4_000], RATE)
    assert second == sounds.digest(samples[4_000:], RATE)
    assert whole == sounds.digest(samples, RATE)


def test_what_is_remembered_is_not_decoded_again(tmp_path, decoded):
    paths = [write(tmp_path / f"{number}.wav", number) for number in range(3)]
    segments = [(path, None, None) for path in paths]
    settle(*paths)
    seen = []
    first = sounds.names(segments, tmp_path / "cache", lambda *steps: seen.append(steps))
    assert sorted(decoded) == paths
    assert seen == [(1, 3), (2, 3), (3, 3)]
    decoded.clear()
    assert sounds.names(segments, tmp_path / "cache") == first
    assert sounds.names(segments[1:], tmp_path / "cache") == first[1:]
    assert decoded == []
    assert sounds.names(segments, tmp_path / "elsewhere") == first
    assert sorted(decoded) == paths


@pytest.mark.parametrize("change", ["in place", "renamed over", "touched", "linked"])
def test_a_file_that_was_touched_is_listened_to_again(tmp_path, decoded, change):
    path, other = write(tmp_path / "a.wav", 1), write(tmp_path / "b.wav", 2)
    settle(path, other)
    one, two = sounds.names([(path, None, None), (other, None, None)], tmp_path / "cache")
    times = path.stat().st_mtime_ns
    decoded.clear()
    if change == "in place":
        replace_in_place(path, 2)
    elif change == "renamed over":
        os.utime(other, ns=(times, times))
        other.replace(path)
    elif change == "linked":
        path.unlink()
        path.symlink_to(other)
    else:
        os.utime(path, ns=(times, times))
    (now,) = sounds.names([(path, None, None)], tmp_path / "cache")
    assert now == (one if change == "touched" else two)
    assert (decoded == [path]) or change == "linked"


def test_a_file_that_was_just_written_is_not_remembered(tmp_path, decoded):
    """Within a step of the file system's clock, content changes and no time does."""
    path = write(tmp_path / "a.wav", 1)
    for _ in range(2):
        sounds.names([(path, None, None)], tmp_path / "cache")
    assert decoded == [path, path]
    assert not (tmp_path / "cache").exists()


def test_a_file_that_changes_while_it_is_read_is_not_remembered(tmp_path, monkeypatch):
    path = write(tmp_path / "a.wav", 1)
    settle(path)
    decode = audio.decode

    def disturbed(*arguments, **more):
        found = decode(*arguments, **more)
        replace_in_place(path, 2)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(sounds.audio, "decode", disturbed)
        sounds.names([(path, None, None)], tmp_path / "cache")
    samples, _ = soundfile.read(path, dtype="float32")
    found = sounds.names([(path, None, None)], tmp_path / "cache")
    assert found == [sounds.digest(samples, RATE)]


def test_what_cannot_be_decoded_is_named_by_its_bytes(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF, or so it says")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    segments = [(path, None, None), (tmp_path / "absent.wav", None, None)]
    assert sounds.names(segments, tmp_path) == [f"bytes:{digest}", None]


def test_a_memory_that_cannot_be_written_costs_time_only(tmp_path, caplog):
    path = write(tmp_path / "a.wav", 1)
    settle(path)
    (tmp_path / "cache").write_text("a file in the way")
    assert sounds.names([(path, None, None)], tmp_path / "cache") != [None]
    assert "sounds are not remembered" in caplog.text


def test_names_by_another_decoder_are_forgotten(tmp_path, monkeypatch, decoded):
    path = write(tmp_path / "a.wav", 1)
    settle(path)
    sounds.names([(path, None, None)], tmp_path / "cache")
    monkeypatch.setattr(sounds, "_decoder", lambda: {"version": 0})
    sounds.names([(path, None, None)], tmp_path / "cache")
    assert decoded == [path, path]


def test_a_deep_check_and_the_names_of_sounds_are_both_remembered(tmp_path, decoded):
    """Both keep what they know of a flat folder in the same cache."""
    (tmp_path / "mine").mkdir()
    paths = [write(tmp_path / "mine" / f"{who}_{n}.wav", n) for who in "ab" for n in range(2)]
    (tmp_path / "mine.yaml").write_text(
        "mine:\n  title: x\n  pattern: '^(?P<speaker>[ab])_(?P<emotion>[01])\\.wav$'\n"
        "  emotions: {'0': anger, '1': fear}\n"
    )
    settle(*paths)
    corpus = corpora.load_registry([tmp_path / "mine.yaml"]).get("mine")
    for _ in range(2):
        sounds.names([(path, None, None) for path in paths], tmp_path / "cache")
        corpora.check(corpus, tmp_path, cache=tmp_path / "cache", deep=True)
    assert sorted(decoded) == sorted([*paths, *paths])


def test_where_no_time_of_change_is_kept_nothing_is_remembered(tmp_path, monkeypatch, decoded):
    monkeypatch.setattr(memory, "_TELLS_CHANGES", False)
    path = write(tmp_path / "a.wav", 1)
    settle(path)
    for _ in range(2):
        sounds.names([(path, None, None)], tmp_path / "cache")
    assert decoded == [path, path]


def test_the_content_decides_which_features_are_used(tmp_path):
    paths = [write(tmp_path / f"{number}.wav", number) for number in range(3)]
    table, spec = table_of(paths), features.spec("logmel")
    settle(*paths)
    before = features.load(table, spec, cache=tmp_path / "cache")
    os.utime(paths[0], ns=(1, 1))
    shutil.copy(paths[1], tmp_path / "copy.wav")
    (tmp_path / "copy.wav").replace(paths[1])
    again = features.load(table, spec, cache=tmp_path / "cache")
    assert [pack.folder for pack in again.packs] == [pack.folder for pack in before.packs]
    replace_in_place(paths[2], 9)
    after = features.load(table, spec, cache=tmp_path / "cache")
    assert [len(pack.about.sounds) for pack in after.packs] == [3, 1]
    samples, _ = soundfile.read(paths[2], dtype="float32")
    expected = features.extract("logmel", samples, RATE)
    np.testing.assert_allclose(after.clip(2), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(after.clip(0), before.clip(0))


@pytest.mark.parametrize("condition", [None, conditions.parse("mp3:64k")], ids=str)
@pytest.mark.parametrize("change", ["another", "undecodable"])
def test_sound_that_changes_before_it_is_extracted_is_said(
    tmp_path, monkeypatch, change, condition
):
    paths = [write(tmp_path / f"{number}.wav", number) for number in range(3)]
    extract_all = cached.extract_all

    def disturbed(*arguments):
        if change == "another":
            replace_in_place(paths[1], 9)
        else:
            paths[1].write_bytes(b"")
        return extract_all(*arguments)

    monkeypatch.setattr(cached, "extract_all", disturbed)
    with pytest.raises(FeatureError, match=r"1\.wav: expected the same sound as a moment ago"):
        features.load(
            table_of(paths), features.spec("logmel"), cache=tmp_path / "c", condition=condition
        )
    assert list((tmp_path / "c").rglob("about.json")) == []


@pytest.fixture
def own(tiny_places, tmp_path):
    """The corpus `tiny` in a folder that may be changed, with a cache of its own."""
    shutil.copytree(tiny_places.data, tmp_path / "data")
    return replace(tiny_places, data=tmp_path / "data", cache=tmp_path / "cache")


def select(*models):
    return Selection(models, ("tiny",), "smoke")


def test_replaced_sound_is_run_again(own):
    planned = plan(select("svm-is09"), own)
    assert execute(planned, own).done == 2
    (step,) = preview(planned, own)
    assert (len(step.missing), step.kept) == (0, 2)
    wavs = sorted((own.data / "tiny").glob("*.wav"))
    settle(*wavs)
    for path in wavs[::5]:
        before = path.stat()
        samples, _ = soundfile.read(path)
        noise = np.random.default_rng(0).uniform(-0.3, 0.3, len(samples))
        soundfile.write(path, noise, RATE, subtype="PCM_16")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
    (step,) = preview(planned, own)
    assert (len(step.missing), step.kept) == (2, 0)
    again = execute(planned, own)
    assert (again.done, again.kept) == (2, 0)
    first, second = read_experiments(own.results)
    assert first.experiment["clips"] != second.experiment["clips"]
    assert (
        first.experiment["configuration_fingerprint"]
        == second.experiment["configuration_fingerprint"]
    )
    assert not first.predictions["p_anger"].equals(second.predictions["p_anger"])


def test_the_number_of_jobs_that_are_missing_needs_no_features(own):
    planned = plan(select("svm-is09"), own)
    (step,) = preview(planned, own)
    assert len(step.missing) == 2
    assert list(own.cache.rglob("about.json")) == []
    execute(planned, own)
    (again,) = preview(planned, own)
    assert again.experiment.fingerprint == step.experiment.fingerprint


def test_sound_is_no_part_of_what_only_reads(own, tmp_path):
    wavs = sorted((own.data / "tiny").glob("*.wav"))
    texts = tmp_path / "texts.csv"
    texts.write_text("id,text\n" + "".join(f"{path.stem},word {path.stem}\n" for path in wavs))
    places = replace(own, transcripts=texts)
    planned = plan(select("yoon2018-tre", "yoon2018-mdre"), places)
    corpus, models = planned.pairs[0]

    def clips(model):
        return prepare(corpus, model, planned, places, extract=False)[0].experiment.clips

    before = [clips(model) for model in models]
    replaced = wavs[0]
    samples, _ = soundfile.read(replaced)
    soundfile.write(replaced, samples[::-1], RATE, subtype="PCM_16")
    reads, both = [clips(model) for model in models]
    assert reads == before[0]
    assert both != before[1]


@pytest.mark.corpora
def test_a_corpus_is_decoded_once_and_remembered(real_data, tmp_path, decoded):
    paths = sorted((real_data / "ravdess").rglob("*.wav"))
    segments = [(path, None, None) for path in paths]
    assert len(paths) == 1440
    cold = sounds.names(segments, tmp_path)
    assert sorted(decoded) == paths
    decoded.clear()
    assert sounds.names(segments, tmp_path) == cold
    assert decoded == []
    assert len(set(cold)) > 1400
