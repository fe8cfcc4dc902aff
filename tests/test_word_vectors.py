"""Files of word vectors as they are found in the wild, and the mistakes in them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from emobench.errors import FeatureError
from emobench.features import word_vectors

ROWS = {"yes": [0.5, -1.25, 3e-2], "no": [4, 5, 6], "don't": [-7, 8.5, 0.125]}
BODY = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in ROWS.items())


def written(folder: Path, content: str | bytes, name: str = "some.vec") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize(
    "content",
    [
        BODY,
        f"3 3\n{BODY}",
        f"3 3\n{BODY}".replace("\n", " \n"),  # as word2vec itself writes
        f"3 3\n{BODY}".replace("\n", "\r\n"),
        BODY.replace(" ", "\t"),
        BODY.rstrip("\n") + "\n\n",
        "\ufeff" + BODY,
        gzip.compress(BODY.encode(), mtime=0),
        BODY + "yes 9 9 9\n",
    ],
    ids=["glove", "word2vec", "blanks", "crlf", "tabs", "empty-line", "bom", "gzip", "twice"],
)
def test_reads_text_files_as_they_are_distributed(tmp_path, content):
    found = word_vectors.read(written(tmp_path, content), [*ROWS, "maybe"])
    assert found.size == 3
    assert set(found.vectors) == set(ROWS)
    for word, row in ROWS.items():
        assert found.vectors[word].dtype == np.float32
        np.testing.assert_array_equal(found.vectors[word], np.array(row, np.float32))


def test_words_may_hold_blanks_as_some_of_glove_do(tmp_path):
    content = "the 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\n\xa0 1 1 1\n42 0 0 1\n"
    found = word_vectors.read(written(tmp_path, content), ["at name@domain.com", ". . .", "42"])
    assert {word: row.tolist() for word, row in found.vectors.items()} == {
        "at name@domain.com": [7, 8, 9],
        ". . .": [4, 5, 6],
        "42": [0, 0, 1],
    }
    assert found.words == 5


def test_only_what_is_asked_for_is_kept_and_words_are_those_of_the_file(tmp_path):
    found = word_vectors.read(written(tmp_path, f"3 3\n{BODY}"), ["no", "NO"])
    assert list(found.vectors) == ["no"]
    assert found.words == 3


def test_a_file_that_was_changed_is_read_again(tmp_path):
    file = written(tmp_path, "a 1\n")
    assert word_vectors.read(file, ["a"]).vectors["a"] == 1
    written(tmp_path, "a 12\n")
    assert word_vectors.read(file, ["a"]).vectors["a"] == 12


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BODY + "maybe 1 2\n", "line 4: expected a word and 3 numbers, found 2 after a word"),
        (BODY + "maybe 1 2 3 4\n", "line 4: expected a word and 3 numbers, found 4 after a word"),
        (BODY + "maybe\n", "line 4: expected a word and 3 numbers, found 0 after a word"),
        (f"3 4\n{BODY}", "line 2: expected a word and 4 numbers, found 3 after a word"),
        (BODY.replace("5", "five"), "line 1: expected a word and its numbers, found 'yes 0.five"),
        ("3 3\n" + BODY.replace("5 6", "five 6"), "line 3: expected a number, found 'five'"),
        ("3 3\n" + BODY.replace("5 6", "nan 6"), "line 3: expected a finite number, found 'nan'"),
        ("3 3\n" + BODY.replace("5 6", "1e60 6"), "line 3: expected a finite number, found '1e60'"),
        ("3 3\n" + BODY.replace("5 6", " 6"), "line 3: expected a number, found ''"),
        (f"4 3\n{BODY}", "expected 4 words as its first line says, found 3. The file is cut off"),
        ((BODY + "schön 1 2 3\n").encode("latin-1"), r"line 4: .*UTF-8, found the byte 0xf6"),
        (BODY.encode("utf-16"), "expected text in UTF-8, found UTF-16. Convert it to UTF-8"),
        ("", "expected word vectors, found none. Give a text file"),
        ("# a comment\n" + BODY, "line 1: expected a word and its numbers"),
        (b"3 3\nyes \x00\x00\x80?\x00\x00\x00@\x00\x00@@", "found binary data, as in word2vec's"),
        (b"PK\x03\x04glove", "found a zip archive. Unpack it"),
        (gzip.compress(BODY.encode() * 100, mtime=0)[:-20], "found: Compressed file ended before"),
    ],
)
def test_mistakes_in_a_file_are_explained(tmp_path, content, message):
    file = written(tmp_path, content)
    with pytest.raises(FeatureError, match=message) as caught:
        word_vectors.read(file, ROWS)
    assert str(caught.value).startswith(str(file))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FeatureError, match=r"none\.vec: expected a file of word vectors, found"):
        word_vectors.read(tmp_path / "none.vec", ["a"])
    with pytest.raises(FeatureError, match="expected word vectors, found: Is a directory"):
        word_vectors.read(tmp_path, ["a"])
