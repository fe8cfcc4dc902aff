from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from voices import RATE, in_16_bits, voice, with_a_pause

from emobench import features
from emobench.features import cepstra, opensmile_pipeline
from emobench.features.cepstra import MFCC39, MFCC39_750, mfcc39

# The stages of MFCC12_E_D_A, written for this test from openSMILE's component reference.
PIPELINE = r"""
[componentInstances:cComponentManager]
instance[dataMemory].type = cDataMemory
instance[frame].type = cFramer
instance[emphasis].type = cVectorPreemphasis
instance[window].type = cWindower
instance[fft].type = cTransformFFT
instance[magnitude].type = cFFTmagphase
instance[mel].type = cMelspec
instance[cepstra].type = cMfcc
instance[energy].type = cEnergy
instance[static].type = cVectorConcat
instance[first].type = cDeltaRegression
instance[second].type = cDeltaRegression
instance[together].type = cVectorConcat
nThreads = 1
printLevelStats = 0

\{\cm[source{?}:source]}

[frame:cFramer]
reader.dmLevel = wave
writer.dmLevel = frames
noPostEOIprocessing = 1
frameSize = 0.025
frameStep = 0.010
frameMode = fixed
frameCenterSpecial = left

[emphasis:cVectorPreemphasis]
reader.dmLevel = frames
writer.dmLevel = emphasised
k = 0.97
de = 0

[window:cWindower]
reader.dmLevel = emphasised
writer.dmLevel = windowed
winFunc = ham
gain = 1.0
offset = 0

[fft:cTransformFFT]
reader.dmLevel = windowed
writer.dmLevel = spectrum
zeroPadSymmetric = 0

[magnitude:cFFTmagphase]
reader.dmLevel = spectrum
writer.dmLevel = magnitude
magnitude = 1
phase = 0

[mel:cMelspec]
reader.dmLevel = magnitude
writer.dmLevel = bands
nBands = 26
usePower = 1
htkcompatible = 1
lofreq = 0
hifreq = 8000
specScale = mel

[cepstra:cMfcc]
reader.dmLevel = bands
writer.dmLevel = cepstra
firstMfcc = 1
lastMfcc = 12
cepLifter = 22
htkcompatible = 1

[energy:cEnergy]
reader.dmLevel = frames
writer.dmLevel = energy
processArrayFields = 0
htkcompatible = 1
rms = 0
log = 1

[static:cVectorConcat]
reader.dmLevel = cepstra;energy
writer.dmLevel = static
processArrayFields = 0

[first:cDeltaRegression]
reader.dmLevel = static
writer.dmLevel = first
noPostEOIprocessing = 0
deltawin = 2
blocksize = 1

[second:cDeltaRegression]
reader.dmLevel = first
writer.dmLevel = second
noPostEOIprocessing = 0
deltawin = 2
blocksize = 1

[together:cVectorConcat]
reader.dmLevel = static;first;second
writer.dmLevel = together
includeSingleElementFields = 1

\{\cm[sink{?}:sink]}
"""


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("opensmile") / "mfcc.conf"
    path.write_text(PIPELINE)
    return str(path)


def opensmile_mfcc(configuration: str, samples: np.ndarray) -> np.ndarray:
    return opensmile_pipeline.run(configuration, "together", samples)


@pytest.mark.parametrize("n", [880, 1_039, 1_040, 1_200, 1_360, 8_000, 21_000, 64_000])
def test_mfcc39_is_that_of_opensmile(configuration: str, n: int) -> None:
    samples = voice(4.0)[:n]
    expected = opensmile_mfcc(configuration, samples)
    found = mfcc39(samples)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_mfcc39_is_that_of_opensmile_where_it_must_round(configuration: str) -> None:
    samples = np.random.default_rng(0).uniform(-0.77, 0.77, 2 * RATE).astype(np.float32)
    assert (samples != in_16_bits(samples)).any()
    expected = opensmile_mfcc(configuration, samples)
    np.testing.assert_allclose(mfcc39(samples), expected, atol=5e-3)


def test_mfcc39_of_digital_silence_is_that_of_opensmile(configuration: str) -> None:
    samples = with_a_pause()
    found = mfcc39(samples)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, opensmile_mfcc(configuration, samples), atol=1e-4)
    # Frames 50 to 97 lie in the pause; their derivatives reach four frames further.
    assert not found[50:98, :13].any()
    assert not found[54:94].any()


@pytest.mark.corpora
def test_mfcc39_of_speech_is_that_of_opensmile(configuration: str, real_data: Path) -> None:
    everything = []
    for path in sorted((real_data / "emo-db").rglob("*.wav"))[::20]:
        samples, _ = soundfile.read(path, dtype="float32")
        everything.append(np.abs(mfcc39(samples) - opensmile_mfcc(configuration, samples)))
    difference = np.concatenate(everything)
    # openSMILE computes in single precision; what is left is its rounding.
    assert difference.max() < 1e-3
    assert np.quantile(difference, 0.99) < 1e-4


