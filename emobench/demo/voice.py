"""Source-filter synthesis of speech: glottal pulses and noise through moving formants.

After D. H. Klatt and L. C. Klatt, "Analysis, synthesis, and perception of voice quality variations
among female and male talkers", JASA 87(2), 1990: their KLGLOTT88 pulse with spectral tilt,
aspiration noise, jitter and shimmer, and a cascade of second-order resonators that moves with every
sample. Noise made at a constriction bypasses the cascade through fixed bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import signal

from .delivery import bell
from .score import FRAME_RATE, Clip

SAMPLE_RATE = 16_000
_STEP = SAMPLE_RATE // FRAME_RATE
_UPPER_FORMANTS = (3400.0, 4500.0, 5500.0)
_BANDWIDTHS = (70.0, 95.0, 140.0, 220.0, 320.0, 420.0)

_HISS_CENTRES = (2000.0, 5000.0)
_HISS_BANDWIDTHS = (700.0, 1600.0)

_NEUTRAL_RMS = -27.0
"""Level of a neutral clip, in dB below full scale."""

_HIGHEST_PEAK = 0.89
_BACKGROUND_RMS = -64.0
"""Level of the noise of the room, in dB below full scale: no clip is digitally silent."""


def synthesise(clips: Sequence[Clip]) -> list[np.ndarray]:
    """Return the waveforms of clips; each is what it would be if made alone.

    Args:
        clips: made together, because the filter's loop over samples costs the same for many

    Returns:
        for each clip, 16-bit samples at 16 kHz, of shape `(samples,)`, little-endian
    """
    sources = [_source(clip) for clip in clips]
    voices = _through_tract(sources, clips)
    return [_recorded(voice, clip) for voice, clip in zip(voices, clips, strict=True)]


def _recorded(voice: np.ndarray, clip: Clip) -> np.ndarray:
    """Return the voice with its constriction noise at the clip's level, in a room, as integers."""
    speech = voice + _constriction_noise(clip)
    level = _NEUTRAL_RMS + clip.speaker.gain + clip.delivery.level
    speech *= _amplitude(level) / np.sqrt(np.mean(speech**2))
    speech *= min(1.0, _HIGHEST_PEAK / np.abs(speech).max())
    speech += _amplitude(_BACKGROUND_RMS) * _white(clip.random, speech.size)
    return np.round(speech * 32767.0).astype("<i2")


def _amplitude(decibels: float) -> float:
    """Return the amplitude ratio of a level in dB."""
    return 10.0 ** (decibels / 20.0)


def _white(random: np.random.Generator, count: int) -> np.ndarray:
    """Return white noise of variance 1, of shape `(count,)`."""
    return (random.random(count) - 0.5) * np.sqrt(12.0)


def _at_samples(track: np.ndarray) -> np.ndarray:
    """Return a track of shape `(frames,)` at every sample, of shape `(samples,)`."""
    positions = np.arange(len(track) * _STEP) / _STEP
    return np.interp(positions, np.arange(len(track)), track)


def _source(clip: Clip) -> np.ndarray:
    """Return the derivative of the glottal flow with its aspiration noise, `(samples,)`."""
    delivery, random = clip.delivery, clip.random
    pitch_hz = _at_samples(clip.tracks.pitch_hz)
    cycles = np.cumsum(pitch_hz) / SAMPLE_RATE
    count = int(cycles[-1]) + 3
    shifts = bell(random, count) * delivery.jitter / 100.0
    cycles = cycles + np.interp(cycles, np.arange(count), shifts)
    whole = np.floor(cycles)
    strengths = 1.0 + bell(random, count) * delivery.shimmer / 100.0
    strength = strengths[whole.astype(int).clip(0, count - 1)]
    opening = np.minimum((cycles - whole) / delivery.open_quotient, 1.0)
    flow = 6.75 * opening**2 * (1.0 - opening) * strength  # peak 1, closed beyond the quotient
    # The difference of a continuous flow, not its sampled derivative: that one jumps at each
    # closure and would alias.
    pulses = np.diff(flow, prepend=0.0) * (SAMPLE_RATE / pitch_hz)
    pulses = _tilted(pulses, delivery.tilt)
    breath = _amplitude(delivery.breath + clip.speaker.breath)
    aspiration = 12.0 * breath * (0.4 + flow) * _white(random, flow.size)
    return _at_samples(clip.tracks.voicing) * (pulses + aspiration)


