"""Transcripts as sequences of word numbers.

The words of a fold's training transcripts are numbered: 0 is padding, 1 every word that training
has not shown. Two ways to cut a text into words: "nltk" is that of S. Yoon, S. Byun and K. Jung,
"Multimodal speech emotion recognition using audio and text", SLT 2018, arXiv:1810.04635, whose
released code uses NLTK's `word_tokenize` and lower case; "words" keeps letters, digits and
apostrophes, for vectors of word types (D. N. Krishna and S. S. Reddy, AVSP 2019).

`word_tokenize` first looks for sentences with data that must be fetched. Here a full stop inside a
text ends a sentence unless it belongs to a title ("mr.") or an initial; NLTK's word tokenizer,
which needs no data, does the rest. Yoon et al. take the vocabulary from all transcripts, those of
the test clips included; here training alone tells it.

A clip without a transcript, or with none that holds a word, is one unknown word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FeatureError
from . import word_vectors
from .front_end import Fitted, FrontEnd

PADDING = 0
UNKNOWN = 1

_ROUNDED = 64
_TITLES = frozenset({"dr", "jr", "mr", "mrs", "ms", "prof", "sr", "st", "vs"})
_FULL_STOP = re.compile(r"\b(\w+)\.(?=[\"'”’)\]]*\s)")


def words_of(text: str, style: str) -> list[str]:
    """Return the words of a text in lower case.

    Args:
        text: a transcript
        style: "nltk" for words and punctuation marks as NLTK cuts them, "words" for words alone,
            with their apostrophes

    Examples:
        >>> words_of("I can't. Go - now!", "nltk")
        ['i', 'ca', "n't", '.', 'go', '-', 'now', '!']
        >>> words_of("I can't. Go - now!", "words")
        ['i', "can't", 'go', 'now']
    """
    text = unicodedata.normalize("NFC", text)
    if style == "words":
        return _plain_words(text.lower().replace("’", "'"))
    detached = _FULL_STOP.sub(_detach, text)
    return [word.lower() for word in _tokenizer().tokenize(detached)]


def _detach(match: re.Match[str]) -> str:
    """Part a full stop from its word, unless it marks a title or an initial."""
    word = match[1]
    initial = len(word) == 1 and word.isalpha() and word != "I"
    return match[0] if initial or word.lower() in _TITLES else f"{word} ."


def _plain_words(text: str) -> list[str]:
    """Return the words of a text, quotation marks of one stroke taken off."""
    words = re.findall(r"(?:[^\W_]|')+", text)
    quoted = (
        word[1:-1] if word[0] == word[-1] == "'" and len(word) > 2 else word for word in words
    )
    return [word for word in quoted if word.strip("'")]


@cache
def _tokenizer() -> Any:
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()


def fit(transcripts: Sequence[str], params: Mapping[str, Any]) -> Fitted:
    """Number the words of the training transcripts, and look up their vectors.

    Args:
        transcripts: of the training clips; one that holds no word teaches none
        params: of the front-end

    Returns:
        state: number of each word. The vocabulary's size is rounded up so that few networks are
        traced; rows that no word has stay as they are drawn.

    Raises:
        FeatureError: if no transcript holds a word, or the file of vectors cannot be used
    """
    cut = [words_of(text, params["style"]) if isinstance(text, str) else [] for text in transcripts]
    words = sorted({word for each in cut for word in each})
    if not words:
        raise FeatureError(
            f"tokens: expected transcripts with words, found none in {len(transcripts)} training "
            "clips. Give them with --transcripts FILE.csv (id, text)."
        )
    numbers = {word: index for index, word in enumerate(words, start=UNKNOWN + 1)}
    used = len(words) + UNKNOWN + 1
    rows = -(-used // _ROUNDED) * _ROUNDED
    config: dict[str, Any] = {"vocabulary": rows}
    weights = {}
    facts: dict[str, Any] = {
        "vocabulary": used,
        "without_text": sum(not each for each in cut),
    }
    if params["vectors"]:
        found = word_vectors.read(params["vectors"], words)
        weights["embedding"] = _table(numbers, found, rows)
        config["embedding_size"] = found.size
        facts |= _facts_of(params["vectors"], words, found)
    return Fitted((params["length"],), numbers, config, weights, facts)


def _table(numbers: Mapping[str, int], found: word_vectors.WordVectors, rows: int) -> np.ndarray:
    """Return the vectors by word number; rows of NaN are those that the file does not tell."""
    table = np.full((rows, found.size), np.nan, np.float32)
    table[PADDING] = 0
    for word, vector in found.vectors.items():
        table[numbers[word]] = vector
    return table


def _facts_of(path: str, words: Iterable[str], found: word_vectors.WordVectors) -> dict[str, Any]:
    without = [word for word in words if word not in found.vectors]
    return {
        "vectors": Path(path).name,
        "vectors_in_file": found.words,
        "embedding_size": found.size,
        "without_vector": len(without),
        "without_vector_such_as": without[:10],
    }


def transform(
    text: str | None, params: Mapping[str, Any], numbers: Mapping[str, int]
) -> np.ndarray:
    """Return the word numbers of a transcript, cut or padded with 0 to the length.

    Args:
        text: transcript, or None where there is none
        params: of the front-end
        numbers: of each word, from `fit`

    Returns:
        whole numbers as float32, of shape `(length,)`
    """
    words = words_of(text, params["style"]) if isinstance(text, str) else []
    ids = [numbers.get(word, UNKNOWN) for word in words[: params["length"]]] or [UNKNOWN]
    padded = np.full(params["length"], PADDING, np.float32)
    padded[: len(ids)] = ids
    return padded


def _no_sound(samples: np.ndarray) -> np.ndarray:
    raise FeatureError("is made from transcripts, not from sound")


TOKENS = FrontEnd(
    name="tokens",
    title="numbers of the words of the transcript, known from the training transcripts",
    extract=_no_sound,
    shape=lambda params: (params["length"],),
    defaults={"style": "nltk", "length": 128, "vectors": ""},
    limits={"length": (1, 1024)},
    choices={"style": ("nltk", "words")},
    late=("style", "length", "vectors"),
    scaling="none",
    fit=fit,
    transform=transform,
    requires="nltk",
    text=True,
)
