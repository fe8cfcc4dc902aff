from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobench.errors import SpecError
from emobench.features.dualmel import DUALMEL, FLOOR_DB, dualmel

RATE = 16_000
SIZES = [
    ("paper", "fine", 256, 128, 64),
    ("paper", "coarse", 512, 256, 128),
    ("authors", "fine", 512, 256, 128),
    ("authors", "coarse", 1024, 512, 256),
]
RESOLUTIONS = ("preset", "resolution", "n_fft", "hop", "bands")


def sound(n: int, seed: int = 0) -> np.ndarray:
    """Return harmonics with a moving pitch, in noise."""
    random = np.random.default_rng(seed)
    phase = np.cumsum(2 * np.pi * (150 + 40 * np.sin(np.arange(n) / 3000)) / RATE)
    tone = sum(np.sin(k * phase) / k for k in range(1, 20))
    return (0.1 * tone + 0.02 * random.standard_normal(n)).astype(np.float32)


def params(**changes: object) -> dict:
    return {**DUALMEL.defaults, **changes}


def slaney(hertz: float) -> float:
    return 3 * hertz / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def hertz_of(mel: float) -> float:
    return 200 * mel / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def spectrogram_loop(samples: np.ndarray, n_fft: int, hop: int, bands: int) -> np.ndarray:
    """Return the spectrogram as the specification puts it, frame by frame and band by band."""
    edges = [hertz_of(slaney(RATE / 2) * i / (bands + 1)) for i in range(bands + 2)]
    weights = np.zeros((bands, n_fft // 2 + 1))
    for band in range(bands):
        low, centre, high = edges[band : band + 3]
        for k in range(n_fft // 2 + 1):
            at = k * RATE / n_fft
            height = min((at - low) / (centre - low), (high - at) / (high - centre))
            weights[band, k] = max(0, height) * 2 / (high - low)
    half = n_fft // 2
    filled = np.concatenate([np.zeros(half), samples.astype(float), np.zeros(half)])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    rows = []
    for i in range(1 + len(samples) // hop):
        spectrum = np.fft.fft(filled[i * hop : i * hop + n_fft] * window)[: half + 1]
        rows.append(10 * np.log10(np.maximum(weights @ np.abs(spectrum) ** 2, 1e-10)))
    return np.array(rows)


@pytest.mark.parametrize(RESOLUTIONS, SIZES)
def test_values_are_those_of_the_specification(preset, resolution, n_fft, hop, bands):
    samples = sound(9_000)
    found = dualmel(samples, preset=preset, resolution=resolution)
    assert found.dtype == np.float32
    assert DUALMEL.shape(params(preset=preset, resolution=resolution)) == (None, bands)
    # librosa computes in single precision.
    np.testing.assert_allclose(found, spectrogram_loop(samples, n_fft, hop, bands), atol=2e-3)


@pytest.mark.parametrize(RESOLUTIONS, SIZES)
def test_values_are_those_of_librosa(preset, resolution, n_fft, hop, bands):
    samples = sound(20_001, seed=1)
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=n_fft, hop_length=hop, n_mels=bands, fmin=0, fmax=8000
    )
    found = dualmel(samples, preset=preset, resolution=resolution)
    expected = 10 * np.log10(np.maximum(power.T.astype(float), 1e-10))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_scale_of_the_samples_only_adds_a_constant():
    samples = sound(8_000)
    found = dualmel(32_768 * samples, preset="paper", resolution="fine")
    expected = dualmel(samples, preset="paper", resolution="fine") + 20 * np.log10(32_768)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(400, 20_000), size=st.sampled_from(SIZES))
def test_there_is_one_row_for_each_hop(n, size):
    preset, resolution, _, hop, bands = size
    samples = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    found = dualmel(samples, preset=preset, resolution=resolution)
    assert found.shape == (1 + n // hop, bands)


def test_digital_silence_is_the_floor():
    samples = np.concatenate([np.zeros(8_000, np.float32), sound(4_000)])
    found = dualmel(samples, preset="paper", resolution="fine")
    np.testing.assert_allclose(found[:60], FLOOR_DB, atol=1e-5)
    assert found.min() >= FLOOR_DB - 1e-5


def items(*lengths: int, bands: int = 64) -> list[np.ndarray]:
    return [np.zeros((length, bands), np.float32) for length in lengths]


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [((460,), 464), ((230,), 224), ((100, 200, 900), 208), ((100, 140), 128), ((1, 2), 16)],
)
def test_the_length_is_the_median_to_the_nearest_multiple_of_16(lengths, expected):
    fitted = DUALMEL.fit(items(*lengths), params())
    assert fitted.shape == (64, expected, 1)
    assert fitted.state == fitted.facts["frames"] == expected
    assert fitted.facts["median_frames"] == np.median(lengths)
    assert fitted.facts["longest_frames"] == max(lengths)


@pytest.mark.parametrize(("lengths", "expected"), [((10, 160), 160), ((10, 161), 176), ((3,), 16)])
def test_padding_takes_the_longest_to_the_next_multiple_of_16(lengths, expected):
    assert DUALMEL.fit(items(*lengths), params(time_fit="pad")).state == expected


@pytest.mark.parametrize("time_fit", ["interpolate", "truncate", "pad"])
def test_a_fixed_length_is_kept(time_fit):
    fitted = DUALMEL.fit(items(500, bands=256), params(
        preset="authors", resolution="coarse", frames=120, time_fit=time_fit
    ))  # fmt: skip
    assert fitted.shape == (256, 120, 1)


def test_a_length_that_the_networks_cannot_read_is_refused():
    with pytest.raises(SpecError, match="expected frames as 0 or at least 16, found 9"):
        DUALMEL.fit(items(500), params(frames=9))


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(1, 300), frames=st.integers(16, 300))
def test_interpolation_takes_the_nearest_row_before(rows, frames):
    values = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    found = DUALMEL.transform(values, params(), frames)
    assert found.shape == (3, frames, 1)
    assert found.dtype == np.float32
    for i in range(frames):
        np.testing.assert_array_equal(found[:, i, 0], values[int(np.floor(i * rows / frames))])


@pytest.mark.parametrize("time_fit", ["truncate", "pad"])
def test_cutting_and_filling_up_leave_time_as_it_is(time_fit):
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    cut = DUALMEL.transform(values, params(time_fit=time_fit), 32)
    np.testing.assert_array_equal(cut[..., 0], values[:32].T)
    filled = DUALMEL.transform(values, params(time_fit=time_fit), 64)
    np.testing.assert_array_equal(filled[:, :50, 0], values.T)
    assert (filled[:, 50:] == FLOOR_DB).all()


def test_filling_up_is_what_silence_after_the_clip_gives():
    samples = sound(128 * 100)
    longer = np.concatenate([samples, np.zeros(128 * 43, np.float32)])
    filled = DUALMEL.transform(
        dualmel(samples, preset="paper", resolution="fine"), params(time_fit="pad"), 144
    )
    silent = dualmel(longer, preset="paper", resolution="fine").T
    np.testing.assert_allclose(filled[:, 102:, 0], silent[:, 102:], atol=1e-4)
