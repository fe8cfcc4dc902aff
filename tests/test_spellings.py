"""How corpora spell things: files, paths, names of people, words on a command line."""

from __future__ import annotations

import fnmatch
import os
import posixpath
import unicodedata
from pathlib import Path

import click
import pytest

from emobench import errors
from emobench.cli import options
from emobench.corpora.download.member_names import safe_parts
from emobench.corpora.reading.audio_files import found_instead, is_pointer, readable, scan
from emobench.corpora.reading.spellings import unified
from emobench.corpora.reading.table_parts import Form, Unreadable, decoded
from emobench.errors import CorpusError


@pytest.mark.parametrize(
    "name",
    [
        "a.wav",
        "a/b.wav",
        "./a//b.wav",
        "a/./b.wav",
        "deep/er/and/deeper/x",
        "...",
        "a..b/c",
        "~",
        "",
    ],
)
def test_members_of_archives_stay_below_the_folder(name):
    parts = safe_parts(name, "x.zip")
    expected = posixpath.normpath(name)
    assert "/".join(parts) == ("" if expected == "." else expected)


@pytest.mark.parametrize(
    "name",
    [
        *("..", "../a", "a/../../b", "a/..", "..\\a", "a\\..\\..\\b"),
        *("/etc/passwd", "//host/share", "C:/a", "c:a", "\\\\host\\share\\a", "\\a"),
        *("a\0b", "a\nb", "a\x7fb"),
    ],
)
def test_members_that_lead_elsewhere_are_refused(name):
    message = r"x\.zip: expected names below the corpus folder.*Nothing was unpacked"
    with pytest.raises(CorpusError, match=message):
        safe_parts(name, "x.zip")


