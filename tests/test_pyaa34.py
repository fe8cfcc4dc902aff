from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobench.features.pyaa34 import PYAA34, pyaa34

RATE = 16_000
LENGTH = 1600
NAMES = {
    "zcr": 0,
    "energy": 1,
    "centroid": 3,
    "spread": 4,
    "flux": 6,
    "roll-off": 7,
}


def sound(n: int, seed: int = 0) -> np.ndarray:
    """Return a sweep in noise with an offset, a silent stretch in it."""
    random = np.random.default_rng(seed)
    time = np.arange(n) / RATE
    samples = 0.3 * np.sin(2 * np.pi * (200 + 900 * time) * time) + 0.1
    samples += 0.02 * random.standard_normal(n) * np.sin(7 * time)
    return samples.astype(np.float32)


def entropy_loop(energies: list[float]) -> float:
    """Return the entropy of ten consecutive parts of equal size."""
    size = len(energies) // 10
    parts = [sum(energies[i * size : (i + 1) * size]) for i in range(10)]
    total = sum(parts)
    return sum(-p / total * math.log2(p / total) for p in parts if p > 0) if total > 0 else 0.0


def mfcc_loop(spectrum: list[float]) -> list[float]:
    edges = [133.33 + i * 200 / 3 for i in range(13)]
    for _ in range(29):
        edges.append(edges[-1] * 1.0711703)
    logarithms = []
    for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
        total = 0.0
        for k in range(800):
            at = k * RATE / LENGTH
            if low < at <= centre:
                total += spectrum[k] * 2 / (high - low) * (at - low) / (centre - low)
            elif centre < at < high:
                total += spectrum[k] * 2 / (high - low) * (high - at) / (high - centre)
        logarithms.append(math.log10(total + 2.0**-52))
    assert len(logarithms) == 40
    return [
        math.sqrt((1 if c == 0 else 2) / 40)
        * sum(value * math.cos(math.pi * c * (m + 0.5) / 40) for m, value in enumerate(logarithms))
        for c in range(13)
    ]


def chroma_loop(spectrum: list[float]) -> list[float]:
    semitones: dict[int, list[float]] = {}
    for k in range(800):
        semitone = round(12 * math.log2((k + 1) * RATE / LENGTH / 27.5))
        semitones.setdefault(semitone, []).append(spectrum[k] ** 2)
    classes = [0.0] * 12
    for semitone, powers in semitones.items():
        classes[semitone % 12] += sum(powers) / len(powers)
    total = sum(value**2 for value in spectrum)
    classes = [value / total if total > 0 else 0.0 for value in classes]
    mean = sum(classes) / 12
    return [*classes, math.sqrt(sum((value - mean) ** 2 for value in classes) / 12)]


def window_loop(window: list[float], spectrum: list[float], before: list[float]) -> list[float]:
    """Return the 34 features of one window, one after the other."""
    sign = [(value > 0) - (value < 0) for value in window]
    zcr = sum(abs(b - a) for a, b in pairwise(sign)) / 2 / (LENGTH - 1)
    squares = [value**2 for value in window]
    top, total = max(spectrum), sum(spectrum)
    centroid = spread = 0.0
    if top > 0:
        weights = [value / top for value in spectrum]
        hertz = [(k + 1) * RATE / LENGTH for k in range(800)]
        centroid = sum(f * w for f, w in zip(hertz, weights, strict=True)) / sum(weights)
        moment = sum((f - centroid) ** 2 * w for f, w in zip(hertz, weights, strict=True))
        spread = math.sqrt(moment / sum(weights))
    share = [value / total if total > 0 else 0.0 for value in spectrum]
    earlier = [value / sum(before) if sum(before) > 0 else 0.0 for value in before]
    flux = sum((a - b) ** 2 for a, b in zip(share, earlier, strict=True))
    powers = [value**2 for value in spectrum]
    running, roll_off = 0.0, 0.0
    for k, power in enumerate(powers):
        running += power
        if running > 0.9 * sum(powers):
            roll_off = k / 800
            break
    first = [zcr, sum(squares) / LENGTH, entropy_loop(squares), centroid / 8000, spread / 8000]
    second = [entropy_loop(powers), flux, roll_off]
    return [*first, *second, *mfcc_loop(spectrum), *chroma_loop(spectrum)]


