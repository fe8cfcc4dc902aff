"""Hostile or broken input ends in a message, within bounds of time and memory."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import trees

from emobench import cli, corpora
from emobench.corpora.download import Limits, unpack
from emobench.errors import CorpusError, FeatureError, SpecError, printable
from emobench.experiments import given_texts
from emobench.features import word_vectors

MINE = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[a-z])_(?P<emotion>ang|hap)_\d+\.wav$
  emotions: {ang: anger, hap: happiness}
"""


@pytest.fixture
def write(tmp_path):
    def written(text: str) -> Path:
        file = tmp_path / "mine.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


@pytest.fixture
def quick():
    """Fail a test that takes long or fills the memory, as a user would."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.monotonic() - started < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # KiB


# Registry files -----------------------------------------------------------------------------------


def test_aliases_that_multiply(write, quick):
    lines = ["mine:", "  title: x", "  a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for one, next_ in zip("abcdef", "bcdefg", strict=True):
        lines.append(f"  {next_}: &{next_} [{', '.join([f'*{one}'] * 10)}]")
    with pytest.raises(SpecError, match=r"line \d+: mine: expected at most 100,000 values"):
        corpora.load_registry([write("\n".join(lines))])


@pytest.mark.parametrize(
    "text",
    ["[" * 50_000, "mine: " + "{a: " * 5_000, "a: " * 3, "? " * 9_999, "mine:\n " + "? " * 195],
)
def test_nesting_without_end(write, quick, text):
    with pytest.raises(SpecError, match=r"mine\.yaml"):
        corpora.load_registry([write(text)])


@pytest.mark.parametrize(
    "pattern",
    [
        "a{99999999999999999999}",
        "(" * 500 + "a" + ")" * 500,
        "(?:" * 2_000 + "a" + ")" * 2_000,
        "(?P<speaker>",
        "[z-a]",
        r"(?P<emotion>a)(?P<emotion>b)",
    ],
)
def test_patterns_that_python_does_not_take(write, quick, pattern):
    text = MINE.replace(r"^(?P<speaker>[a-z])_(?P<emotion>ang|hap)_\d+\.wav$", f"'{pattern}'")
    with pytest.raises(SpecError, match=r"mine\.yaml, line 4: mine\.pattern: expected"):
        corpora.load_registry([write(text)])


@pytest.mark.parametrize("place", ["name", "variant"])
def test_names_that_no_file_system_takes(write, place):
    long = "a" * 900
    text = (
        MINE.replace("mine:", f"{long}:")
        if place == "name"
        else f"{MINE}  variants: {{{long}: }}\n"
    )
    with pytest.raises(SpecError, match=r"line \d+: .*100 small letters"):
        corpora.load_registry([write(text)])


@pytest.mark.parametrize("encoding", ["rot13", "hex", "zlib", "nonsense"])
def test_encodings_of_no_text(write, encoding):
    keys = "file: a.csv, key: {stem: f}, columns: {sex: s}"
    more = f"  tables: [{{{keys}, encoding: {encoding}}}]\n"
    with pytest.raises(SpecError, match="expected an encoding that Python knows"):
        corpora.load_registry([write(MINE + more)])


# Tables -------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path, write):
    """Return what reading a corpus with a table comes to."""

    def read(name: str, content: bytes, more: str = "") -> corpora.Corpus:
        trees.plant(tmp_path / "mine", ["a_ang_1.wav", "b_hap_1.wav"])
        (tmp_path / "mine" / name).write_bytes(content)
        columns = "" if "columns" in more else ", columns: {sex: s}"
        entry = f"  tables: [{{file: {name}, key: {{stem: f}}{columns}{more}}}]\n"
        corpus = corpora.load_registry([write(MINE + entry)]).get("mine")
        return corpora.load(corpus, tmp_path, tmp_path / "cache")

    return read


def workbook(*sheets: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        book.create_sheet(name).append(["f", "s"])
    if not sheets:
        book.create_chartsheet("picture")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def spoilt(member: str, content: bytes) -> bytes:
    """Return a workbook one of whose parts holds something else."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook("a"))) as whole, zipfile.ZipFile(made, "w") as other:
        for name in whole.namelist():
            other.writestr(name, content if name == member else whole.read(name))
    return made.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 and then nothing",
        b"no zip at all",
        spoilt("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row"),
        spoilt("xl/worksheets/sheet1.xml", b"\0\1\2"),
        spoilt("xl/workbook.xml", b"<workbook"),
        spoilt("[Content_Types].xml", b""),
    ],
)
def test_broken_workbooks(table, quick, content):
    with pytest.raises(CorpusError, match=r"t\.xlsx: expected a (workbook|table)"):
        table("t.xlsx", content)


def test_workbooks_without_a_sheet(table):
    with pytest.raises(CorpusError, match=r"t\.xlsx: expected a (table|workbook) "):
        table("t.xlsx", workbook())
    with pytest.raises(CorpusError, match=r"expected a sheet 'b' .*, found a"):
        table("t.xlsx", workbook("a"), ", sheet: b")


