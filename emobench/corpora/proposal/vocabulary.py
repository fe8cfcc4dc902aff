"""What labels mean: emotions in five languages, whole or abbreviated."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..entries.fields import SEXES

_FILE = Path(__file__).with_name("words.csv").read_text(encoding="utf-8")
_ROWS = tuple(csv.DictReader(_FILE.splitlines()))
"""What is meant by words: of labels by language, of `column`s, and `before` values in names."""

_LANGUAGES = list(dict.fromkeys(row["kind"] for row in _ROWS if row["kind"].istitle()))

_STRENGTH = {1: 0.4, 2: 0.6, 3: 0.8}
"""How much a label of so few letters tells, where a whole word tells 1."""


@dataclass(frozen=True)
class Meaning:
    """What the labels that occur mean.

    Attributes:
        emotions: canonical emotion by label, where it is recognised
        unknown: labels that are not
        language: in which abbreviations are read; None if there are none
        doubtful: labels that another language or text reads otherwise, and how
        score: from 0 (these are no emotions) to about 1.3 (they surely are)
        words: for codes, by a text that explains them
        source: where that stands
    """

    emotions: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    language: str | None = None
    doubtful: Mapping[str, str] = field(default_factory=dict)
    score: float = 0.0
    words: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None


def plain(text: str) -> str:
    """Return a word as it is looked up: small letters without accents, blanks and signs.

    Examples:
        >>> plain("Dégoût"), plain("pleasant_surprise")
        ('degout', 'pleasantsurprise')
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def emotion_of(word: str) -> str | None:
    """Return the canonical emotion that a whole word names in any of the languages.

    Examples:
        >>> emotion_of("wütend"), emotion_of("table")
        ('anger', None)
    """
    return EMOTION_WORDS.get(plain(word))


def meaning(labels: Mapping[str, int]) -> Meaning:
    """Return what labels of so many clips mean, in the one language that explains most of them."""
    readings = {
        language: {label: known[plain(label)] for label in labels if plain(label) in known}
        for language, known in _KNOWN.items()
    }
    best = max(readings, key=lambda language: len(readings[language]))
    emotions = readings[best]
    doubtful = {
        label: f"{language}: {read[label]}"
        for language, read in readings.items()
        if len(read) == len(emotions)
        for label, emotion in emotions.items()
        if read.get(label, emotion) != emotion
    }
    short = any(plain(label) not in EMOTION_WORDS for label in emotions)
    return Meaning(
        emotions,
        tuple(label for label in labels if label not in emotions),
        best if short else None,
        doubtful,
        _score(labels, emotions),
    )


def sexes(values: Iterable[str]) -> dict[str, str] | None:
    """Return `female` or `male` for each value; None unless all are words for both of these."""
    found = {value: SEXES.get(value.strip().casefold()) for value in values}
    return found if set(found.values()) == {"female", "male"} else None


def _score(labels: Mapping[str, int], emotions: Mapping[str, str]) -> float:
    """Return how sure it is that these are emotions at all."""
    if not emotions:
        return 0.0
    lengths = [len(plain(label)) for label in emotions]
    strength = sum(_STRENGTH.get(length, 1.0) for length in lengths) / len(lengths)
    distinct = len(emotions) / len(labels)
    clips = sum(labels[label] for label in emotions) / sum(labels.values())
    enough = 0.25 if strength == 1 else 0.75 if strength < 0.7 else 0.5
    several = 1 if strength == 1 else 3 if strength < 0.5 else 2
    kinds = len(set(emotions.values()))
    if distinct < enough or len(labels) > 30 or kinds < several:
        return 0.0
    return strength * distinct * clips + 0.05 * min(6, kinds)


def _words(kind: str, *columns: str) -> dict[str, str]:
    """Return what words mean, by word; those of later columns first."""
    rows = [row for row in _ROWS if row["kind"] == kind]
    return {word: row["means"] for name in columns for row in rows for word in row[name].split()}


EMOTION_WORDS = {
    word: emotion
    for language in reversed(_LANGUAGES)
    for word, emotion in _words(language, "words").items()
}
"""Emotions by whole words in all languages, as `plain` spells these."""
_KNOWN = {language: EMOTION_WORDS | _words(language, "short", "words") for language in _LANGUAGES}

COLUMNS = _words("column", "words")
"""Our columns by the names that tables give them, as `plain` spells them."""

BEFORE = _words("before", "words")
"""What follows a word in names: a speaker, an emotion, what speakers are in, or none of these."""
