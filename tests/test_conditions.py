from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from emobench import audio, conditions
from emobench.conditions import BITRATES, Condition, expand, parse
from emobench.errors import FeatureError, SpecError
from emobench.spec import fingerprint

RATE = 16_000
EFFECTIVE = {
    256: (256, 48_000),
    192: (192, 48_000),
    128: (128, 16_000),
    96: (96, 16_000),
    64: (64, 16_000),
    24: (24, 16_000),
    16: (16, 16_000),
    8: (8, 8_000),
}


def speech(n: int, seed: int = 0) -> np.ndarray:
    """Return a buzz with a moving pitch through two resonances, with pauses."""
    random = np.random.default_rng(seed)
    time = np.arange(n) / RATE
    phase = np.cumsum(2 * np.pi * (140 + 40 * np.sin(8 * time)) / RATE)
    source = np.sin(phase) ** 9 + 0.05 * random.standard_normal(n)
    voiced = scipy.signal.lfilter([1], [1, -1.3, 0.8], source) * (np.sin(6 * time) > -0.5)
    return (0.4 * voiced / np.abs(voiced).max()).astype(np.float32)


def lag(before: np.ndarray, after: np.ndarray) -> float:
    """Return by how many samples a signal lags behind another, to a fraction of a sample."""
    cross = scipy.signal.correlate(after.astype(float), before.astype(float), mode="full")
    lags = scipy.signal.correlation_lags(len(after), len(before))
    top = int(cross.argmax())
    left, middle, right = cross[top - 1 : top + 2]
    return lags[top] + 0.5 * (left - right) / (left - 2 * middle + right)


@pytest.mark.parametrize("bitrate", BITRATES)
def test_speech_stays_in_time(bitrate):
    before = speech(40_000)
    after, _ = Condition(bitrate).apply(before)
    assert after.dtype == np.float32
    assert after.shape == before.shape
    assert lag(before, after) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("bitrate", BITRATES)
def test_a_chirp_stays_in_time_and_shape(bitrate):
    time = np.arange(24_000) / RATE
    before = (0.5 * scipy.signal.chirp(time, 150, 1.5, 2500)).astype(np.float32)
    after, _ = Condition(bitrate).apply(before)
    assert lag(before, after) == pytest.approx(0, abs=0.2)
    middle = slice(4000, -4000)
    assert np.corrcoef(before[middle], after[middle])[0, 1] > (0.9 if bitrate < 16 else 0.98)


@pytest.mark.parametrize("bitrate", BITRATES)
def test_a_steady_tone_is_not_shifted_by_a_period(bitrate):
    before = np.zeros(24_000, np.float32)
    before[6_000:18_000] = 0.5 * np.sin(2 * np.pi * 400 * np.arange(12_000) / RATE)
    after, _ = Condition(bitrate).apply(before)
    envelope = np.abs(scipy.signal.hilbert(after))
    centre = (envelope**2 * np.arange(24_000)).sum() / (envelope**2).sum()
    assert centre == pytest.approx(12_000, abs=15)  # the period is 40 samples


@pytest.mark.parametrize("bitrate", BITRATES)
def test_the_stream_is_what_the_header_of_its_first_frame_tells(bitrate):
    _, facts = Condition(bitrate).apply(speech(16_000))
    kbps, rate = EFFECTIVE[bitrate]
    assert facts == {"requested_kbps": bitrate, "effective_kbps": kbps, "sample_rate": rate}


@pytest.mark.parametrize("bitrate", BITRATES)
def test_the_effective_bitrate_is_that_of_the_whole_stream(bitrate):
    seconds = 10
    stream = conditions._encode(speech(RATE * seconds), bitrate)
    # A stream has a few frames more than the sound.
    assert len(stream) * 8 / seconds / 1000 == pytest.approx(EFFECTIVE[bitrate][0], rel=0.03)


def test_lower_bitrates_keep_less():
    before = speech(48_000) + 0.01 * np.random.default_rng(1).standard_normal(48_000)
    before = before.astype(np.float32)
    lost = []
    for bitrate in (128, 64, 24, 8):
        after, _ = Condition(bitrate).apply(before)
        lost.append(np.square(after - before).mean())
    assert lost == sorted(lost)
    assert lost[0] < 1e-2 * np.square(before).mean()


def test_eight_kilobits_leave_nothing_above_four_kilohertz():
    noise = 0.2 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    after, _ = Condition(8).apply(noise)
    power = np.abs(np.fft.rfft(after)) ** 2
    assert power[len(power) // 2 :].sum() < 1e-4 * power.sum()


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 6000), bitrate=st.sampled_from(BITRATES))
def test_the_length_is_kept(n, bitrate):
    before = speech(8000)[1000 : 1000 + n]
    after, _ = Condition(bitrate).apply(before)
    assert after.shape == before.shape
    assert np.isfinite(after).all()