def test_tables_of_many_columns(table, quick):
    line = ",".join(f"c{number}" for number in range(300_000)).encode()
    with pytest.raises(CorpusError, match=r"1 to 20,000 columns .*found 300,000"):
        table("t.csv", line + b"\n" + line)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"[" * 100_000, b'{"a": ' * 9_999, b"[1]", b"[]"]
)
def test_json_that_is_no_table(table, quick, content):
    with pytest.raises(CorpusError, match=r"expected"):
        table("t.json", content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"9" * 5_000 + b" " + b"3" * 5_000 + b"\n", "line 1: expected"),
        (b"a " + b"1 " * 6_000_000, "found a line of more than 10,000,000 bytes"),
    ],
)
def test_word_vectors_without_end(tmp_path, quick, text, message):
    file = tmp_path / "v.txt"
    file.write_bytes(text)
    with pytest.raises(FeatureError, match=message):
        word_vectors.read(file, ["a"])


@pytest.mark.parametrize("age", ["2" * 20, "-1", "nan", "inf", "1e999", "old"])
def test_ages_that_nobody_has(table, age):
    content = f'[{{"f": "a_ang_1", "s": "f", "a": "{age}"}}]'.encode()
    more = ", columns: {sex: s, age: a}"
    with pytest.raises(CorpusError, match="expected ages in years, found"):
        table("t.json", content, more)


def test_transcripts_of_many_columns(tmp_path, quick):
    file = tmp_path / "texts.csv"
    line = ",".join(f"c{number}" for number in range(300_000))
    file.write_text(f"id,text,{line}\n")
    with pytest.raises(CorpusError, match="found a first line of more than 10,000 bytes"):
        given_texts.read(file, pd.Index(["a"]))


# Archives -----------------------------------------------------------------------------------------


@pytest.fixture
def opened(tmp_path):
    def run(content: bytes, limits: Limits | None = None) -> int:
        file = tmp_path / "archive"
        file.write_bytes(content)
        folder = tmp_path / "out"
        return unpack(file, folder, called="a.zip", progress=lambda *_: None, limits=limits)

    return run


def zipped(names: list[str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, b"" if name.endswith("/") else b"x")
    return content.getvalue()


def tarred(names: list[str], **headers: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.pax_headers = dict(headers)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
    return content.getvalue()


@pytest.mark.parametrize(
    "content", [zipped([]), zipped(["a/"]), tarred([])], ids=["zip", "folder", "tar"]
)
def test_empty_archives(opened, content):
    with pytest.raises(
        CorpusError, match=r"a\.zip: expected an archive with files, found an empty"
    ):
        opened(content)


def test_a_zip_with_a_member_without_a_name(opened):
    content = zipped(["ab.wav", "c.wav"]).replace(b"ab.wav", b"\0b.wav")  # a name ends at a zero
    assert opened(content) == 1


@pytest.mark.parametrize("names", [["a", "a/b.wav"], ["x/a/b.wav", "x/a"]])
@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_file_and_a_folder_of_one_name(opened, make, names):
    with pytest.raises(CorpusError, match="both as a file and as a folder"):
        opened(make(names))


def test_headers_of_a_tar_count_as_content(opened, quick):
    content = tarred([f"{number}.wav" for number in range(40)], comment="x" * 15_000_000)
    assert len(content) < 2_000_000
    with pytest.raises(CorpusError, match=r"a header of|content of more than"):
        opened(content)
    small = tarred([f"{number}.wav" for number in range(900)], comment="x" * 100_000)
    with pytest.raises(CorpusError, match="content of more than"):
        opened(small, Limits(least=1_000_000, ratio=1))


# Terminals ----------------------------------------------------------------------------------------


def test_control_characters_are_shown(tmp_path, write, capsys, monkeypatch):
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))
    trees.plant(tmp_path / "mine", ["a_ang_1.wav", "b_hap_1.wav", "x\x1b[2J\x9b.wav"])
    file = write(MINE)
    for words in (["check"], ["utterances"]):
        with pytest.raises(SystemExit):
            cli.main([*words, "mine", "--data", str(tmp_path), "--datasets", str(file)])
        said = capsys.readouterr()
        told = said.out + said.err
        assert "\x1b" not in told
        assert "\x9b" not in told
        assert r"x\x1b[2J\x9b.wav" in told


def test_lines_and_tabs_are_no_control_characters():
    assert printable("a\tb\nç\u202e\r") == "a\tb\nç\\u202e\\r"


@pytest.mark.skipif(os.name == "nt", reason="locales of POSIX")
def test_consoles_that_know_few_signs(tmp_path, write):
    trees.plant(tmp_path / "mine", ["a_ang_1.wav", "b_hap_1.wav", "größe.wav"])
    environment = {
        **os.environ,
        **{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""},
        "EMOBENCH_CACHE": str(tmp_path / "cache"),
    }
    for words in (["check", "mine"], ["check", "cafe"], ["corpora", "show", "cafe"], ["corpora"]):
        file = write(MINE.replace("Mine", "Müne – ≥"))
        done = subprocess.run(
            [sys.executable, "-m", "emobench", *words]
            + ([] if words[-1] == "corpora" else ["--datasets", str(file)])
            + (["--data", str(tmp_path)] if words[0] == "check" else []),
            capture_output=True,
            env=environment,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr
        assert done.returncode in (0, 1)
