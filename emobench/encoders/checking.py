"""The questions that a folder with an encoder must answer before its numbers are believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import EmobenchError, FeatureError
from .card import Card, read_card
from .identity import digest_of
from .model import Encoder

_SHORTEST_SECONDS = 0.025
_SECONDS = 1.0
_FRAMES_A_SECOND = (5.0, 1000.0)
_CLOSE = 1e-4
"""Part of the largest value by which arithmetic alone may change an answer."""


@dataclass(frozen=True)
class Answer:
    """What became of a question.

    Attributes:
        question: in a word or two
        good: whether the answer is the one that was expected
        found: what was found
    """

    question: str
    good: bool
    found: str


def ask(folder: Path) -> Iterator[Answer]:
    """Yield the answers of an encoder; after one without which no other makes sense, none follows.

    Args:
        folder: that holds card and model
    """
    try:
        card = read_card(folder)
        yield Answer("card", True, f"{card.name}: {card.citation}; licence: {card.licence}")
        digest_of(folder, card)
        yield Answer("sha256", True, "the model is the one that the card names")
        encoder = Encoder(folder)
        yield Answer("input", True, "takes a waveform: float32 of shape (batch, samples)")
    except EmobenchError as error:
        yield Answer("files", False, str(error))
        return
    for question, put in _QUESTIONS.items():
        try:
            yield Answer(question, *put(encoder, card))
        except FeatureError as error:
            yield Answer(question, False, f"{error}.")
            if question == "shapes":
                return


def _noise(card: Card, seconds: float, seed: int = 0) -> np.ndarray:
    """Return noise as loud as speech, of shape `(1, samples)`."""
    samples = round(seconds * card.sampling_rate)
    return 0.1 * np.random.default_rng(seed).standard_normal((1, samples)).astype(np.float32)


def _shapes(encoder: Encoder, card: Card) -> tuple[bool, str]:
    values = encoder.encode(_noise(card, _SECONDS))
    if not np.isfinite(values).all():
        return False, "expected finite values, found NaN or infinity"
    return True, f"{card.layers} layers of {card.width} columns, {values.shape[2]} frames of 1 s"


def _rate(encoder: Encoder, card: Card) -> tuple[bool, str]:
    short, long = (
        encoder.encode(_noise(card, seconds)).shape[2] for seconds in (_SECONDS, 3 * _SECONDS)
    )
    a_second = (long - short) / (2 * _SECONDS)
    low, high = _FRAMES_A_SECOND
    told = f"{a_second:.4g} frames a second at {card.sampling_rate:,} Hz"
    if not a_second:
        return False, (
            f"expected frames that follow the length of the sound, found {short} for 1 s and for "
            "3 s. A model that fills up to a window must cut its frames to the sound"
        )
    return low <= a_second <= high, told + (
        "" if low <= a_second <= high else f"; expected {low:g} to {high:g}. Is the rate right?"
    )


def _shortest(encoder: Encoder, card: Card) -> tuple[bool, str]:
    frames = encoder.encode(_noise(card, _SHORTEST_SECONDS)).shape[2]
    return True, f"{1000 * _SHORTEST_SECONDS:g} ms give {frames} frame{'s' * (frames > 1)}"


def _determinism(encoder: Encoder, card: Card) -> tuple[bool, str]:
    sound = _noise(card, _SECONDS)
    same = np.array_equal(encoder.encode(sound), encoder.encode(sound))
    return same, (
        "the same sound twice gives the same bits"
        if same
        else "expected the same values for the same sound, found others. Is dropout still in it?"
    )


def _silence(encoder: Encoder, card: Card) -> tuple[bool, str]:
    values = encoder.encode(np.zeros_like(_noise(card, _SECONDS)))
    finite = bool(np.isfinite(values).all())
    return finite, "gives finite values" if finite else "expected finite values, found NaN"


def _batching(encoder: Encoder, card: Card) -> tuple[bool, str]:
    sounds = [_noise(card, _SECONDS, seed) * scale for seed, scale in ((1, 1.0), (2, 0.1))]
    alone = np.concatenate([encoder.encode(sound) for sound in sounds])
    together = encoder.encode(np.concatenate(sounds))
    apart = float(np.abs(together - alone).max() / max(np.abs(alone).max(), 1e-30))
    return apart <= _CLOSE, (
        f"two clips at once give what each gives alone, but for {apart:.1e} of the largest value"
        if apart <= _CLOSE
        else "expected two clips at once to give what each gives alone, found a difference of "
        f"{apart:.1e} of the largest value. Does it normalise over the batch?"
    )


_QUESTIONS: dict[str, Callable[[Encoder, Card], tuple[bool, str]]] = {
    "shapes": _shapes,
    "rate": _rate,
    "shortest clip": _shortest,
    "determinism": _determinism,
    "silence": _silence,
    "batching": _batching,
}
