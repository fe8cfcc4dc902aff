from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import opensmile
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from voices import RATE, in_16_bits, voice, with_a_pause

from emobench.errors import FeatureError
from emobench.features import is09, opensmile_pipeline
from emobench.features.prosody35 import CONFIGURATION, PROSODY35, prosody35

CONTOURS = ["F0final", "F0finalLog", "voicingFinalUnclipped", "HarmonicsToNoiseRatioACFLogdB"]
FUNCTIONALS = ["stddev", "amean", "linregc1", "centroid"]
FUNCTIONALS += ["percentile10.0", "percentile90.0", "pctlrange0-1"]
LARGEST = np.float32(32_767 / 32_768)


def pitch_contours(samples: np.ndarray) -> np.ndarray:
    return opensmile_pipeline.run(CONFIGURATION, "smoothVoiced", samples)


def loudness_contour(samples: np.ndarray) -> np.ndarray:
    return opensmile_pipeline.run(CONFIGURATION, "smoothAll", samples)[:, 0]


def functionals(contour: np.ndarray) -> np.ndarray:
    """Return the seven functionals by NumPy."""
    values, index = contour.astype(float), np.arange(len(contour))
    low, high = np.quantile(values, [0.1, 0.9])
    line = np.polyfit(index, values, 1)[0]
    centroid = (index * values).sum() / values.sum() / len(values)
    return np.array([values.std(), values.mean(), line, centroid, low, high, high - low])


def test_the_columns_are_those_of_the_specification() -> None:
    wheel = opensmile.Smile(CONFIGURATION, "functionals")
    contours = [*CONTOURS, "lengthL1norm"]
    assert wheel.feature_names == [f"{c}_sma_{f}" for c in contours for f in FUNCTIONALS]


def test_prosody35_is_what_the_wheel_makes_of_the_configuration(tmp_path: Path) -> None:
    wheel = opensmile.Smile(CONFIGURATION, "functionals")
    for number, seconds in enumerate([1.0, 0.1, 2.5]):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, voice(seconds, seed=number), RATE, subtype="PCM_16")
        samples, _ = soundfile.read(path, dtype="float32")
        expected = wheel.process_file(path).to_numpy()
        np.testing.assert_array_equal(prosody35(samples), expected)


@pytest.mark.parametrize("seconds", [0.7, 3.0, 12.0])
def test_the_functionals_are_those_of_numpy(seconds: float) -> None:
    samples = voice(seconds)
    found = prosody35(samples).reshape(5, 7)
    contours = pitch_contours(samples)
    for column in range(4):
        # openSMILE leaves out the last few frames: as many as the pitch search is behind by.
        expected = []
        for end in range(1, 5):
            contour = contours[:-end, column]
            expected.append(functionals(contour[contour != 0]))
        error = np.abs(np.array(expected) - found[column]) / np.abs(found[column])
        assert error.max(axis=1).min() < 1e-3, CONTOURS[column]
    np.testing.assert_allclose(found[4], functionals(loudness_contour(samples)[:-1]), rtol=1e-3)


def test_the_loudness_is_that_of_compare() -> None:
    # ComParE sums the same auditory spectrum, and smooths it alike.
    wheel = opensmile.Smile(
        opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.LowLevelDescriptors
    )
    samples = voice(2.0)
    compare = wheel.process_signal(samples, RATE)
    expected = compare["audspec_lengthL1norm_sma"].to_numpy()
    found = loudness_contour(samples)
    np.testing.assert_allclose(found[: len(expected) - 1], expected[:-1], atol=1e-5)


def test_the_pitch_is_that_of_a_buzz() -> None:
    for frequency in (90, 150, 240, 400):
        time = np.arange(RATE) / RATE
        buzz = sum(np.sin(2 * np.pi * k * frequency * time) / k for k in range(1, 12))
        found = prosody35(in_16_bits(0.2 * buzz)).reshape(5, 7)
        assert found[0, 1] == pytest.approx(frequency, rel=0.005)
        assert found[0, 0] < 0.01 * frequency
        # In semitones above the lowest A of a piano.
        assert found[1, 1] == pytest.approx(12 * np.log2(frequency / 27.5), abs=0.1)
        assert found[2, 1] > 0.7
        assert found[3, 1] > 5


def test_the_slope_is_that_of_a_rising_buzz() -> None:
    time = np.arange(2 * RATE) / RATE
    pitch = 120 + 60 * time
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 12))
    found = prosody35(in_16_bits(0.2 * buzz)).reshape(5, 7)
    assert found[0, 2] == pytest.approx(0.6, rel=0.02)  # Hz in a frame
    assert found[0, 3] > 0.5
    assert found[0, 4] == pytest.approx(132, rel=0.02)
    assert found[0, 5] == pytest.approx(228, rel=0.02)