def slope(rows: list[np.ndarray], at: int) -> np.ndarray:
    def row(index: int) -> np.ndarray:
        return rows[min(max(index, 0), len(rows) - 1)]

    return sum(i * (row(at + i) - row(at - i)) for i in (1, 2)) / 10


def mel_weight(k: int, band: int) -> float:
    mel = [1127 * np.log(1 + f / 700) for f in (k * 31.25, 8000)]
    low, centre, high = (mel[1] * (band + i) / 27 for i in range(3))
    if not 1 <= k <= 255 or not low < mel[0] < high:
        return 0.0
    inside = mel[0] <= centre
    return (mel[0] - low) / (centre - low) if inside else (high - mel[0]) / (high - centre)


def mfcc39_loop(samples: np.ndarray) -> np.ndarray:
    """Return the 39 columns frame by frame, as the specification puts it."""
    weights = [[mel_weight(k, band) for band in range(26)] for k in range(257)]
    static = []
    for start in range(0, len(samples) - 399, 160):
        frame = samples[start : start + 400].astype(float)
        emphasised = [0.03 * frame[0]]
        emphasised += [frame[j] - 0.97 * frame[j - 1] for j in range(1, 400)]
        window = [0.54 - 0.46 * np.cos(2 * np.pi * j / 399) for j in range(400)]
        power = np.abs(np.fft.fft(np.multiply(emphasised, window), 512)[:257]) ** 2
        logarithm = np.log(np.maximum(32767**2 * (power @ weights), 1))
        row = []
        for k in range(1, 13):
            total = sum(logarithm[m] * np.cos(np.pi * k * (m + 0.5) / 26) for m in range(26))
            row.append((1 + 11 * np.sin(np.pi * k / 22)) * np.sqrt(2 / 26) * total)
        row.append(np.log(max(1, 32767**2 * sum(frame**2))))
        static.append(np.array(row))
    # Two frames past the end are repetitions of the last; slopes of slopes look at them.
    longer = static + 2 * [static[-1]]
    first = [slope(longer, t) for t in range(len(longer))]
    second = [slope(first, t) for t in range(len(static))]
    return np.hstack([static, first[: len(static)], second])


@pytest.mark.parametrize("n", [400, 560, 720, 880, 3_000])
def test_mfcc39_is_the_loop_of_the_specification(n: int) -> None:
    samples = voice(1.0)[2_000 : 2_000 + n]
    np.testing.assert_allclose(mfcc39(samples), mfcc39_loop(samples), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(400, 60_000))
def test_mfcc39_has_one_row_for_each_complete_frame(n: int) -> None:
    samples = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    before = samples.copy()
    found = mfcc39(samples)
    starts = [start for start in range(0, n, 160) if start + 400 <= n]
    assert found.shape == (len(starts), 39)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(samples, before)
    np.testing.assert_array_equal(mfcc39(samples), found)


def test_mfcc39_of_the_shortest_clip_does_not_move() -> None:
    found = mfcc39(voice(0.5)[:400])
    assert found.shape == (1, 39)
    assert found[0, :13].all()
    assert not found[0, 13:].any()


def test_mfcc39_does_not_depend_on_what_is_far_away() -> None:
    samples = voice(5.0)
    # Rows 128, 256, … begin a block of the transform.
    part = mfcc39(samples[160 * 100 :])
    np.testing.assert_allclose(mfcc39(samples)[104:], part[4:], atol=1e-4)


def test_the_energy_is_that_of_the_samples_as_they_are() -> None:
    samples = np.full(400, 0.5, np.float32)
    samples[0] = 0.25
    expected = np.log(32_767**2 * (399 * 0.25 + 0.0625))
    assert mfcc39(samples)[0, 12] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seconds", [1, 10])
def test_750_rows_are_kept(seconds: int) -> None:
    samples = voice(seconds)
    whole = features.extract("mfcc39", samples, RATE)
    np.testing.assert_array_equal(features.extract("mfcc39-750", samples, RATE), whole[:750])


def test_750_rows_share_the_cache_of_all() -> None:
    assert MFCC39_750.source == MFCC39.name
    assert MFCC39_750.version == MFCC39.version
    assert MFCC39_750.extract is MFCC39.extract
    assert MFCC39.shape({}) == MFCC39_750.shape({}) == (None, 39)
    assert (MFCC39.scaling, MFCC39_750.scaling) == ("none", "training")
    assert MFCC39.minimum == MFCC39_750.minimum == 400
    assert cepstra.COLUMNS == 39
