"""From transcripts to word numbers, against NLTK and by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer

from emobench.errors import FeatureError
from emobench.features.tokens import TOKENS, words_of

TRAINING = ["Yes, I do.", "No! I don't know.", ""]
WORDS = ["do", "don't", "i", "know", "no", "yes"]


def params(**changes) -> dict:
    return {**TOKENS.defaults, "style": "words", **changes}


@pytest.mark.parametrize(
    "sentence",
    [
        "I can't do it, can I?",
        'She said "no" -- and left...',
        "It's $3.50 (or more); wanna bet?",
        "Der Lappen liegt auf dem Eisschrank.",
    ],
)
def test_a_sentence_is_cut_as_nltk_does(sentence):
    expected = [word.lower() for word in NLTKWordTokenizer().tokenize(sentence)]
    assert words_of(sentence, "nltk") == expected


@pytest.mark.parametrize(
    "sentences",
    [
        ["Yeah.", "I know."],
        ["So do I.", "Thank you, Mr. Smith."],
        ["J. Smith lives in the U.S. now."],
        ['"I am."', "He left."],
        ["Well...", "I see 3.5 of them.", "Go!"],
        ["Was?", "Ja. ", "Nein."],
    ],
)
def test_sentences_are_cut_each_on_its_own(sentences):
    expected = [
        word.lower() for sentence in sentences for word in NLTKWordTokenizer().tokenize(sentence)
    ]
    assert words_of(" ".join(sentences), "nltk") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I CAN'T -- won't; 'cause I'm fine!", ["i", "can't", "won't", "'cause", "i'm", "fine"]),
        ("He said: 'Stop!' and \"go\".", ["he", "said", "'stop", "and", "go"]),
        ("'Hello' well-known snake_case ' 42", ["hello", "well", "known", "snake", "case", "42"]),
        ("Das hätt’ ich!", ["das", "hätt'", "ich"]),
        ("scho\u0308n", ["schön"]),
        ("... -- ' ''", []),
    ],
)
def test_words_keep_their_apostrophes_and_nothing_else(text, expected):
    assert words_of(text, "words") == expected


def test_training_words_are_numbered_and_others_are_one_unknown_word():
    fitted = TOKENS.fit(TRAINING, params())
    assert fitted.state == {word: index for index, word in enumerate(WORDS, start=2)}
    assert fitted.shape == (128,)
    assert fitted.config == {"vocabulary": 64}
    assert fitted.facts == {"vocabulary": 8, "without_text": 1}
    ids = TOKENS.transform("Do YOU know?", params(), fitted.state)
    assert ids.dtype == np.float32
    assert ids.tolist() == [2, 1, 5, *[0] * 125]


@pytest.mark.parametrize("text", ["", "   ", "?!", None, float("nan")])
def test_a_clip_without_words_is_one_unknown_word(text):
    fitted = TOKENS.fit([*TRAINING, text], params(length=4))
    assert fitted.facts["without_text"] == 2
    assert TOKENS.transform(text, params(length=4), fitted.state).tolist() == [1, 0, 0, 0]


def test_long_texts_are_cut():
    fitted = TOKENS.fit(TRAINING, params(length=3))
    ids = TOKENS.transform("no no yes yes", params(length=3), fitted.state)
    assert ids.tolist() == [6, 6, 7]


def test_the_order_of_clips_does_not_matter():
    assert TOKENS.fit(TRAINING, params()).state == TOKENS.fit(TRAINING[::-1], params()).state


@pytest.mark.parametrize(("n_words", "rows"), [(1, 64), (62, 64), (63, 128), (126, 128)])
def test_sizes_of_vocabularies_are_rounded_up(n_words, rows):
    fitted = TOKENS.fit([f"w{index}" for index in range(n_words)], params())
    assert fitted.config["vocabulary"] == rows
    assert fitted.facts["vocabulary"] == n_words + 2
    assert max(fitted.state.values()) < rows


def test_vectors_are_looked_up_and_what_is_missing_is_counted(tmp_path):
    file = tmp_path / "small.vec"
    file.write_text("4 2\nno 1 2\nyes 3 4\ni 5 6\nunseen 7 8\n")
    fitted = TOKENS.fit(TRAINING, params(vectors=str(file)))
    table = fitted.weights["embedding"]
    assert table.shape == (64, 2)
    assert fitted.config == {"vocabulary": 64, "embedding_size": 2}
    assert table[0].tolist() == [0, 0]
    for word, row in {"no": [1, 2], "yes": [3, 4], "i": [5, 6]}.items():
        assert table[fitted.state[word]].tolist() == row
    assert np.isnan(table).all(axis=1).sum() == 64 - 4
    assert fitted.facts == {
        "vocabulary": 8,
        "without_text": 1,
        "vectors": "small.vec",
        "vectors_in_file": 4,
        "embedding_size": 2,
        "without_vector": 3,
        "without_vector_such_as": ["do", "don't", "know"],
    }


def test_transcripts_without_words_are_refused():
    with pytest.raises(FeatureError, match=r"found none in 2 training clips\. Give them with"):
        TOKENS.fit(["", "?"], params())


def test_nothing_is_cached_for_texts():
    assert TOKENS.text
    assert set(TOKENS.late) == set(TOKENS.defaults)
    with pytest.raises(FeatureError, match="is made from transcripts, not from sound"):
        TOKENS.extract(np.zeros(10, np.float32))


@given(
    training=st.lists(st.text(), min_size=1),
    text=st.text(),
    style=st.sampled_from(TOKENS.choices["style"]),
)
def test_any_text_gives_numbers_of_the_vocabulary(training, text, style):
    chosen = params(style=style, length=6)
    fitted = TOKENS.fit(["word", *training], chosen)
    ids = TOKENS.transform(text, chosen, fitted.state)
    assert ids.shape == fitted.shape
    assert ids[0] >= 1
    assert ids.max() < fitted.config["vocabulary"]
    words = int((ids > 0).sum())
    assert (ids[words:] == 0).all()
    seen = TOKENS.transform(training[0], chosen, fitted.state)
    assert not words_of(training[0], style) or (seen != 1).all()


def test_listing_front_ends_does_not_import_nltk():
    code = "import sys; from emobench.features import tokens; assert 'nltk' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
