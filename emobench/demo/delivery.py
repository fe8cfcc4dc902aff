"""How a clip is delivered: published prosodic tendencies of emotions, with plenty of variation.

The directions follow table 11 of P. N. Juslin and P. Laukka, "Communication of emotions in vocal
expression and music performance", Psychological Bulletin 129(5), 2003, and the pitch, energy and
spectral figures of R. Banse and K. R. Scherer, "Acoustic profiles in vocal emotion expression",
Journal of Personality and Social Psychology 70(3), 1996. Sizes are ours: chosen so that emotions
overlap between clips and between speakers, as they do between people.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

SEED = 20030501
"""Everything random in the corpus follows from this number."""


@dataclass(frozen=True)
class Speaker:
    """One synthetic person.

    Attributes:
        name: as in file names
        pitch_hz: fundamental frequency of a neutral clip
        tract: factor on all formants; larger means a shorter vocal tract
        tempo: factor on the speaking rate
        breath: more (or less) aspiration noise than usual, in dB
        gain: recording level, in dB
    """

    name: str
    pitch_hz: float
    tract: float
    tempo: float
    breath: float
    gain: float


SPEAKERS = (
    Speaker("s01", 104.0, 0.97, 1.00, 0.0, 0.0),  # male
    Speaker("s02", 205.0, 1.17, 1.04, 2.0, -1.5),  # female
    Speaker("s03", 121.0, 1.02, 0.95, -2.0, 1.0),
    Speaker("s04", 186.0, 1.12, 0.97, 3.0, 0.5),
    Speaker("s05", 137.0, 1.05, 1.05, 1.0, -1.0),
    Speaker("s06", 226.0, 1.21, 1.00, 0.0, 1.5),
)


@dataclass(frozen=True)
class Delivery:
    """The controls of one clip, relative to the speaker's own neutral voice.

    Attributes:
        pitch: level of the fundamental frequency, in semitones
        pitch_range: height of a pitch accent, in semitones
        slope: change of pitch from the beginning to the end, in semitones
        rate: speaking rate, as a factor
        level: energy, in dB
        accent: how much louder stressed vowels are, in dB
        tilt: loss of the glottal source at 3 kHz, in dB; small sounds tense and bright
        open_quotient: share of a glottal cycle in which the glottis is open
        breath: aspiration noise beside the voice, in dB
        jitter: irregularity of cycle lengths, in percent
        shimmer: irregularity of cycle amplitudes, in percent
        tremor: slow wavering of pitch (6 Hz), in semitones
        opening: factor on the first formant
        precision: 1 reaches every vowel's formants, 0 says one neutral vowel throughout
    """

    pitch: float
    pitch_range: float
    slope: float
    rate: float
    level: float
    accent: float
    tilt: float
    open_quotient: float
    breath: float
    jitter: float
    shimmer: float
    tremor: float
    opening: float
    precision: float


EMOTIONS = {
    "anger": Delivery(4.0, 4.5, -1.0, 1.12, 6.0, 5.0, 5.0, 0.45, -32, 1.8, 9, 0.1, 1.12, 1.00),
    "happiness": Delivery(4.0, 5.0, 1.0, 1.08, 3.5, 4.0, 8.0, 0.52, -30, 0.6, 4, 0.1, 1.06, 0.95),
    "sadness": Delivery(-1.5, 1.2, -3.5, 0.85, -5.0, 1.5, 18.0, 0.70, -23, 1.4, 7, 0.25, 0.95, 0.7),
    "fear": Delivery(5.0, 1.8, 0.0, 1.13, -1.0, 2.5, 13.0, 0.62, -24, 2.0, 9, 0.45, 1.00, 0.80),
    "neutral": Delivery(0.0, 2.3, -2.5, 1.00, 0.0, 3.0, 11.0, 0.58, -29, 0.8, 5, 0.1, 1.00, 0.85),
}

_SPREAD = Delivery(1.3, 0.9, 1.3, 0.05, 2.0, 1.0, 3.0, 0.06, 3.0, 0.4, 2.0, 0.1, 0.04, 0.08)
"""Standard deviation of each control between clips of the same speaker and emotion."""

_LOWEST = Delivery(-6, 0.3, -7, 0.7, -12, 0, 2, 0.38, -40, 0.2, 1, 0, 0.85, 0.4)
_HIGHEST = Delivery(10, 9, 5, 1.3, 12, 8, 26, 0.85, -18, 3.5, 16, 1.0, 1.25, 1.0)

_STRENGTH = (0.4, 1.1)
"""Range of how strongly a clip carries its emotion, as a factor on the difference to neutral."""

_HABIT = 0.6
"""How far a speaker's own way with an emotion departs from the tendency, in spreads."""


def generator(*key: int | str) -> np.random.Generator:
    """Return the random numbers of one part of the corpus, the same on every machine.

    Only `Generator.random` is called on them: its stream, unlike that of the other
    distributions, rests on nothing but the raw PCG64 bits.

    Args:
        key: what the numbers are for, such as a speaker and an emotion
    """
    words = [SEED, *(byte for part in key for byte in (*str(part).encode(), 0))]
    return np.random.Generator(np.random.PCG64(words))


def bell(random: np.random.Generator, count: int) -> np.ndarray:
    """Return bell-shaped numbers of mean 0 and variance 1, of shape `(count,)`, within ±3.5."""
    return (random.random((count, 4)).sum(axis=1) - 2.0) * np.sqrt(3.0)


def draw(speaker: Speaker, emotion: str, random: np.random.Generator) -> Delivery:
    """Return how a speaker delivers one clip.

    Args:
        speaker: whose habits apply
        emotion: key of `EMOTIONS`
        random: the clip's own random numbers
    """
    neutral = np.array(astuple(EMOTIONS["neutral"]))
    tendency = np.array(astuple(EMOTIONS[emotion])) - neutral
    lowest, highest = _STRENGTH
    strength = lowest + (highest - lowest) * random.random()
    habit = bell(generator("habit", speaker.name, emotion), neutral.size)
    departure = _HABIT * habit + bell(random, neutral.size)
    controls = neutral + strength * tendency + departure * np.array(astuple(_SPREAD))
    controls = np.clip(controls, astuple(_LOWEST), astuple(_HIGHEST))
    return Delivery(*(float(value) for value in controls))