FILES = ("a/1.wav", "a/2.WAV", "a/b/3.flac", "b/1.wav", "notes.txt", "é.wav")


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in (*FILES, ".hidden.wav", "a/.trash/4.wav"):
        path = tmp_path / unicodedata.normalize("NFD", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    return tmp_path


@pytest.mark.parametrize(
    ("globs", "ignored", "expected"),
    [
        (["*.wav"], [], ["a/1.wav", "a/2.WAV", "b/1.wav", "é.wav"]),
        (["*.wav"], ["2.*"], ["a/1.wav", "b/1.wav", "é.wav"]),
        (["a/*.wav"], [], ["a/1.wav", "a/2.WAV"]),
        (["*.flac", "*.txt"], [], ["a/b/3.flac", "notes.txt"]),
        (["é.*"], [], ["é.wav"]),
        (["?.wav"], ["a/*"], ["b/1.wav", "é.wav"]),
        (["*.ogg"], [], []),
    ],
)
def test_files_are_found_by_glob(folder, globs, ignored, expected):
    found = scan(folder, globs, ignored)
    assert [file.relative for file in found] == expected
    for file in found:
        assert os.path.samefile(file.path, folder / unicodedata.normalize("NFD", file.relative))
        assert file.size == len(file.relative)
    by_python = {
        name
        for name in FILES
        if any(fnmatch.fnmatch(name.lower(), f"*{glob.lower()}") for glob in globs)
        and not any(fnmatch.fnmatch(name.lower(), f"*{glob.lower()}") for glob in ignored)
    }
    assert set(expected) <= by_python


def test_a_folder_that_holds_itself_is_walked_once(folder):
    (folder / "a" / "round").symlink_to(folder)
    assert len(scan(folder, ["1.wav"])) == 2


def test_a_link_that_leads_nowhere_is_a_file_without_size(folder):
    (folder / "lost.wav").symlink_to(folder / "gone.wav")
    (lost,) = scan(folder, ["lost.wav"])
    assert lost.size == -1


def test_a_pipe_is_no_clip(folder):
    os.mkfifo(folder / "pipe.wav")
    with pytest.raises(CorpusError, match="expected a regular file, found a pipe or a device"):
        scan(folder, ["*.wav"])


def test_what_lies_there_in_place_of_audio(tmp_path):
    assert found_instead(tmp_path) is None
    (tmp_path / "film.mkv").touch()
    assert found_instead(tmp_path) == "only film.mkv. Put those that are expected there."
    (tmp_path / "a.zip").write_bytes(b"PK")
    assert found_instead(tmp_path) == "only a.zip. Unpack it there."
    (tmp_path / "b.tar").write_bytes(b"")
    assert found_instead(tmp_path) == "only a.zip, b.tar. Unpack them there."
    for name in ("a.zip", "b.tar"):
        (tmp_path / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
        assert is_pointer(str(tmp_path / name))
    assert "only Git LFS pointers: a.zip, b.tar. Run `git lfs pull`" in found_instead(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [("e\u0301.wav", "é.wav"), ("é.wav", "é.wav"), (os.fsdecode(b"\xe9.wav"), "\ufffd.wav")],
)
def test_names_can_be_read_and_compared(name, text):
    assert readable(name) == text


@pytest.mark.parametrize(
    ("encoding", "content", "text"),
    [
        ("utf-8", b"\xef\xbb\xbfa", "a"),
        ("UTF8", "e\u0301".encode(), "é"),
        ("latin-1", b"\xe9", "é"),
        ("utf-16", "é".encode("utf-16"), "é"),
    ],
)
def test_text_is_decoded(encoding, content, text):
    assert decoded(content, Form(encoding=encoding)) == text


@pytest.mark.parametrize(
    ("encoding", "content"), [("utf-8", b"\xe9"), ("ascii", b"\xe9"), ("klingon", b"a")]
)
def test_text_of_another_encoding_is_told(encoding, content):
    with pytest.raises(Unreadable, match="Correct `encoding:`, for instance to latin-1") as told:
        decoded(content, Form(encoding=encoding))
    assert told.value.expected == f"a table in {encoding}"


@pytest.mark.parametrize(
    ("names", "people"),
    [
        (["Robert Duvall", "robert duvall", "ROBERT  DUVALL", "Robert-Duvall"], 1),
        (["José García", "Jose Garcia"], 1),
        (["Duvall", "Duval", "Duvaal"], 1),  # by way of the first
        (["Anna", "Anne"], 1),  # a group too large does no harm
        (["Ann", "Ana"], 2),  # too short for a slip
        (["s1", "s2"], 2),
        (["F01", "F1"], 2),
        (["1001", "1002"], 2),
        (["Speaker1", "Speaker2"], 2),
        (["Robert Duvall", "Roberta Duvalle"], 2),  # two words differ
        (["Robert Duvall", "Robert"], 2),
        (["Anna+1", "Anna+2", "Anna"], 1),  # a spreadsheet that was dragged
    ],
)
def test_people_are_told_apart_as_a_reader_would(names, people):
    found = unified({name: len(names) - place for place, name in enumerate(names)})
    assert len(set(found.values())) == people
    assert set(found) == set(names)
    assert found[names[0]] == names[0]  # the most frequent one
    back = unified({name: len(names) - place for place, name in reversed([*enumerate(names)])})
    assert back == found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a,b"], ("a", "b")),
        (["a", "b , c"], ("a", "b", "c")),
        (["a,,b,"], ("a", "b")),
        (["latif2019:units=3,dropout=0.5"], ("latif2019:units=3,dropout=0.5",)),
        (["x:a=1,y:b=2"], ("x:a=1", "y:b=2")),
        (["x:a=1,y,z:b=2,c=3"], ("x:a=1", "y", "z:b=2,c=3")),
        (["a=1"], ("a=1",)),
        ([], ()),
    ],
)
def test_names_are_split_at_commas_but_options_are_not(given, expected):
    assert options.words(None, None, given) == expected


@pytest.mark.parametrize(
    ("given", "expected"), [("0,1", (0, 1)), (" 3 ", (3,)), ("", ()), (None, ())]
)
def test_numbers_are_split_at_commas(given, expected):
    assert options.numbers(None, None, given) == expected


@pytest.mark.parametrize("given", ["a", "1,b", "1.5", "1,,2", "1;2"])
def test_what_is_no_number_is_told(given):
    with pytest.raises(click.BadParameter, match="expected whole numbers with commas") as told:
        options.numbers(None, None, given)
    assert f"found '{given}'" in str(told.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ä and 日本", "plain, ä and 日本"),
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("bell\a", r"bell\x07"),
        ("right\u202eleft", r"right\u202eleft"),
        ("kept\ttab\nline", "kept\ttab\nline"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text, shown):
    assert errors.printable(text) == shown


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("\n one thing \nanother"), "one thing "),
        (ValueError(""), "ValueError"),
        (KeyError("x" * 999), ("'" + "x" * 999)[:300]),
    ],
)
def test_the_first_line_of_an_error(error, line):
    assert errors.first_line(error) == line


def test_words_that_come_close_are_offered():
    assert errors.suggest("qqq", ["abc"]) == ""
    assert errors.suggest("tes", ["tess", "test", "rest", "tests"]).startswith(" Did you mean 'tes")
    assert errors.suggest("tes", ["tess", "test", "teds", "tens"]).count("'") == 6  # three
