from __future__ import annotations

import librosa
import numpy as np
import pytest

from emobench.features.librosa180 import LIBROSA180, LIBROSA180_FRAMES

RATE = 16_000


def sound(n: int, seed: int = 0) -> np.ndarray:
    """Return a few harmonics and bursts of noise."""
    random = np.random.default_rng(seed)
    time = np.arange(n) / RATE
    tone = sum(np.sin(2 * np.pi * 173 * k * time) / k for k in range(1, 12))
    noise = random.standard_normal(n) * (np.sin(9 * time) > 0.3)
    return (0.1 * tone + 0.05 * noise).astype(np.float32)


def families(samples: np.ndarray) -> list[np.ndarray]:
    """Return what librosa's own functions give, each from the samples or a transform of its own."""
    n_fft = min(2048, len(samples))
    magnitude = np.abs(librosa.stft(samples, n_fft=n_fft, hop_length=512))
    return [
        librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=40, n_fft=n_fft),
        librosa.feature.chroma_stft(S=magnitude, sr=RATE, n_fft=n_fft),
        librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=n_fft),
    ]


@pytest.mark.parametrize("n", [1_001, 2_047, 2_048, 16_000, 50_111])
def test_frames_are_those_of_librosa(n):
    samples = sound(n)
    found = LIBROSA180_FRAMES.extract(samples)
    assert found.dtype == np.float32
    assert found.shape == (1 + n // 512, 180)
    np.testing.assert_array_equal(found, np.concatenate(families(samples)).T)


def test_a_clip_of_ordinary_length_needs_no_parameter_of_librosa():
    samples = sound(30_000)
    magnitude = np.abs(librosa.stft(samples))
    expected = [
        np.mean(librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=40).T, axis=0),
        np.mean(librosa.feature.chroma_stft(S=magnitude, sr=RATE).T, axis=0),
        np.mean(librosa.feature.melspectrogram(y=samples, sr=RATE).T, axis=0),
    ]
    found = LIBROSA180.extract(samples)
    assert found.dtype == np.float32
    assert found.shape == LIBROSA180.shape({}) == (1, 180)
    np.testing.assert_allclose(found[0], np.concatenate(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("front_end", [LIBROSA180, LIBROSA180_FRAMES], ids=lambda it: it.name)
def test_both_are_standardised_on_the_training_fold(front_end):
    assert front_end.scaling == "training"
    assert front_end.requires == "librosa"
    assert front_end.shape({})[1] == 180


@pytest.mark.parametrize("front_end", [LIBROSA180, LIBROSA180_FRAMES], ids=lambda it: it.name)
@pytest.mark.parametrize("n", [400, 401, 640, 799])
def test_the_shortest_clips_give_finite_values(front_end, n):
    assert front_end.minimum == 400
    assert np.isfinite(front_end.extract(sound(n))).all()


def test_a_clip_without_any_pitch_gives_finite_values():
    # All of it below the lowest pitch that librosa looks for.
    samples = np.linspace(-0.5, 0.5, 16_000, dtype=np.float32)
    assert np.isfinite(LIBROSA180.extract(samples)).all()


def test_silence_within_a_clip_gives_finite_values():
    samples = np.concatenate([sound(8_000), np.zeros(16_000, np.float32)])
    found = LIBROSA180_FRAMES.extract(samples)
    assert np.isfinite(found).all()
    assert (found[-5:, 40:] == 0).all()
