"""Frames and their filters against loops, and packs whose files do not fit together."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from emobench import features
from emobench.errors import SpecError
from emobench.features import packing
from emobench.features.frames import FRAME, HOP, PRE_EMPHASIS, blocks, count_frames, emphasise
from emobench.features.mel import mel_matrix
from emobench.scaling import Moments

RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize("samples", [0, 1, 399, 400, 559, 560, 16_000, 80_001])
def test_frames_are_counted_and_cut_as_a_loop_does(samples):
    sound = RANDOM.standard_normal(samples).astype(np.float32)
    expected = [sound[start : start + FRAME] for start in range(0, samples - FRAME + 1, HOP)]
    assert count_frames(samples) == len(expected)
    if not expected:
        return
    found = np.empty((len(expected), FRAME))
    for where, block in blocks(sound):
        assert block.dtype == np.float64
        found[where] = block
    assert np.array_equal(found, np.array(expected))


def test_a_long_clip_comes_in_blocks_that_fit_a_cache():
    sizes = [len(block) for _, block in blocks(np.zeros(60 * 16_000, np.float32))]
    assert sum(sizes) == count_frames(60 * 16_000)
    assert max(sizes) == 128
    assert set(sizes[:-1]) == {128}


def test_high_frequencies_are_raised_in_each_frame_by_itself():
    frames = RANDOM.standard_normal((3, 7))
    found = emphasise(frames)
    for row, frame in zip(found, frames, strict=True):
        before = frame[0]
        for value, sample in zip(row, frame, strict=True):
            assert value == pytest.approx(sample - PRE_EMPHASIS * before)
            before = sample


@pytest.mark.parametrize("bands", [13, 26, 40, 80])
def test_bands_are_triangles_on_the_mel_scale(bands):
    matrix = mel_matrix(bands)
    hertz = np.arange(257) * 16_000 / 512
    mel = 1127 * np.log(1 + hertz / 700)
    edges = np.linspace(0, 1127 * np.log(1 + 8_000 / 700), bands + 2)
    for band in range(bands):
        triangle = np.interp(mel, edges[band : band + 3], [0, 1, 0])
        triangle[[0, -1]] = 0  # neither the constant nor half of the rate
        assert np.allclose(matrix[:, band], triangle)
    with pytest.raises(ValueError, match="read-only"):
        matrix[0, 0] = 1


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("logmell", {}, "feature: expected one of logmel.* 'logmell'. Did you mean 'logmel'"),
        ("", {}, "feature: expected one of .*, found ''"),
        ("logmel", {"band": 3}, r"logmel: expected one of its parameters \(bands\).* 'bands'"),
        ("is09", {"bands": 3}, r"is09: expected one of its parameters \(none\), found 'bands'"),
        ("logmel", {"bands": "many"}, "expected bands as a whole number.*, found 'many'"),
        ("logmel", {"bands": 40.0}, "expected bands as a whole number.*, found 40.0"),
        ("logmel", {"bands": True}, "expected bands as a whole number.*, found True"),
        ("logmel", {"bands": 0}, "expected bands as a whole number from .*, found 0. The default"),
        ("logmel5s", {"drop_last_frame": 1}, "as true or false, found 1"),
    ],
)
def test_a_front_end_that_there_is_not_is_told(name, params, message):
    with pytest.raises(SpecError, match=message):
        features.spec(name, **params)


CLIPS = [RANDOM.standard_normal((rows, 5)).astype(np.float32) for rows in (4, 1, 9)]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A pack of three clips."""
    place = tmp_path / "shelf" / "pack"
    with packing.Writer(place, 5) as writer:
        for number, clip in enumerate(CLIPS):
            writer.add(f"sound {number}", clip, Moments.of(clip))
        writer.refuse("sound 9", "silent")
        writer.finish({"front_end": "x"}, "tiny")
    return place


