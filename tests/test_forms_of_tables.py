"""How a table is told from its bytes, and its cells lead to files; against Python's csv, json."""

from __future__ import annotations

import codecs
import csv
import io
import json

import pytest

from emobench.corpora.reading.audio_files import AudioFile
from emobench.corpora.reading.table_formats import content_of, read, separated
from emobench.corpora.reading.table_keys import Paths, spelled
from emobench.corpora.reading.table_parts import Form, Part, Unreadable
from emobench.corpora.reading.table_records import KEY, VALUE
from emobench.corpora.reading.table_sniffing import cleaned, sniffed

HEADER = ["file", "speaker", "emotion"]
ROWS = [
    [f"clip{each}.wav", f"s{each % 3}", ("anger", "joy", "fear")[each % 3]] for each in range(9)
]
TRICKY = [["a;b.wav", 'the "old" man', "anger, mostly"], ["ä.wav", "two\nlines", "|"], *ROWS]


def written(rows: list[list[str]], separator: str = ",", before: str = "") -> str:
    """Return a table as Python's csv writes it."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
    writer.writerows([HEADER, *rows])
    return before + stream.getvalue()


def cells(part: Part) -> list[list[str]]:
    return [row for _, row in part.lines]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("before", ["", "# made by hand\n", "Title\n\nof two lines\n"])
def test_a_table_is_told_from_its_bytes(separator, encoding, before):
    content = written(TRICKY, separator, before).encode(encoding)
    form = sniffed("labels.txt", content)
    assert form is not None
    assert (form.separator, form.skip) == (separator, before.count("\n"))
    (part,) = read("labels.txt", content, form)
    assert part.header == HEADER
    assert cells(part) == TRICKY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "once upon a time\nthere was a king\nwho had three daughters\n",
        "one,row\n",
        "a,b\n1,2\n3\n4\n5\n6\n",  # most lines are too short
        "a,a\n1,2\n3,4\n",  # a name twice
        ",,x\na,b,c\nd,e,f\n",  # two columns without a name
    ],
)
def test_other_texts_are_no_tables(text):
    assert sniffed("notes.txt", text.encode()) is None


def test_bytes_are_no_table():
    assert sniffed("a.txt", codecs.BOM_UTF16_LE + b"\x00\xd8" * 9) is None


def test_the_numbers_of_rows_are_no_column():
    """pandas writes them without a name."""
    text = ",file,label\n" + "".join(f"{each},{each}.wav,anger\n" for each in range(12))
    part = cleaned(separated("a.csv", text, Form()))
    assert part.header == ["file", "label"]
    assert cells(part) == [[f"{each}.wav", "anger"] for each in range(12)]
    named = text.replace("0,0.wav", "x,0.wav")
    assert cleaned(separated("a.csv", named, Form())).header == ["Unnamed: 0", "file", "label"]


def test_few_broken_lines_are_left_out():
    text = written(ROWS * 3) + "odd\n"
    part = cleaned(separated("a.csv", text, Form()))
    assert cells(part) == ROWS * 3


def test_lines_keep_their_numbers():
    """A message names the line as an editor counts it, where cells hold lines, too."""
    part = separated("a.csv", written(TRICKY, before="title\n"), Form(skip=1))
    lines = written(TRICKY, before="title\n").split("\n")
    for number, row in part.lines:
        assert row[-1] in lines[number - 1]


RECORDS = [
    {"file": "a.wav", "label": "joy", "age": "31"},
    {"file": "b.wav", "label": "fear", "age": ""},
    {"file": "c.wav", "label": "joy", "age": "7"},
]


@pytest.mark.parametrize(
    "document",
    [
        RECORDS,
        {"data": RECORDS},
        {"about": {"version": 1}, "authors": ["x"], "train": RECORDS[:2], "test": RECORDS[2:]},
        {key: [row[key] for row in RECORDS] for key in RECORDS[0]},
        {key: {str(at): row[key] for at, row in enumerate(RECORDS)} for key in RECORDS[0]},
    ],
    ids=["list", "inside", "in parts", "columns", "columns by row"],
)
def test_records_are_found_however_they_are_nested(document):
    (part,) = read("a.json", json.dumps(document).encode(), Form())
    found = [dict(zip(part.header, row, strict=True)) for row in cells(part)]
    kept = [{key: row[key] for key in RECORDS[0]} for row in found]
    assert kept == RECORDS


def test_records_by_name_keep_their_names():
    by_name = {row["file"]: {"label": row["label"]} for row in RECORDS}
    (part,) = read("a.json", json.dumps(by_name).encode(), Form())
    assert part.header == [KEY, "label"]
    assert cells(part) == [[row["file"], row["label"]] for row in RECORDS]
    texts = {row["file"]: row["label"] for row in RECORDS}
    (part,) = read("a.json", json.dumps(texts).encode(), Form())
    assert (part.header, cells(part)[0]) == ([KEY, VALUE], ["a.wav", "joy"])


def test_a_record_a_line_is_read():
    text = "\n".join(json.dumps({"file": "a", "speaker": {"id": n, "sex": "f"}}) for n in (1, 2))
    (part,) = read("a.jsonl", text.encode(), Form())
    assert part.header == ["file", "speaker.id", "speaker.sex"]
    assert cells(part) == [["a", "1", "f"], ["a", "2", "f"]]


@pytest.mark.parametrize(
    ("name", "content", "expected", "found"),
    [
        ("a.json", b"{", "JSON", "Expecting property name"),
        ("a.json", b'{"a": 1}\n{"a"', "JSON", "Expecting"),
        ("a.json", b"[1, 2]", "a list of {column: value}", "something else"),
        ("a.json", b"{}", "a list of {column: value}", "something else"),
        ("a.json", b'"text"', "a list of {column: value}", "something else"),
        ("a.parquet", b"PAR1 and nothing", "a Parquet or Arrow table", ""),
        ("a.arrow", b"ARROW1 and nothing", "a Parquet or Arrow table", ""),
        ("a.xlsx", b"no archive", "a workbook", "File is not a zip file"),
        ("a.csv", b'a,b\n"x\ny' + b"z" * 140_000, "',' between the columns of line", "field"),
    ],
)
def test_what_cannot_be_read_is_told(name, content, expected, found):
    with pytest.raises(Unreadable) as refused:
        read(name, content, Form())
    assert expected in refused.value.expected
    assert found in refused.value.found
    assert refused.value.advice.endswith(".")


def test_a_table_of_too_many_columns_is_refused():
    text = ",".join(f"c{each}" for each in range(20_001)) + "\n"
    with pytest.raises(Unreadable) as refused:
        read("a.csv", text.encode(), Form())
    assert refused.value.expected == "a table of 1 to 20,000 columns"
    assert refused.value.found == "20,001"


@pytest.mark.parametrize(
    ("name", "content", "size", "found", "advice"),
    [
        (
            "a.csv",
            b"version https://git-lfs.github.com/spec/v1\n",
            43,
            "a Git LFS pointer",
            "git lfs",
        ),
        ("a.csv", b"a,b\n", 10**12, "1,000,000,000,000 bytes", "shorten it"),
        ("a.pkl", b"", 0, "a Python pickle", "to_csv"),
        ("a.h5", b"", 0, "HDF5", "CSV"),
    ],
)
def test_files_that_are_not_looked_into(tmp_path, name, content, size, found, advice):
    (tmp_path / name).write_bytes(content)
    file = AudioFile(str(tmp_path / name), name, size, (0, 0, 0, 0))
    with pytest.raises(Unreadable) as refused:
        content_of(file)
    assert found in refused.value.found
    assert advice in refused.value.advice


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("path", r".\a\b.WAV", "a/b.wav"),
        ("path", "./a/b.wav", "a/b.wav"),
        ("name", "/data/x/b.FLAC", "b.flac"),
        ("name", r"C:\sounds\b.wav", "b.wav"),
        ("speaker", r".\a\b.WAV", r".\a\b.WAV"),
    ],
)
def test_cells_are_spelt_as_files_are(column, text, expected):
    assert spelled(column, text) == expected


@pytest.mark.parametrize(
    ("paths", "location", "expected"),
    [
        (["a/1.wav", "b/1.wav"], "a/1.wav", "a/1.wav"),
        (["a/1.wav", "b/1.wav"], "corpus/b/1.wav", "b/1.wav"),  # the corpus lies deeper
        (["set/a/1.wav", "set/b/1.wav"], "a/1.wav", "set/a/1.wav"),  # the table begins higher
        (["/home/x/a/1.wav", "/home/x/b/2.wav"], "a/1.wav", "/home/x/a/1.wav"),
        (["/home/x/a/1.wav", "/home/x/b/2.wav"], "deep/a/1.wav", "/home/x/a/1.wav"),
        (["/home/x/a/1.wav", "/home/x/b/1.wav"], "c/1.wav", None),
        (["C:/x/a/1.wav", "C:/x/a/2.wav"], "2.wav", "C:/x/a/2.wav"),
        (["a/1.wav"], "a/2.wav", None),
        (["a/1.wav"], "b/1.wav", None),
        (["x/a/1.wav", "y/a/1.wav"], "a/1.wav", None),  # either could be meant
        ([], "a/1.wav", None),
    ],
)
def test_a_path_means_the_file_that_it_ends_with(paths, location, expected):
    assert Paths(paths).cell_of(location) == expected
