"""Signals that the tests of the front-ends listen to."""

from __future__ import annotations

import numpy as np
import scipy.signal

RATE = 16_000


def in_16_bits(samples: np.ndarray) -> np.ndarray:
    """Return samples that 16-bit integers hold exactly."""
    return (np.clip(np.round(samples * 32_768), -32_768, 32_767) / 32_768).astype(np.float32)


def voice(seconds: float, seed: int = 0, level: float = 0.4) -> np.ndarray:
    """Return a buzz of gliding pitch between 110 and 210 Hz with pauses, exact in 16 bits."""
    n = round(seconds * RATE)
    random = np.random.default_rng(seed)
    time = np.arange(n) / RATE
    pitch = 160 + 50 * np.sin(2 * np.pi * 0.7 * time + seed)
    source = np.sin(np.cumsum(np.pi * pitch / RATE)) ** 16 - 0.2
    voiced = scipy.signal.lfilter([1], [1, -1.3, 0.8], source)
    noise = scipy.signal.lfilter([1], [1, -0.5], random.standard_normal(n))
    mixed = np.where(np.sin(5 * time + 1) > -0.3, voiced + 0.02 * noise, 0.1 * noise)
    return in_16_bits(level * mixed / max(np.abs(mixed).max(), 1e-9))


def with_a_pause(seconds: float = 2.0) -> np.ndarray:
    """Return a voice with digital silence from 0.5 s to 1 s."""
    samples = voice(seconds)
    samples[RATE // 2 : RATE] = 0
    return samples
