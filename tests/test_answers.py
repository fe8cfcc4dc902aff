"""Answers on paper: what is written is read back, and a file of something else is left alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from emobench.bundles.answers import AnswerFile, Writing
from emobench.bundles.labelling import Answer
from emobench.bundles.wanted import Wanted
from emobench.errors import SpecError

LABELS = ("anger", "joy, or so")
"""A label with a comma, as a corpus may write it."""
BUNDLE = "svm-is09 1a2b3c4d"
CLIPS = (
    Wanted("a.wav", Path("a.wav")),
    Wanted("b, c.wav", Path("b, c.wav"), 0.5, 1.25, "Zoë"),
    Wanted('say "d".wav', Path("d.wav"), 2.0),
    Wanted("two\nlines.wav", Path("e.wav"), None, 3.0, "s1"),
)
SHARES = np.array([[0.75, 0.25], [0.1, 0.9], [0.5, 0.5], [1 / 3, 2 / 3]], np.float32)


@pytest.fixture(params=["csv", "json"])
def writing(request) -> Writing:
    return Writing(LABELS, BUNDLE, request.param)


@pytest.fixture
def file(writing, tmp_path) -> Path:
    """A file with an answer for each clip."""
    path = tmp_path / "answers"
    with AnswerFile(path, writing) as opened:
        for clip, shares in zip(CLIPS, SHARES, strict=True):
            opened.add(Answer(clip, shares))
    return path


def test_what_was_written_is_read(writing, file):
    told = writing.read(file)
    assert list(told) == [clip.key for clip in CLIPS]
    for clip, shares in zip(CLIPS, SHARES, strict=True):
        answer = told[clip.key]
        assert answer.speaker == clip.speaker
        assert answer.predicted == LABELS[int(shares.argmax())]
        assert list(answer.probabilities) == list(LABELS)
        # As many digits as a float32 has: read as one, it is the same number again.
        assert np.array_equal(np.float32(list(answer.probabilities.values())), shares)


def test_other_programs_read_it(writing, file):
    """The formats are those of Python's own modules."""
    if writing.format == "json":
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        assert [row["path"] for row in rows] == [clip.name for clip in CLIPS]
        assert {row["bundle"] for row in rows} == {BUNDLE}
        assert rows[1]["probabilities"] == {"anger": 0.1, "joy, or so": 0.9}
        assert (rows[0]["start"], rows[0]["end"], rows[0]["speaker"]) == (None, None, None)
    else:
        rows = list(csv.DictReader(io.StringIO(file.read_text(), newline="")))
        assert [row["path"] for row in rows] == [clip.name for clip in CLIPS]
        assert {row["bundle"] for row in rows} == {BUNDLE}
        assert (rows[1]["p_anger"], rows[1]["p_joy, or so"]) == ("0.1", "0.9")
        assert (rows[0]["start"], rows[0]["end"], rows[0]["speaker"]) == ("", "", "")


def test_a_file_that_is_not_there_answers_nothing(writing, tmp_path):
    assert writing.resume(tmp_path / "none") == set()
    assert not (tmp_path / "none").exists()


def test_a_file_is_gone_on_with_from_wherever_it_was_cut(writing, file):
    """Whatever of it is left, its whole lines count, the rest is taken off, and it can go on."""
    content = file.read_bytes()
    first = len(writing.head)
    for kept in range(0, len(content) + 1, 7):
        file.write_bytes(content[:kept])
        answered = writing.resume(file)
        left = file.read_bytes()
        assert content.startswith(left)
        assert left in (b"", content[:first]) or left.endswith(b"\n")
        with AnswerFile(file, writing) as opened:
            for clip, shares in zip(CLIPS, SHARES, strict=True):
                if clip.key not in answered:
                    opened.add(Answer(clip, shares))
        assert set(writing.read(file)) == {clip.key for clip in CLIPS}


def test_no_answer_is_lost_to_a_quote_that_nothing_closes(tmp_path):
    """Somebody's editor, or a flipped bit: all behind it looks like one long name."""
    path, writing = tmp_path / "answers.csv", Writing(LABELS, BUNDLE)
    with AnswerFile(path, writing) as opened:
        for number in range(50):
            opened.add(Answer(Wanted(f"{number}.wav", Path(f"{number}.wav")), SHARES[0]))
    whole = path.read_bytes()
    for at in (whole.index(b"7.wav"), whole.index(b"49.wav")):
        path.write_bytes(whole[:at] + b'"' + whole[at:])
        with pytest.raises(SpecError, match="found something else"):
            writing.resume(path)
        assert path.read_bytes() == whole[:at] + b'"' + whole[at:]


OTHERS = {
    "poetry": b"Shall I compare thee to a summer's day?\n",
    "half a word": b"Shall",
    "other columns": b"path,start,end,speaker,predicted,p_anger,p_fear,bundle\n",
    "a row too short": b'path,start,end,speaker,predicted,p_anger,"p_joy, or so",bundle\na.wav,,\n',
    "no number": b'path,start,end,speaker,predicted,p_anger,"p_joy, or so",bundle\n'
    b"a.wav,soon,,s1,anger,0.5,0.5,svm-is09 1a2b3c4d\n",
    "another bundle": b'path,start,end,speaker,predicted,p_anger,"p_joy, or so",bundle\n'
    b"a.wav,,,s1,anger,0.5,0.5,other 00000000\n",
    "a list": b"[1, 2]\n",
    "an object of something else": b'{"path": "a.wav"}\n',
    "another bundle in JSON": b'{"path": "a", "start": null, "end": null, "bundle": "other"}\n',
    "bytes": bytes(range(128, 160)) + b"\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(writing, tmp_path, name):
    path = tmp_path / "mine"
    path.write_bytes(OTHERS[name])
    message = f"expected answers of {BUNDLE} as {writing.format}, found something else"
    for read in (
        (writing.resume, writing.read) if OTHERS[name].endswith(b"\n") else (writing.resume,)
    ):
        with pytest.raises(SpecError, match=message) as refused:
            read(path)
        assert str(path) in str(refused.value)
        assert "Name another file, or remove it" in str(refused.value)
    assert path.read_bytes() == OTHERS[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("poetry", "its columns are Shall I compare thee to a summer's day?"),
        ("half a word", "no line of answers"),
        ("other columns", "its columns are path, start, .*p_fear"),
        ("another bundle", "an answer of other 00000000"),
        ("no number", "could not convert string to float: 'soon'"),
    ],
)
def test_the_reason_is_told(tmp_path, name, reason):
    path = tmp_path / "mine"
    path.write_bytes(OTHERS[name])
    with pytest.raises(SpecError, match=reason):
        Writing(LABELS, BUNDLE).resume(path)


def test_a_folder_is_no_file_of_answers(writing, tmp_path):
    with pytest.raises(SpecError, match="expected a file that can be written, found 'Is a dir"):
        writing.read(tmp_path)
    with pytest.raises(SpecError, match="found 'Is a directory'"), AnswerFile(tmp_path, writing):
        pass


def test_a_name_that_is_no_text_survives(writing, tmp_path):
    """A file name is bytes; those that are no UTF-8 come back as they were."""
    name = b"l\xf6wenzahn.wav".decode("utf-8", "surrogateescape")
    path = tmp_path / "answers"
    with AnswerFile(path, writing) as opened:
        opened.add(Answer(Wanted(name, Path(name)), SHARES[0]))
    assert list(writing.read(path)) == [(name, None, None)]
    assert writing.resume(path) == {(name, None, None)}
