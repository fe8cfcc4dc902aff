from __future__ import annotations

from pathlib import Path

import numpy as np
import opensmile
import pytest
import scipy.signal
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from opensmile import FeatureLevel, FeatureSet
from voices import RATE, in_16_bits, voice, with_a_pause

from emobench.errors import FeatureError
from emobench.features import is09
from emobench.features.lld32 import LLD32, lld32
from emobench.features.prosody35 import prosody35
from emobench.features.spectra import FFT257, fft257

LARGEST = np.float32(32_767 / 32_768)
ENERGY, CROSSINGS, VOICING, F0 = 0, 13, 14, 15


def count_frames(n: int) -> int:
    return len([start for start in range(0, n, 160) if start + 400 <= n])


@pytest.fixture(scope="module")
def wheel() -> tuple[opensmile.Smile, opensmile.Smile]:
    return (
        opensmile.Smile(FeatureSet.IS09, FeatureLevel.LowLevelDescriptors),
        opensmile.Smile(FeatureSet.IS09, FeatureLevel.LowLevelDescriptors_Deltas),
    )


@pytest.mark.parametrize("n", [400, 559, 560, 1_600, 9_999, 40_000])
def test_lld32_is_that_of_the_wheel(wheel: tuple, tmp_path: Path, n: int) -> None:
    soundfile.write(tmp_path / "clip.wav", voice(3.0)[:n], RATE, subtype="PCM_16")
    samples, _ = soundfile.read(tmp_path / "clip.wav", dtype="float32")
    frames = count_frames(n)
    expected = [smile.process_signal(samples, RATE).to_numpy()[:frames] for smile in wheel]
    found = lld32(samples)
    assert found.dtype == np.float32
    assert found.shape == (frames, 32)
    np.testing.assert_array_equal(found, np.hstack(expected))


def test_the_columns_are_the_descriptors_of_the_paper(wheel: tuple) -> None:
    cepstra = [f"pcm_fftMag_mfcc_sma[{k}]" for k in range(1, 13)]
    expected = ["pcm_RMSenergy_sma", *cepstra, "pcm_zcr_sma", "voiceProb_sma", "F0_sma"]
    values, derivatives = (smile.feature_names for smile in wheel)
    assert values == expected
    assert derivatives == [name.replace("_sma", "_sma_de") for name in expected]


def smoothed(contour: np.ndarray) -> np.ndarray:
    """Return the mean over each inner value and its two neighbours."""
    return np.convolve(contour, np.ones(3) / 3, mode="valid")


def test_energy_and_zero_crossings_are_those_of_a_loop() -> None:
    samples = voice(1.0)
    window = np.hamming(400)
    energy, crossings = [], []
    for start in range(0, len(samples) - 399, 160):
        frame = samples[start : start + 400].astype(float) * 32_768 / 32_767
        emphasised = np.append(0.03 * frame[0], frame[1:] - 0.97 * frame[:-1])
        energy.append(np.sqrt(np.mean((emphasised * window) ** 2)))
        signs = frame[1:] * frame[:-1] < 0
        zeros = (frame[1:-1] == 0) & (frame[:-2] * frame[2:] < 0)
        crossings.append((signs.sum() + zeros.sum()) / 400)
    found = lld32(samples)
    np.testing.assert_allclose(found[1:-1, ENERGY], smoothed(np.array(energy)), rtol=1e-4)
    np.testing.assert_allclose(found[1:-1, CROSSINGS], smoothed(np.array(crossings)), atol=0.003)


def test_the_pitch_is_that_of_a_buzz() -> None:
    time = np.arange(RATE) / RATE
    buzz = sum(np.sin(2 * np.pi * k * 125 * time) / k for k in range(1, 12))
    found = lld32(in_16_bits(0.2 * buzz))
    np.testing.assert_allclose(found[2:-2, F0], 125, rtol=0.02)
    assert (found[2:-2, VOICING] > 0.55).all()
    assert np.abs(found[4:-4, 16 + F0]).max() < 1


def test_the_derivatives_are_slopes_over_five_frames() -> None:
    found = lld32(voice(1.0)).astype(float)
    values = found[:, :16]
    expected = (values[3:-1] - values[1:-3] + 2 * (values[4:] - values[:-4])) / 10
    np.testing.assert_allclose(found[2:-2, 16:], expected, atol=1e-4)