@pytest.mark.corpora
def test_the_pitch_of_speech_is_about_that_of_compare(real_data: Path) -> None:
    wheel = opensmile.Smile(
        opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.LowLevelDescriptors
    )
    differences, agreement = [], []
    for path in sorted((real_data / "emo-db").rglob("*.wav"))[::60]:
        samples, _ = soundfile.read(path, dtype="float32")
        samples = np.minimum(samples, LARGEST)
        expected = wheel.process_signal(samples, RATE)["F0final_sma"].to_numpy()
        found = pitch_contours(samples)[: len(expected), 0]
        expected = expected[: len(found)]
        both = (expected > 0) & (found > 0)
        differences.append(np.abs(expected - found)[both] / found[both])
        agreement.append((expected > 0) == (found > 0))
    # The frames of ComParE are 60 ms long and keep six candidates.
    assert np.median(np.concatenate(differences)) < 0.01
    assert np.concatenate(agreement).mean() > 0.9


def test_without_a_voice_all_but_the_loudness_is_zero() -> None:
    noise = 2e-4 * np.random.default_rng(0).standard_normal(RATE)
    found = prosody35(noise.astype(np.float32)).reshape(5, 7)
    assert not found[:4].any()
    assert found[4, 1] > 0


def test_what_is_too_quiet_has_no_pitch_but_harmonics() -> None:
    found = prosody35(voice(1.0, level=3e-4)).reshape(5, 7)
    assert not found[:3].any()
    assert found[3, 1] > 5


def test_a_pause_of_digital_silence_is_left_out_of_the_pitch() -> None:
    samples = with_a_pause()
    contours = pitch_contours(samples)
    assert not contours[56:92, 0].any()
    found = prosody35(samples).reshape(5, 7)
    assert np.isfinite(found).all()
    assert 90 < found[0, 4] < found[0, 5] < 250
    assert found[4, 4] < 0.1 * found[4, 5]


def test_full_scale_does_not_wrap_around() -> None:
    loud = np.clip(voice(1.0) * 8, -1, 1)
    assert (loud == 1).any()
    np.testing.assert_array_equal(prosody35(loud), prosody35(np.minimum(loud, LARGEST)))


def test_prosody35_of_the_shortest_clip() -> None:
    samples = voice(1.0)[3_000:]
    assert PROSODY35.minimum == 880
    assert prosody35(samples[:880]).shape == (1, 35)
    with pytest.raises(FeatureError, match="openSMILE found no frame in 879 samples"):
        prosody35(samples[:879])


@settings(max_examples=25, deadline=None)
@given(n=st.integers(880, 20_000), exponent=st.floats(-5, 0))
def test_prosody35_is_one_row_of_35_numbers(n: int, exponent: float) -> None:
    noise = np.random.default_rng(n).uniform(-1, 1, n) * 10**exponent
    samples = noise.astype(np.float32)
    before = samples.copy()
    found = prosody35(samples)
    assert found.shape == PROSODY35.shape({}) == (1, 35)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(samples, before)


def test_a_clip_does_not_depend_on_the_clips_before() -> None:
    first, second = voice(2.5, seed=1), voice(0.6, seed=2)
    alone = prosody35(second)
    prosody35(first)
    is09.is09(first)
    with pytest.raises(FeatureError):
        prosody35(first[:100])
    np.testing.assert_array_equal(prosody35(second), alone)


def test_it_is_scaled_with_the_training_clips_and_needs_opensmile() -> None:
    assert PROSODY35.scaling == "training"
    assert PROSODY35.requires == "opensmile"


@pytest.mark.slow
def test_the_pipelines_work_beside_tensorflow() -> None:
    code = (
        "import sys\n"
        "if 'first' in sys.argv: import keras; keras.ops.zeros(1)\n"
        "import numpy\n"
        "from emobench.features.lld32 import lld32\n"
        "from emobench.features.prosody35 import prosody35\n"
        "noise = numpy.random.default_rng(0).uniform(-0.1, 0.1, 16_000).astype('float32')\n"
        "for _ in range(3): found = prosody35(noise).tobytes() + lld32(noise).tobytes()\n"
        "import hashlib; print(hashlib.sha256(found).hexdigest())"
    )
    alone, beside = (
        subprocess.run(
            [sys.executable, "-c", code, *more], capture_output=True, text=True, check=True
        ).stdout
        for more in ((), ("first",))
    )
    assert alone == beside