def features_loop(samples: np.ndarray) -> np.ndarray:
    signal = samples.astype(float) - samples.astype(float).mean()
    signal = signal / max(abs(signal))
    rows, before = [], None
    for start in range(0, len(signal) - LENGTH + 1, LENGTH):
        window = signal[start : start + LENGTH]
        spectrum = [abs(value) / 800 for value in np.fft.fft(window)[:800]]
        rows.append(window_loop(window.tolist(), spectrum, before or spectrum))
        before = spectrum
    return np.array(rows)


@pytest.mark.parametrize("seed", [0, 1])
def test_features_are_those_of_a_loop(seed):
    samples = sound(LENGTH * 7 + 1234, seed)
    found = pyaa34(samples)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, features_loop(samples), rtol=1e-5, atol=1e-6)


def test_silent_windows_are_those_of_a_loop():
    part = np.round(sound(LENGTH * 2) * 32_768) / 32_768
    samples = np.concatenate([part, -part, np.zeros(LENGTH * 3)])  # of mean zero exactly
    found = pyaa34(samples)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, features_loop(samples), rtol=1e-5, atol=1e-6)
    zero = [0, 1, 2, 3, 4, 5, 7, *range(21, 34)]
    assert (found[4:, zero] == 0).all()
    # So that a silent window is not taken for what is filled up behind the clip.
    np.testing.assert_allclose(found[4:, 8], math.sqrt(40) * math.log10(2.0**-52), rtol=1e-6)


@pytest.mark.parametrize("hertz", [440, 1000, 3520])
def test_features_of_a_tone(hertz):
    found = pyaa34(np.sin(2 * np.pi * hertz * (np.arange(LENGTH * 5) + 0.3) / RATE))
    assert found[:, NAMES["zcr"]] == pytest.approx(2 * hertz / RATE, abs=1.5 / LENGTH)
    assert found[:, NAMES["energy"]] == pytest.approx(0.5, abs=1e-2)
    assert found[:, NAMES["centroid"]] == pytest.approx((hertz + 10) / 8000, abs=1e-4)
    assert found[:, NAMES["spread"]] == pytest.approx(0, abs=1e-3)
    assert found[:, NAMES["flux"]] == pytest.approx(0, abs=1e-6)
    assert found[:, NAMES["roll-off"]] == pytest.approx(hertz / RATE * LENGTH / 800, abs=1e-6)
    semitone = round(12 * math.log2(hertz / 27.5)) % 12
    assert (found[:, 21:33].argmax(axis=1) == semitone).all()


@settings(max_examples=25, deadline=None)
@given(n=st.integers(LENGTH, 40_000), gain=st.floats(0.01, 3), offset=st.floats(-0.5, 0.5))
def test_level_and_offset_of_a_clip_do_not_matter(n, gain, offset):
    samples = np.random.default_rng(n).uniform(-1, 1, n)
    found = pyaa34(samples * gain + offset)
    assert found.shape == (n // LENGTH, 34)
    np.testing.assert_allclose(found, pyaa34(samples), rtol=1e-4, atol=1e-6)


def test_a_long_clip_is_cut_at_200_rows_after_the_whole_is_normalised():
    samples = sound(LENGTH * 203)
    samples[LENGTH * 202] = 5.0
    found = pyaa34(samples)
    assert found.shape == (200, 34)
    assert found[:, NAMES["energy"]].max() < 0.01


@pytest.mark.parametrize("rows", [1, 199, 200, 201])
def test_the_model_sees_200_rows(rows):
    values = np.random.default_rng(rows).normal(size=(rows, 34)).astype(np.float32)
    found = PYAA34.transform(values, {}, None)
    assert found.shape == PYAA34.shape({}) == (200, 34)
    assert found.dtype == np.float32
    kept = min(rows, 200)
    np.testing.assert_array_equal(found[:kept], values[:kept])
    assert (found[kept:] == 0).all()


def test_values_are_fed_as_they_are():
    assert PYAA34.scaling == "none"
    assert PYAA34.minimum == LENGTH