@pytest.mark.parametrize("bitrate", [256, 64, 8])
def test_the_end_of_a_clip_is_there(bitrate):
    before = speech(20_000)
    before[-3_000:] = 0.5 * np.sin(2 * np.pi * 300 * np.arange(3_000) / RATE)
    after, _ = Condition(bitrate).apply(before)
    assert np.corrcoef(before[-3_000:], after[-3_000:])[0, 1] > 0.9


def test_full_scale_does_not_wrap_around():
    before = np.sign(np.sin(2 * np.pi * 100 * np.arange(16_000) / RATE)).astype(np.float32)
    for bitrate in (256, 128):
        after, _ = Condition(bitrate).apply(before)
        assert np.corrcoef(before, after)[0, 1] > 0.95


def test_silence_stays_silence():
    after, _ = Condition(64).apply(np.zeros(16_000, np.float32))
    np.testing.assert_allclose(after, 0, atol=1e-6)


def test_the_same_sound_gives_the_same_samples_and_is_not_changed():
    before = speech(16_000)
    kept = before.copy()
    once, _ = Condition(64).apply(before)
    Condition(8).apply(before[:9_000])
    again, _ = Condition(64).apply(before)
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(before, kept)


def test_no_condition_leaves_sound_as_it_is():
    before = speech(4_000)
    after, facts = parse("none").apply(before)
    assert after is before
    assert facts == {}
    assert parse("none").tools == {}


@pytest.mark.parametrize("bitrate", BITRATES)
def test_names_are_read_back(bitrate):
    condition = Condition(bitrate)
    for text in (condition.name, f" MP3:{bitrate}K ", f"mp3:{bitrate}", str(condition)):
        assert parse(text) == condition


def test_all_bitrates_and_none_can_be_asked_for():
    assert expand("mp3:all") == (Condition(), *(Condition(bitrate) for bitrate in BITRATES))
    assert expand("mp3:8k,none,mp3:8") == (Condition(8), Condition())
    assert len(expand("mp3:8k, mp3:all")) == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mp3:65k", r"expected one of none, mp3:256k, .*found 'mp3:65k'\. Did you mean .*mp3:64k'"),
        ("mp4:64k", r"Did you mean 'mp3:64k'"),
        ("mp3", r"found 'mp3'"),
        ("noise", r"found 'noise'\. Did you mean 'none'"),
        ("", r"found ''"),
        ("k", r"found 'k'"),
    ],
)
def test_an_unknown_condition_is_refused(text, message):
    with pytest.raises(SpecError, match=rf"condition: .*{message}"):
        parse(text)
    with pytest.raises(SpecError, match="condition: "):
        expand(f"none,{text}")


def test_identities_are_plain_and_differ():
    every = expand("mp3:all")
    assert len({fingerprint(condition.identity) for condition in every}) == 9
    for condition in every:
        assert json.loads(json.dumps(condition.identity)) == condition.identity
        assert condition.identity["name"] == condition.name
    assert Condition(64).identity["version"] == conditions.VERSION


def test_the_tools_are_named_with_their_versions():
    tools = Condition(64).tools
    assert set(tools) == {"lameenc", "lame", "libsndfile"}
    assert all(version[0].isdigit() for version in tools.values())
    assert json.loads(json.dumps(tools)) == tools


def test_without_lameenc_there_is_no_mp3(monkeypatch):
    assert Condition(64).missing_package is None
    expected = Condition(64).identity
    monkeypatch.setitem(sys.modules, "lameenc", None)
    assert Condition(64).missing_package == "lameenc"
    assert Condition().missing_package is None
    with pytest.raises(FeatureError, match=r"mp3:64k: .*lameenc.*Run `pip install lameenc`"):
        Condition(64).apply(speech(4_000))
    assert Condition(64).identity == expected
    assert Condition(64).tools["lame"] is None


def test_importing_and_parsing_loads_no_codec():
    code = (
        "import sys; from emobench.conditions import parse; parse('mp3:8k').identity; "
        "print(sorted({'lameenc', 'soundfile', 'soxr'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_library_that_cannot_decode_mp3_is_named():
    with pytest.raises(FeatureError, match=r"expected libsndfile 1\.1 or later"):
        conditions._decode(b"\xff\xf3\x88\xc4")


def test_a_stream_that_is_not_layer_three_is_refused():
    with pytest.raises(FeatureError, match="expected a Layer III frame, found fffd88c4"):
        conditions._first_header(bytes.fromhex("fffd88c4"))


@pytest.mark.corpora
@pytest.mark.parametrize("bitrate", BITRATES)
def test_real_speech_stays_in_time(bitrate: int, real_data: Path):
    emodb = sorted((real_data / "emo-db").rglob("*.wav"))[::60]
    ravdess = sorted((real_data / "ravdess").rglob("*.wav"))[::200]
    for path in (*emodb, *ravdess):
        before = audio.read(path)
        after, facts = Condition(bitrate).apply(before)
        assert lag(before, after) == pytest.approx(0, abs=0.2), path
        assert (facts["effective_kbps"], facts["sample_rate"]) == EFFECTIVE[bitrate]