def rewrite(folder: Path, name: str, array: np.ndarray, *, told: bool = True) -> None:
    """Put another array into a pack, of which it says so itself."""
    np.save(folder / f"{name}.npy", array)
    if told:
        about = folder / packing.ABOUT
        known = json.loads(about.read_bytes().partition(b"\n")[2])
        known["files"][f"{name}.npy"] = zlib.crc32(array.tobytes())
        about.write_bytes(packing._sealed(json.dumps(known).encode()))


def test_a_pack_holds_what_was_put_in(folder):
    pack = packing.open_pack(folder)
    assert pack.about.sounds == ("sound 0", "sound 1", "sound 2")
    assert pack.about.bad == {"sound 9": "silent"}
    for place, clip in enumerate(CLIPS):
        assert np.array_equal(pack.clip(place), clip)
        count, mean, squares = pack.moments[:, place]
        assert np.allclose(mean, clip.mean(axis=0))
        assert np.allclose(squares / count, clip.var(axis=0))
    pack.verify(range(3))
    with pytest.raises(ValueError, match="read-only"):
        pack.clip(0)[0, 0] = 1
    assert {path.name for path in folder.iterdir()} == packing.FILES


@pytest.mark.parametrize(
    ("name", "array", "told", "message"),
    [
        ("offsets", np.array([0, 4, 5], "<i8"), True, "its files speak of different clips"),
        ("moments", np.zeros((3, 2, 5)), True, "its files speak of different clips"),
        ("moments", np.zeros((3, 3, 4)), True, "its files speak of different clips"),
        ("offsets", np.array([0, 4, 5, 14], "<i4"), True, "its files are not what they should be"),
        ("moments", np.zeros((3, 3, 5), "<f4"), True, "its files are not what they should be"),
        ("values", np.zeros((14, 5), "<f8"), False, "its files are not what they should be"),
        ("offsets", np.array([0, 4, 5, 13], "<i8"), True, "its offsets do not fit its values"),
        ("values", np.zeros((13, 5), "<f4"), False, "its offsets do not fit its values"),
        ("offsets", np.array([0, 1, 5, 14], "<i8"), False, "the checksum of offsets.npy is wrong"),
        ("moments", np.ones((3, 3, 5)), False, "the checksum of moments.npy is wrong"),
    ],
)
def test_files_that_do_not_fit_together_are_damage(folder, name, array, told, message):
    rewrite(folder, name, array, told=told)
    with pytest.raises(packing.DamageError, match=message):
        packing.open_pack(folder)


@pytest.mark.parametrize("name", sorted(packing.FILES))
def test_a_file_that_lacks_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(packing.DamageError, match=rf"{name} is missing"):
        packing.open_pack(folder)


def test_a_value_that_was_altered_is_noticed(folder):
    rewrite(folder, "values", np.concatenate([*CLIPS[:2], CLIPS[2] + 1]), told=False)
    pack = packing.open_pack(folder)
    pack.verify([0, 1])
    with pytest.raises(packing.DamageError, match=r"a checksum of values\.npy is wrong"):
        pack.verify([0, 2])


@pytest.mark.parametrize("values", [np.zeros(5), np.zeros((2, 4)), np.zeros((1, 5, 1))])
def test_a_clip_of_other_columns_is_refused(tmp_path, values):
    with (
        packing.Writer(tmp_path / "pack", 5) as writer,
        pytest.raises(ValueError, match=r"x: expected 5 columns, found"),
    ):
        writer.add("x", values, Moments.of(CLIPS[0]))
    assert list(tmp_path.iterdir()) == []


def test_who_is_second_keeps_what_is_there(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with packing.Writer(folder, 5) as writer:
        writer.finish({"front_end": "other"}, "")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / packing.ABOUT).write_text("nonsense")
    with packing.Writer(folder, 5) as writer:
        writer.finish({"front_end": "other"}, "")
    assert packing.read_about(folder).recipe == {"front_end": "other"}
    assert [path.name for path in folder.parent.iterdir()] == ["pack"]