def test_lld32_of_digital_silence_is_finite_and_unvoiced() -> None:
    found = lld32(with_a_pause())
    assert np.isfinite(found).all()
    assert not found[52:96, [ENERGY, VOICING, F0]].any()
    # openSMILE takes a zero that follows a zero for a crossing.
    np.testing.assert_allclose(found[52:96, CROSSINGS], 398 / 400)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(400, 30_000), exponent=st.floats(-5, 0))
def test_lld32_has_one_row_for_each_complete_frame(n: int, exponent: float) -> None:
    samples = (np.random.default_rng(n).uniform(-1, 1, n) * 10**exponent).astype(np.float32)
    before = samples.copy()
    found = lld32(samples)
    assert found.shape == (count_frames(n), LLD32.shape({})[1])
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(samples, before)


def test_lld32_refuses_what_holds_no_frame() -> None:
    assert LLD32.minimum == 400
    with pytest.raises(FeatureError, match="openSMILE found no frame in 399 samples"):
        lld32(voice(1.0)[:399])


def test_lld32_of_full_scale_does_not_wrap_around() -> None:
    loud = np.clip(voice(1.0) * 8, -1, 1)
    assert (loud == 1).any()
    np.testing.assert_array_equal(lld32(loud), lld32(np.minimum(loud, LARGEST)))


def test_pipelines_do_not_disturb_one_another() -> None:
    extractors = [is09.is09, lld32, prosody35]
    clips = [voice(1.5, seed=1), voice(0.4, seed=2), voice(0.06, seed=3)]
    alone = [[extract(clip) for clip in clips] for extract in extractors]
    for index in (2, 0, 1):
        for extract, expected in zip(extractors, alone, strict=True):
            np.testing.assert_array_equal(extract(clips[index]), expected[index])


@pytest.mark.parametrize("front_end", [LLD32, FFT257], ids=lambda front_end: front_end.name)
def test_they_are_scaled_with_the_neutral_training_clips(front_end) -> None:
    assert front_end.scaling == "training-neutral"
    assert front_end.shape({})[0] is None


def test_fft257_is_the_loop_of_the_specification() -> None:
    samples = voice(0.3)
    window = [0.54 - 0.46 * np.cos(2 * np.pi * j / 399) for j in range(400)]
    time, bins = np.arange(512), np.arange(257)
    transform = np.exp(-2j * np.pi * np.outer(bins, time) / 512)
    rows = []
    for start in range(0, len(samples) - 399, 160):
        frame = np.zeros(512)
        frame[:400] = samples[start : start + 400] * window
        rows.append(np.abs(transform @ frame))
    found = fft257(samples)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, rows, rtol=1e-5, atol=1e-6)


def test_fft257_is_that_of_scipy() -> None:
    # Longer than a block of the transform.
    samples = voice(3.1)
    window = scipy.signal.get_window("hamming", 400, fftbins=False)
    transform = scipy.signal.ShortTimeFFT(window, 160, RATE, mfft=512, phase_shift=None)
    # SciPy centres a slice on its sample: the first whole frame is centred on sample 200.
    slices = transform.stft(np.concatenate([np.zeros(120), samples]), p0=2)
    found = fft257(samples)
    np.testing.assert_allclose(found, np.abs(slices).T[: len(found)], rtol=1e-5, atol=1e-6)


def test_fft257_of_a_tone_peaks_at_its_bin() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)).astype(np.float32)
    found = fft257(tone)
    assert (found.argmax(axis=1) == 32).all()
    # Half the amplitude times the sum of the window.
    np.testing.assert_allclose(found[:, 32], 0.25 * np.hamming(400).sum(), rtol=2e-3)


def test_fft257_of_digital_silence_is_zero() -> None:
    found = fft257(with_a_pause())
    assert not found[50:98].any()
    assert found[:40].any(axis=1).all()


@settings(max_examples=25, deadline=None)
@given(n=st.integers(400, 60_000))
def test_fft257_has_one_row_for_each_complete_frame(n: int) -> None:
    samples = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    before = samples.copy()
    found = fft257(samples)
    assert found.shape == (count_frames(n), 257) == (count_frames(n), FFT257.shape({})[1])
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(samples, before)
    np.testing.assert_array_equal(fft257(samples), found)


def test_fft257_refuses_nothing_that_holds_a_frame() -> None:
    assert FFT257.minimum == 400
    assert fft257(voice(1.0)[:400]).shape == (1, 257)