def _tilted(pulses: np.ndarray, loss: float) -> np.ndarray:
    """Return the pulses after a one-pole low-pass that loses so many dB at 3 kHz."""
    # |H|^2 = (1 - p)^2 / (1 - 2 p cos w + p^2), solved for the pole p.
    ratio = _amplitude(-loss) ** 2
    cosine = np.cos(2 * np.pi * 3000.0 / SAMPLE_RATE)
    middle = (1.0 - ratio * cosine) / (1.0 - ratio)
    pole = middle - np.sqrt(middle**2 - 1.0)
    return signal.lfilter([1.0 - pole], [1.0, -pole], pulses)


def _through_tract(sources: Sequence[np.ndarray], clips: Sequence[Clip]) -> list[np.ndarray]:
    """Return each source after its cascade of moving resonators, of shape `(samples,)` each."""
    frames = max(len(clip.tracks.formants) for clip in clips)
    first = np.stack([_first_coefficients(clip, frames + 1) for clip in clips], axis=-1)
    second = (_radii(_BANDWIDTHS) ** 2)[:, None]  # the bandwidths, and so the radii, stay
    output = np.zeros((frames * _STEP, len(clips)))
    for index, source in enumerate(sources):
        output[: source.size, index] = source
    # Every resonator works on what the one before it gave one sample earlier. That delays the
    # whole by five samples and lets all resonators of all clips advance in one step.
    heard, last, older = np.zeros((3, len(_BANDWIDTHS), len(clips)))
    for frame in range(frames):
        coefficient, slope = first[frame], (first[frame + 1] - first[frame]) / _STEP
        for sample in range(frame * _STEP, (frame + 1) * _STEP):
            coefficient = coefficient + slope
            heard[0] = output[sample]
            heard[1:] = last[:-1]
            new = heard * (1.0 + second) + coefficient * (heard - last) - second * older
            last, older = new, last
            output[sample] = new[-1]
    return [output[: source.size, index] for index, source in enumerate(sources)]


def _first_coefficients(clip: Clip, frames: int) -> np.ndarray:
    """Return the moving coefficient of each resonator, of shape `(frames, resonators)`."""
    formants = clip.tracks.formants
    formants = np.pad(formants, ((0, frames - len(formants)), (0, 0)), mode="edge")
    upper = np.full((frames, len(_UPPER_FORMANTS)), _UPPER_FORMANTS) * clip.speaker.tract
    frequencies = np.hstack([formants, upper])
    return -2.0 * _radii(_BANDWIDTHS) * np.cos(2 * np.pi * frequencies / SAMPLE_RATE)


def _radii(bandwidths: Sequence[float]) -> np.ndarray:
    """Return the radius of the poles for bandwidths in Hz."""
    return np.exp(-np.pi * np.array(bandwidths) / SAMPLE_RATE)


def _constriction_noise(clip: Clip) -> np.ndarray:
    """Return the noise of fricatives and bursts, of shape `(samples,)`."""
    hiss = clip.tracks.hiss
    noise = _white(clip.random, len(hiss) * _STEP)
    centres = np.array(_HISS_CENTRES) * min(clip.speaker.tract, 1.15)
    bands = [0.25 * noise]
    for centre, radius in zip(centres, _radii(_HISS_BANDWIDTHS), strict=True):
        angle = 2 * np.pi * centre / SAMPLE_RATE
        band = signal.lfilter([1.0, -1.0], [1.0, -2.0 * radius * np.cos(angle), radius**2], noise)
        bands.append(band / np.sqrt(np.mean(band**2)))
    return sum(_at_samples(track) * band for track, band in zip(hiss.T, bands, strict=True))
