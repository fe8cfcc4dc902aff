"""Files and folders that appear whole or not at all, refusals, and what is remembered of files."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from emobench import storage
from emobench.errors import CorpusError, SpecError
from emobench.storage import Memory, Purpose, memory, processes, stamp

PURPOSE = Purpose("letters", CorpusError, "name another folder with --letters")


# Refusals


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "expected room for 1,234 bytes, found a full disk. Free some space, or "),
        (errno.EDQUOT, "expected room for 1,234 bytes, found a full disk"),
        (errno.EFBIG, "expected room for 1,234 bytes, found a full disk"),
        (errno.EACCES, "expected a folder that can be written, found 'Permission denied'. Change "),
        (errno.EROFS, "expected a folder that can be written, found 'Read-only file system'."),
        (errno.ENOTDIR, "expected a folder for letters, found a file in the way ('Not a dir"),
        (errno.EIO, "expected to write letters there, found 'Input/output error'. Check the disk"),
    ],
)
def test_a_refusal_says_where_what_and_what_to_do(number, message):
    with (
        pytest.raises(CorpusError, match="^/a/b: " + re.escape(message)) as caught,
        storage.storing(Path("/a/b"), PURPOSE, 1_234),
    ):
        raise OSError(number, os.strerror(number))
    assert "name another folder with --letters" in str(caught.value)


def test_a_refused_output_is_of_the_option_that_named_it(tmp_path):
    with (
        pytest.raises(SpecError, match=r"a file that can be written, .*another file with --csv"),
        storage.storing(tmp_path, storage.output("--csv")),
    ):
        storage.overwrite(tmp_path, b"")


def test_room_is_asked_for_before_it_is_used(tmp_path):
    storage.insist_on_room(tmp_path, 1, PURPOSE)
    with pytest.raises(CorpusError, match=r"expected .* MB of free space for letters, found"):
        storage.insist_on_room(tmp_path, 1 << 60, PURPOSE)
    with pytest.raises(CorpusError, match="expected to write letters there, found 'No such file"):
        storage.insist_on_room(tmp_path / "none", 1, PURPOSE)


# Files


def test_a_failed_write_leaves_everything_as_it_was(tmp_path, monkeypatch):
    storage.write((tmp_path / "a", b"1"), (tmp_path / "b", b"2"))

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="full"):
            storage.write((tmp_path / "a", b"3"), (tmp_path / "b", b"4"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def test_many_files_are_written_or_none(tmp_path):
    old = tmp_path / "a" / "old.txt"
    storage.write_all([(old, b"old"), (tmp_path / "b" / "other.txt", b"1")])

    def contents():
        yield old, b"new"
        yield tmp_path / "c" / "more.txt", b"2"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        storage.write_all(contents())
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"old.txt": b"old", "other.txt": b"1"}
    storage.write_all([(old, b"new")])
    assert old.read_bytes() == b"new"


def test_an_output_keeps_its_permissions_and_its_link(tmp_path):
    held, link = tmp_path / "deep" / "held.csv", tmp_path / "link.csv"
    storage.overwrite(held, b"first")
    held.chmod(0o640)
    link.symlink_to(held)
    storage.overwrite(link, b"second")
    assert link.is_symlink()
    assert held.read_bytes() == b"second"
    assert stat.S_IMODE(held.stat().st_mode) == 0o640
    assert list(held.parent.iterdir()) == [held]


def test_an_output_may_be_a_pipe(tmp_path):
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    storage.overwrite(pipe, b"text")
    reader.join(10)
    assert heard == [b"text"]
    assert pipe.is_fifo()


# Folders


def test_an_unfinished_folder_is_gone_unless_it_was_renamed(tmp_path):
    with storage.unfinished(tmp_path / "deep" / "whole") as fresh:
        (fresh / "a").write_text("1")
        fresh.rename(tmp_path / "deep" / "whole")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["whole"]
    with pytest.raises(KeyError), storage.unfinished(tmp_path / "deep" / "other"):
        raise KeyError
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["whole"]
    storage.discard(tmp_path / "deep" / "whole")
    assert list((tmp_path / "deep").iterdir()) == []


def test_only_what_nobody_fills_any_more_is_removed(tmp_path):
    code = (
        "import pathlib, sys, os, emobench.storage as storage\n"
        "with storage.unfinished(pathlib.Path(sys.argv[1], 'x')): os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    (dead,) = tmp_path.iterdir()
    (tmp_path / ".unfinished-notes").mkdir()
    with storage.unfinished(tmp_path / "x") as fresh:
        storage.remove_leftovers(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {fresh.name, ".unfinished-notes"}
    assert not dead.exists()


def test_machines_and_containers_of_one_name_are_told_apart(tmp_path, monkeypatch):
    """Each sees the other's process as one that is gone, or as one of its own numbers."""
    script = (
        "import pathlib, sys, os, emobench.storage as storage\n"
        "from emobench.storage import processes\n"
        "processes.machine = lambda: processes.platform.node() + ' another boot'\n"
        "with storage.unfinished(pathlib.Path(sys.argv[1], 'x')): os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    (theirs,) = tmp_path.iterdir()
    storage.remove_leftovers(tmp_path)
    assert theirs.exists()


def test_a_number_that_a_second_process_has_does_not_keep_a_folder(tmp_path):
    number, began = processes.own()
    for name, time in (("mine", began), ("former", began - 600)):
        owner = f"{processes.machine_digest()}-{number}-{int(time)}"
        (tmp_path / f".unfinished-{owner}-{name}").mkdir()
    storage.remove_leftovers(tmp_path)
    assert [path.name.split("-")[-1] for path in tmp_path.iterdir()] == ["mine"]


# Memories


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the file `a`, whose looks may be remembered at once."""
    monkeypatch.setattr(memory, "_SETTLED_NS", -(10**12))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_text("1")
    return tmp_path


def kept(place: Path, version: object = 1) -> Memory:
    return Memory("lengths", version, place / "files", place / "cache")


def looks(place: Path) -> memory.Stamp:
    return stamp((place / "files" / "a").stat())


def noted(place: Path) -> Path:
    """Remember an answer about the file; return where."""
    first = kept(place)
    first.note("a", looks(place), [1, "x"], "how long")
    first.save()
    (file,) = (place / "cache" / "lengths").iterdir()
    return file


def test_an_answer_is_of_a_file_a_question_and_a_version(place):
    noted(place)
    again = kept(place)
    assert again.recall("a", looks(place), "how long") == [1, "x"]
    assert again.recall("a", looks(place), "how loud") is None
    assert again.recall("b", looks(place), "how long") is None
    assert kept(place, 2).recall("a", looks(place), "how long") is None
    before = looks(place)
    os.utime(place / "files" / "a", ns=(before[2], before[2]))
    assert looks(place)[:3] == before[:3]
    assert again.recall("a", looks(place), "how long") is None


def test_an_answer_of_one_look_does_not_outlive_it(place):
    noted(place)
    os.utime(place / "files" / "a", ns=(1, 1))
    again = kept(place)
    again.note("a", looks(place), 5, "how loud")
    assert again.recall("a", looks(place), "how long") is None
    assert again.recall("a", looks(place), "how loud") == 5


def test_a_file_that_may_still_change_unseen_is_not_remembered(place, monkeypatch):
    monkeypatch.setattr(memory, "_SETTLED_NS", 10**12)
    with pytest.raises(FileNotFoundError):
        noted(place)


def test_files_that_are_gone_are_forgotten(place):
    file = noted(place)
    (place / "files" / "b").write_text("1")
    again = kept(place)
    again.note("b", looks(place), 2)
    (place / "files" / "a").unlink()
    again.save()
    assert list(json.loads(file.read_bytes().splitlines()[1])) == ["b"]


def test_any_changed_byte_of_a_memory_is_noticed(place):
    file = noted(place)
    whole = file.read_bytes()
    for position in range(len(whole)):
        for changed in (whole[:position], whole[:position] + b"7" + whole[position + 1 :]):
            file.write_bytes(changed)
            assert kept(place).recall("a", looks(place), "how long") in (
                ([1, "x"],) if changed == whole else (None,)
            )
    file.write_bytes(b"[" * 100_000)
    assert kept(place).recall("a", looks(place), "how long") is None
