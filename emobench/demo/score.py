"""What is said: sentences as sounds, and a sentence with a delivery as tracks over time.

Formants are those of male speakers in G. E. Peterson and H. L. Barney, "Control methods used in a
study of the vowels", JASA 24(2), 1952; the speaker's tract scales them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .delivery import Delivery, Speaker, bell

FRAME_RATE = 200
"""Control frames a second."""

SHORTEST, LONGEST = 2.0, 3.0
"""Bounds of a clip's duration, in seconds."""


@dataclass(frozen=True)
class Sound:
    """A steady piece of speech.

    Attributes:
        seconds: duration in an unhurried sentence
        formants: first three resonances, in Hz
        voicing: amplitude of the voice, from 0 to 1
        hiss: amplitude of noise made at a constriction, from 0 to 1
        band: where that noise lies: 0 spread, 1 middle (2 kHz), 2 high (5 kHz)
    """

    seconds: float
    formants: tuple[float, float, float]
    voicing: float = 1.0
    hiss: float = 0.0
    band: int = 0


_NEUTRAL_FORMANTS = (500.0, 1500.0, 2500.0)  # of a uniform tube, 17 cm long

SOUNDS = {
    "IY": Sound(0.10, (270, 2290, 3010)),
    "IH": Sound(0.08, (390, 1990, 2550)),
    "EH": Sound(0.08, (530, 1840, 2480)),
    "AE": Sound(0.10, (660, 1720, 2410)),
    "AA": Sound(0.10, (730, 1090, 2440)),
    "AO": Sound(0.09, (570, 840, 2410)),
    "UH": Sound(0.07, (440, 1020, 2240)),
    "AH": Sound(0.07, (600, 1190, 2390)),
    "ER": Sound(0.10, (490, 1350, 1690)),
    "L": Sound(0.07, (360, 1100, 2700), voicing=0.5),
    "W": Sound(0.06, (290, 650, 2200), voicing=0.5),
    "N": Sound(0.06, (260, 1450, 2500), voicing=0.35),
    "NG": Sound(0.07, (260, 1900, 2600), voicing=0.35),
    "DH": Sound(0.05, (300, 1400, 2600), voicing=0.35, hiss=0.12),
    "V": Sound(0.06, (280, 1100, 2300), voicing=0.35, hiss=0.12),
    "Z": Sound(0.08, (280, 1600, 2600), voicing=0.25, hiss=0.45, band=2),
    "S": Sound(0.10, (320, 1600, 2600), voicing=0.0, hiss=0.9, band=2),
    "F": Sound(0.09, (320, 1100, 2200), voicing=0.0, hiss=0.25),
    "-": Sound(0.06, (300, 1500, 2500), voicing=0.0),  # closure of a voiceless stop
    "=": Sound(0.05, (220, 1300, 2400), voicing=0.12),  # closure of a voiced stop
    "B": Sound(0.015, (250, 900, 2200), voicing=0.4, hiss=0.3),
    "D": Sound(0.015, (250, 1700, 2600), voicing=0.4, hiss=0.5, band=2),
    "T": Sound(0.04, (350, 1700, 2600), voicing=0.0, hiss=0.7, band=2),
    "K": Sound(0.04, (350, 1800, 2200), voicing=0.0, hiss=0.7, band=1),
}

SENTENCES = {
    "a": (
        "The folder is lying on the table.",
        "DH AH F 'AO UH L = D ER IH Z L 'AA IH IH NG AO N DH AH - T 'EH IH = B AH L",
    ),
    "b": (
        "We leave the boxes at the window.",
        "W IY L 'IY V DH AH = B 'AA - K S IH Z AE - T DH AH W 'IH N = D AO UH",
    ),
}
"""Text and sounds; an apostrophe marks a stressed vowel. Neither text speaks of a feeling."""

_UNVOICED_PAUSE = Sound(0.0, _NEUTRAL_FORMANTS, voicing=0.0)


@dataclass(frozen=True)
class Tracks:
    """Controls of the synthesiser, one row for each 5 ms.

    Attributes:
        pitch_hz: of shape `(frames,)`
        formants: of shape `(frames, 3)`, in Hz
        voicing: amplitude of the voice, of shape `(frames,)`
        hiss: amplitude of constriction noise in each band, of shape `(frames, 3)`
    """

    pitch_hz: np.ndarray
    formants: np.ndarray
    voicing: np.ndarray
    hiss: np.ndarray


@dataclass(frozen=True)
class Clip:
    """What one waveform is made from.

    Attributes:
        speaker: who speaks
        delivery: voice quality and level
        tracks: what the articulators do
        random: the clip's own random numbers
    """

    speaker: Speaker
    delivery: Delivery
    tracks: Tracks
    random: np.random.Generator


