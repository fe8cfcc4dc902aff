"""What labels mean: emotions in five languages, whole or abbreviated."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..entries.fields import SEXES

LANGUAGES = {"en": "English", "de": "German", "fr": "French", "it": "Italian", "es": "Spanish"}

_WORDS = {
    "en": {
        "anger": "anger angry mad cross furious fury rage irritated irritation annoyed",
        "happiness": "happiness happy joy joyful amused amusement cheerful glad",
        "sadness": "sadness sad unhappy sorrow grief depressed",
        "fear": "fear fearful afraid scared anxious anxiety panic terror",
        "surprise": "surprise surprised pleasantsurprise pleasantsurprised astonished amazed",
        "disgust": "disgust disgusted",
        "neutral": "neutral normal plain",
        "other": "boredom bored calm excitement excited contempt guilt frustration frustrated "
        "frustated pride proud shame interest relief sarcastic sarcasm tenderness",
    },
    "de": {
        "anger": "wut wutend wuetend arger aerger argerlich aergerlich zorn zornig",
        "happiness": "freude frohlich froehlich glucklich gluecklich freudig heiter lustig",
        "sadness": "trauer traurig traurigkeit",
        "fear": "angst angstlich aengstlich furcht",
        "surprise": "uberraschung ueberraschung uberrascht ueberrascht",
        "disgust": "ekel angeekelt angewidert",
        "neutral": "neutral sachlich",
        "other": "langeweile gelangweilt ruhig verachtung stolz scham",
    },
    "fr": {
        "anger": "colere fache rage enerve",
        "happiness": "joie joyeux joyeuse heureux heureuse bonheur content contente",
        "sadness": "tristesse triste",
        "fear": "peur effraye anxiete",
        "surprise": "surprise surpris",
        "disgust": "degout degoute",
        "neutral": "neutre",
        "other": "ennui calme mepris fierte honte",
    },
    "it": {
        "anger": "rabbia arrabbiato arrabbiata ira collera",
        "happiness": "gioia felicita felice allegria contento contenta",
        "sadness": "tristezza triste",
        "fear": "paura ansia timore",
        "surprise": "sorpresa sorpreso",
        "disgust": "disgusto disgustato",
        "neutral": "neutro neutra neutrale neutralita",
        "other": "noia calma disprezzo colpa orgoglio vergogna",
    },
    "es": {
        "anger": "enfado enojo ira rabia enfadado enfadada enojado enojada",
        "happiness": "alegria felicidad feliz alegre contento contenta",
        "sadness": "tristeza triste",
        "fear": "miedo temor ansiedad",
        "surprise": "sorpresa sorprendido sorprendida",
        "disgust": "asco disgusto repugnancia",
        "neutral": "neutro neutra neutral",
        "other": "aburrimiento calma desprecio culpa orgullo verguenza",
    },
}

_SHORT = {
    "en": {
        "anger": "ang an a",
        "happiness": "hap hpy ha joy h j",
        "sadness": "sad sa s",
        "fear": "fea fe anx f",
        "surprise": "sur sup su ps u",
        "disgust": "dis dsg di d",
        "neutral": "neu ntr ne nor n",
        "other": "bor cal exc fru con gui",
    },
    "de": {
        "anger": "wut aer arg zor w",
        "happiness": "fre fro f",
        "sadness": "tra t",
        "fear": "ang fur a",
        "surprise": "ueb ube u",
        "disgust": "eke e",
        "neutral": "neu n",
        "other": "lan ruh l",
    },
    "fr": {
        "anger": "col co c",
        "happiness": "joi jo j",
        "sadness": "tri tr t",
        "fear": "peu pe p",
        "surprise": "sur su s",
        "disgust": "deg de d",
        "neutral": "neu ne n",
        "other": "enn cal",
    },
    "it": {
        "anger": "rab ra ira r",
        "happiness": "gio gi fel g",
        "sadness": "tri tr t",
        "fear": "pau pa ans p",
        "surprise": "sor so s",
        "disgust": "dis di d",
        "neutral": "neu ne n",
        "other": "noi col",
    },
    "es": {
        "anger": "enf eno ira e i",
        "happiness": "ale al fel a",
        "sadness": "tri tr t",
        "fear": "mie mi m",
        "surprise": "sor so s",
        "disgust": "asc as d",
        "neutral": "neu ne n",
        "other": "abu cal",
    },
}

_STRENGTH = {1: 0.4, 2: 0.6, 3: 0.8}
"""How much a label of so few letters tells, where a whole word tells 1."""


@dataclass(frozen=True)
class Meaning:
    """What the labels that occur mean.

    Attributes:
        emotions: canonical emotion by label, where it is recognised
        unknown: labels that are not
        language: in which abbreviations are read; None if there are none
        doubtful: labels that another language reads otherwise, and how
        score: from 0 (these are no emotions) to about 1.3 (they surely are)
    """

    emotions: Mapping[str, str]
    unknown: tuple[str, ...]
    language: str | None = None
    doubtful: Mapping[str, str] = field(default_factory=dict)
    score: float = 0.0


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
    return _ANY.get(plain(word))


def meaning(labels: Mapping[str, int]) -> Meaning:
    """Return what labels mean, all read in the one language that explains most of them.

    Args:
        labels: with the number of clips that bear each
    """
    readings = {code: _read(labels, code) for code in LANGUAGES}
    best = max(LANGUAGES, key=lambda code: len(readings[code]))
    emotions = readings[best]
    rivals = [code for code in LANGUAGES if len(readings[code]) == len(emotions) and code != best]
    doubtful = {
        label: f"{LANGUAGES[code]}: {readings[code][label]}"
        for code in rivals
        for label, emotion in emotions.items()
        if label in readings[code] and readings[code][label] != emotion
    }
    short = any(plain(label) not in _ANY for label in emotions)
    return Meaning(
        emotions,
        tuple(label for label in labels if label not in emotions),
        LANGUAGES[best] if short else None,
        doubtful,
        _score(labels, emotions),
    )


def sexes(values: Iterable[str]) -> dict[str, str] | None:
    """Return `female` or `male` for each value; None unless all are words for both of these."""
    found = {value: SEXES.get(value.strip().casefold()) for value in values}
    return found if set(found.values()) == {"female", "male"} else None


def _read(labels: Mapping[str, int], language: str) -> dict[str, str]:
    known = {**_ANY, **_BY_LANGUAGE[language]}
    return {label: known[plain(label)] for label in labels if plain(label) in known}


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
    if distinct < enough or len(labels) > 30 or len(set(emotions.values())) < several:
        return 0.0
    return strength * distinct * clips + 0.05 * min(6, len(set(emotions.values())))


def _table(words: Mapping[str, str]) -> dict[str, str]:
    return {word: emotion for emotion, text in words.items() for word in text.split()}


_ANY = {
    word: emotion
    for language in reversed(LANGUAGES)
    for word, emotion in _table(_WORDS[language]).items()
}
_BY_LANGUAGE = {
    language: {**_table(_SHORT[language]), **_table(_WORDS[language])} for language in LANGUAGES
}

EMOTION_WORDS = frozenset(_ANY)
"""Whole words for emotions in all languages, as `plain` spells them."""
