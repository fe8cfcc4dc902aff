"""What was found out about files is remembered as long as they are as they were, and no longer."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path

import pytest

from emobench.storage import Memory, memory, processes, stamp
from emobench.storage.folders import discard, leftovers, unfinished
from emobench.storage.writing import write, write_all


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with a file that was written long ago, by a clock that is ahead of ours."""
    place = tmp_path / "corpus"
    place.mkdir()
    (place / "a.wav").write_bytes(b"abc")
    now = time.time_ns
    monkeypatch.setattr(memory.time, "time_ns", lambda: now() + 10**11)
    return place


def looks(folder: Path, name: str = "a.wav") -> tuple[int, int, int, int]:
    return stamp(os.stat(folder / name))


def noted(folder: Path, cache: Path, version: object = 1) -> Memory:
    found = Memory("headers", version, folder, cache)
    found.note("a.wav", looks(folder), {"rate": 16_000})
    found.note("a.wav", looks(folder), [1, 2], "the channels")
    found.save()
    return found


def test_an_answer_is_remembered(folder, tmp_path):
    noted(folder, tmp_path / "cache")
    again = Memory("headers", 1, folder, tmp_path / "cache")
    assert again.recall("a.wav", looks(folder)) == {"rate": 16_000}
    assert again.recall("a.wav", looks(folder), "the channels") == [1, 2]
    assert again.recall("a.wav", looks(folder), "the length") is None
    assert again.recall("b.wav", looks(folder)) is None


@pytest.mark.parametrize("change", ["content", "time", "another file", "size"])
def test_a_file_that_was_touched_is_another(folder, tmp_path, change):
    noted(folder, tmp_path / "cache")
    path, before = folder / "a.wav", os.stat(folder / "a.wav")
    time.sleep(0.02)
    if change == "content":  # and its time is put back
        path.write_bytes(b"abd")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "time":
        os.utime(path)
    elif change == "another file":
        (folder / "new").write_bytes(b"abc")
        os.replace(folder / "new", path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    else:
        path.write_bytes(b"abcd")
    again = Memory("headers", 1, folder, tmp_path / "cache")
    assert again.recall("a.wav", looks(folder)) is None


def test_what_may_still_change_unseen_is_not_remembered(tmp_path):
    """Within the step of a file system's clock, content may change and its time not."""
    (tmp_path / "a.wav").write_bytes(b"abc")
    found = noted(tmp_path, tmp_path / "cache")
    assert found.recall("a.wav", looks(tmp_path)) is None
    assert not (tmp_path / "cache").exists()


def test_other_versions_kinds_and_folders_know_nothing_of_it(folder, tmp_path):
    cache = tmp_path / "cache"
    noted(folder, cache, version={"decoder": "1.2"})
    for kind, version, place in (
        ("headers", {"decoder": "1.3"}, folder),
        ("bytes", {"decoder": "1.2"}, folder),
        ("headers", {"decoder": "1.2"}, tmp_path),
    ):
        assert Memory(kind, version, place, cache).recall("a.wav", looks(folder)) is None
    relative = os.path.relpath(folder)
    known = Memory("headers", {"decoder": "1.2"}, relative, cache)
    assert known.recall("a.wav", looks(folder)) == {"rate": 16_000}


@pytest.mark.parametrize("keep", [0, 1, 10, 60, -1])
def test_damage_is_forgotten(folder, tmp_path, keep):
    noted(folder, tmp_path / "cache")
    (place,) = (tmp_path / "cache" / "headers").iterdir()
    place.write_bytes(place.read_bytes()[:keep])
    again = Memory("headers", 1, folder, tmp_path / "cache")
    assert again.recall("a.wav", looks(folder)) is None


def test_a_changed_answer_is_damage(folder, tmp_path):
    noted(folder, tmp_path / "cache")
    (place,) = (tmp_path / "cache" / "headers").iterdir()
    place.write_bytes(place.read_bytes().replace(b"16000", b"16001"))
    assert Memory("headers", 1, folder, tmp_path / "cache").recall("a.wav", looks(folder)) is None


def test_files_that_are_gone_are_not_kept(folder, tmp_path):
    (folder / "b.wav").write_bytes(b"b")
    found = Memory("headers", 1, folder, tmp_path / "cache")
    for name in ("a.wav", "b.wav"):
        found.note(name, looks(folder, name), name)
    (folder / "b.wav").unlink()
    found.save()
    (place,) = (tmp_path / "cache" / "headers").iterdir()
    assert list(json.loads(place.read_bytes().partition(b"\n")[2])) == ["a.wav"]


def test_a_cache_that_takes_nothing_only_costs_time(folder, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file")
    with caplog.at_level(logging.WARNING):
        noted(folder, tmp_path / "cache")
    assert "headers are not remembered: Not a directory" in caplog.text


def test_nothing_new_writes_nothing(folder, tmp_path):
    Memory("headers", 1, folder, tmp_path / "cache").save()
    assert not (tmp_path / "cache").exists()


def test_files_are_written_all_or_none(tmp_path):
    """A write that fails leaves each file as it was, and nothing beside it."""
    paths = [tmp_path / name for name in ("a", "b", "c")]
    write(*((path, b"old") for path in paths))
    paths[1].unlink()
    paths[1].mkdir()  # cannot be replaced by a file
    (paths[1] / "inside").touch()
    with pytest.raises(OSError, match="Is a directory"):
        write_all((path, b"new") for path in (paths[1], paths[0]))
    assert paths[0].read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_a_folder_appears_once_it_is_filled(tmp_path):
    with unfinished(tmp_path / "deep" / "pack") as filling:
        (filling / "values").write_text("x")
        assert [path.name for path in (tmp_path / "deep").iterdir()] == [filling.name]
        os.rename(filling, tmp_path / "deep" / "pack")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["pack"]
    with pytest.raises(KeyError), unfinished(tmp_path / "deep" / "other"):
        raise KeyError
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["pack"]
    discard(tmp_path / "deep" / "pack")
    assert list((tmp_path / "deep").iterdir()) == []


def test_only_what_nobody_fills_is_left_over(tmp_path, monkeypatch):
    number, began = processes.own()
    mine = tmp_path / f".unfinished-{processes.machine_digest()}-{number}-{int(began)}-a"
    theirs = tmp_path / ".unfinished-elsewhere-1-b"
    odd = tmp_path / ".unfinished-odd"
    for folder in (mine, theirs, odd):
        folder.mkdir()
    assert leftovers(tmp_path) == []
    long_ago = time.time() - 2 * 86_400
    for folder in (mine, theirs, odd):
        os.utime(folder, (long_ago, long_ago))
    monkeypatch.setattr(time, "time", lambda: 0.0)  # whatever the clock here says
    assert leftovers(tmp_path) == sorted([mine, theirs])  # names of ours that are a day old
    (theirs / "values").touch()
    assert leftovers(tmp_path) == [mine]
