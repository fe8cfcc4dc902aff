"""A little of the fuzzing in every test run; `make fuzz` goes on for ten minutes."""

from __future__ import annotations

import random

import fuzzing
import pytest

TARGETS = fuzzing.targets()
COUNTS = {
    **{"http": 12, "proposal": 6, "csv": 10, "json": 10, "workbook": 8, "parquet": 10},
    **{"memory": 10, "experiment": 15, "record": 15, "predictions": 15, "features": 20},
}


@pytest.mark.parametrize("name", TARGETS)
def test_whole_inputs_are_read(name, tmp_path):
    for number, seed in enumerate(TARGETS[name].seeds):
        assert fuzzing.attempt(TARGETS[name], seed) is None, number


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_inputs_end_in_a_result_or_a_message(name):
    chance = random.Random(f"emobench {name}")
    for _ in range(COUNTS.get(name, 40)):
        content = fuzzing.mutated(TARGETS[name], chance)
        wrong = fuzzing.attempt(TARGETS[name], content)
        assert wrong is None, f"{content[:2_000]!r}\n{wrong}"


def test_half_of_a_surrogate_pair_in_a_description_is_damage():
    (seed,) = TARGETS["experiment"].seeds
    changed = seed.replace(b"{", b'{"note": "\\ud800",', 1)
    assert fuzzing.attempt(TARGETS["experiment"], changed) is None


def test_failures_are_found_and_made_small():
    def call(content, folder):
        if b"X" in content:
            raise KeyError(content)

    target = fuzzing.Target((b"",), call)
    assert "KeyError" in fuzzing.attempt(target, b"aaaXbbb")
    assert fuzzing.attempt(target, b"aaa") is None
    assert fuzzing.small(target, b"a" * 500 + b"X" + b"b" * 300) == b"X"


def test_files_outside_of_the_folder_are_found(tmp_path, monkeypatch):
    def escapes(archive, folder, **_):
        (folder.parent.parent / "outside").write_text("x")

    monkeypatch.setattr(fuzzing, "unpack", escapes)
    wrong = fuzzing.attempt(TARGETS["archive"], fuzzing.zipped())
    assert "a file outside of the folder" in wrong


def test_a_wait_is_found(monkeypatch):
    monkeypatch.setattr(fuzzing, "MOST_SECONDS", 1)
    target = fuzzing.Target((b"",), lambda content, folder: fuzzing.time.sleep(5))
    assert "no end after 1 s" in fuzzing.attempt(target, b"")