def perform(
    sentence: str, speaker: Speaker, delivery: Delivery, random: np.random.Generator
) -> Tracks:
    """Return the tracks of one clip.

    Args:
        sentence: key of `SENTENCES`
        speaker: who speaks
        delivery: how
        random: the clip's own random numbers

    Returns:
        tracks of 2 to 3 seconds, with a short pause before and after the speech
    """
    names = SENTENCES[sentence][1].split()
    stressed = np.array([False, *(name.startswith("'") for name in names), False])
    spoken = [SOUNDS[name.lstrip("'")] for name in names]
    sounds = [_UNVOICED_PAUSE, *spoken, _UNVOICED_PAUSE]
    ends = np.cumsum(_durations(sounds, stressed, delivery.rate * speaker.tempo, random))
    times = np.arange(round(ends[-1] * FRAME_RATE)) / FRAME_RATE
    place = np.minimum(np.searchsorted(ends, times, side="right"), len(sounds) - 1)

    centre = np.array(_NEUTRAL_FORMANTS)
    targets = np.array([sound.formants for sound in sounds])
    targets = centre + delivery.precision * (targets - centre)
    targets = targets * (1.0 + 0.02 * bell(random, targets.size).reshape(targets.shape))
    targets = targets * speaker.tract * np.array([delivery.opening, 1.0, 1.0])
    accent_decibels = delivery.accent * (stressed - stressed.mean()) + bell(random, len(sounds))
    loudness = 10.0 ** (accent_decibels / 20.0)
    fading = 1.0 - 0.35 * np.clip((times - ends[0]) / (ends[-2] - ends[0]), 0.0, 1.0)
    hiss = np.zeros((len(sounds), 3))
    hiss[np.arange(len(sounds)), [sound.band for sound in sounds]] = [s.hiss for s in sounds]
    voicing = np.array([sound.voicing for sound in sounds]) * loudness
    return Tracks(
        pitch_hz=speaker.pitch_hz * 2.0 ** (_melody(times, ends, stressed, delivery, random) / 12),
        formants=_smooth(targets[place], 13),
        voicing=_smooth(voicing[place], 7) * fading,
        hiss=_smooth(hiss[place], 3) * fading[:, None],
    )


def _durations(
    sounds: list[Sound], stressed: np.ndarray, rate: float, random: np.random.Generator
) -> np.ndarray:
    """Return each sound's duration in seconds, of shape `(sounds,)`, pauses at both ends."""
    seconds = np.array([sound.seconds for sound in sounds])
    seconds = seconds * (1.0 + 0.35 * stressed) * (1.0 + 0.08 * bell(random, len(sounds)))
    seconds[-4:] *= 1.25  # speakers slow down at the end
    speech = np.clip(seconds.sum() / rate, SHORTEST - 0.3, LONGEST - 0.32)
    seconds *= speech / seconds.sum()
    before, after = 0.08 + 0.07 * random.random(2)
    seconds[0] = before
    seconds[-1] = max(after, SHORTEST + 0.02 - speech - before)
    return seconds


def _melody(
    times: np.ndarray,
    ends: np.ndarray,
    stressed: np.ndarray,
    delivery: Delivery,
    random: np.random.Generator,
) -> np.ndarray:
    """Return the pitch contour in semitones around the speaker's pitch, of shape `(frames,)`."""
    onset, speech = ends[0], ends[-2] - ends[0]
    melody = delivery.pitch + delivery.slope * ((times - onset) / speech - 0.5)
    peaks = (ends - 0.4 * np.diff(ends, prepend=0.0))[stressed]
    heights = delivery.pitch_range * (1.0 + 0.3 * bell(random, peaks.size))
    distance = np.clip(np.abs(times[:, None] - peaks) / 0.16, 0.0, 1.0)
    accents = (0.5 + 0.5 * np.cos(np.pi * distance)) @ heights
    melody = melody + accents - accents.mean()
    phase = 2 * np.pi * random.random()
    tremor = delivery.tremor * np.sin(2 * np.pi * 6.0 * times + phase)
    drift = _smooth(bell(random, times.size), 41) * 1.5
    return melody + tremor + drift


def _smooth(track: np.ndarray, frames: int) -> np.ndarray:
    """Return a track smoothed along time by a Hann window of so many frames."""
    window = np.hanning(frames + 2)[1:-1]
    window /= window.sum()
    half = frames // 2
    widths = [(half, half)] + [(0, 0)] * (track.ndim - 1)
    padded = np.pad(track, widths, mode="edge")
    return sum(weight * padded[i : i + len(track)] for i, weight in enumerate(window))
