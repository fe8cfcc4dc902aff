"""Results from several folders in one: nothing lost, nothing overwritten, nothing believed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stored import LABELS, FakeRegistry, Filled, current, experiment, older, predictions

from emobench import metrics
from emobench.cli import main
from emobench.errors import SpecError, StoreError
from emobench.leaderboard import FORMATS, build_all, render
from emobench.results.merging import Merged, merge
from emobench.spec import Job
from emobench.storage import LEFTOVERS, locks, writing
from emobench.store import read_attention, shards

SVM = experiment(repetitions=2)
OTHER = experiment(model="zhao2019", corpus="ravdess")
TUNED = experiment(model="mirsamadi2017-svm-mean", backend="scikit-learn")


def contents(results: Path) -> dict[str, bytes]:
    paths = (path for path in results.rglob("*") if path.is_file())
    return {path.relative_to(results).as_posix(): path.read_bytes() for path in paths}


def tables(results: Path) -> list[str]:
    """All that the leaderboard writes of a folder, in every format."""
    boards = build_all(results, current=current, registry=FakeRegistry())
    return [render(boards, name) for name in FORMATS]


def tune(results: Path, parameters: dict) -> None:
    store = Filled(results).store
    store.open(TUNED, {"labels": LABELS, "n_clips": 60})
    store.add(TUNED, Job(None), {"parameters": parameters, "seconds": time.time()}, None)


@pytest.fixture
def whole(tmp_path) -> Path:
    """What one machine made, undisturbed."""
    filled = Filled(tmp_path / "whole")
    for made in (SVM, OTHER, TUNED):
        filled.run(made)
    tune(filled.results, {"C": 1})
    return filled.results


@pytest.fixture
def halves(whole, tmp_path) -> list[Path]:
    """The same work, parted: jobs dealt out in turn, some done by both machines."""
    found = []
    for number in range(2):
        half = tmp_path / f"half{number}"
        shutil.copytree(whole, half)
        for position, path in enumerate(sorted(half.rglob("fold-*.json"))):
            if position % 3 == number:
                path.unlink()
                path.with_suffix(".parquet").unlink()
        found.append(half)
    return found


def test_two_halves_are_the_undisturbed_whole(whole, halves, tmp_path):
    merged = merge(halves, tmp_path / "merged")
    # 12 folds of which two thirds lie in each half, and a tuning that is in both.
    assert merged == Merged(records=13, kept=5)
    assert contents(tmp_path / "merged") == contents(whole)
    assert tables(tmp_path / "merged") == tables(whole)
    assert len(set(tables(whole))) == len(FORMATS)
    for half in halves:
        assert tables(half) != tables(whole)


def test_a_half_takes_in_the_other_and_a_second_time_nothing(whole, halves):
    first, second = halves
    assert merge([second], first).records == 4
    assert contents(first) == contents(whole)
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert merge([second], first) == Merged(kept=9)
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == before


def test_a_dry_run_tells_the_same_and_writes_nothing(whole, halves, tmp_path):
    (path,) = halves[0].rglob("emo-db/svm-is09/*/fold-01-repetition-1.json")
    refile(halves[1] / path.relative_to(halves[0]), seed=5)
    told = merge(halves, tmp_path / "merged", dry_run=True)
    assert not (tmp_path / "merged").exists()
    merged = merge(halves, tmp_path / "merged")
    assert (told.records, told.kept, len(told.conflicts)) == (13, 4, 1)
    assert (merged.records, merged.kept, len(merged.conflicts)) == (13, 4, 1)


def refile(path: Path, **options) -> None:
    """File other predictions in the place of a record, as another machine may have made them."""
    results = path.parents[4]
    job = Job(int(path.name[5:7]), int(path.stem[-1]))
    table = predictions(job, **options)
    path.unlink()
    Filled(results).store.add(SVM, job, {"scores": metrics.score(table, LABELS)}, table)


def test_other_predictions_are_a_conflict_and_the_first_is_kept(whole, tmp_path):
    (path,) = whole.rglob("emo-db/svm-is09/*/fold-01-repetition-2.json")
    shutil.copytree(whole, tmp_path / "other")
    second = tmp_path / "other" / path.relative_to(whole)
    refile(second, seed=5)
    before = contents(whole)
    (conflict,) = merge([tmp_path / "other"], whole).conflicts
    assert conflict.startswith(
        f"{path} and {second}: the same job with other predictions (20 of 20"
    )
    assert "the first is kept" in conflict
    assert contents(whole) == before


def test_the_last_bit_of_a_probability_is_a_conflict(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "other")
    (path,) = (tmp_path / "other").rglob("emo-db/svm-is09/*/fold-00-repetition-1.json")
    table = predictions(Job(0, 1))
    table.loc[3, f"p_{LABELS[0]}"] *= 1.000001
    path.unlink()
    record = {"scores": metrics.score(table, LABELS)}
    Filled(tmp_path / "other").store.add(SVM, Job(0, 1), record, table)
    (conflict,) = merge([tmp_path / "other"], whole).conflicts
    assert "1 of 20 clips, 0 of them with another label" in conflict


@pytest.mark.parametrize("where", ["here", "there", "both"])
def test_no_number_is_another_than_any_number(whole, tmp_path, where):
    shutil.copytree(whole, tmp_path / "other")
    for results in {"here": [whole], "there": [tmp_path / "other"]}.get(
        where, [whole, tmp_path / "other"]
    ):
        (path,) = results.rglob("emo-db/svm-is09/*/fold-00-repetition-1.json")
        table = predictions(Job(0, 1))
        table.loc[3, f"p_{LABELS[0]}"] = float("nan")
        path.unlink()
        record = {"scores": metrics.score(table, LABELS)}
        Filled(results).store.add(SVM, Job(0, 1), record, table)
    conflicts = merge([tmp_path / "other"], whole).conflicts
    told = [
        "1 of 20 clips, 0 of them with another label, probabilities up to inf apart" in each
        for each in conflicts
    ]
    assert told == ([] if where == "both" else [True])


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_record_that_a_run_files_meanwhile_stays(tmp_path, monkeypatch, moment, links):
    """Where locks keep nobody out: just before our predictions get their name, and just after."""
    Filled(tmp_path / "a").run(OTHER, [Job(0)], seed=1)
    theirs, expected = Filled(tmp_path / "b"), Filled(tmp_path / "c").run(OTHER, [Job(0)], seed=2)
    folder = theirs.run(OTHER, [])
    monkeypatch.setattr(locks, "_lock", lambda descriptor, wait: True)
    call = "link" if links else "replace"
    real, ran = getattr(os, call), []

    def name(source, target):
        meant = Path(target).name == "fold-00-repetition-1.parquet" and not ran
        if meant:
            ran.append(target)
        if meant and moment == "before":
            theirs.run(OTHER, [Job(0)], seed=2)
        try:
            real(source, target)
        finally:
            if meant and moment == "after":
                theirs.run(OTHER, [Job(0)], seed=2)

    def refuse(source, target):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, call, name)
    merged = merge([tmp_path / "a"], tmp_path / "b")
    assert (len(ran), merged.records) == (1, 0)
    if links or moment == "after":
        assert len(merged.conflicts) == 1
        assert contents(folder) == contents(expected)
    else:  # that one moment is left, and what it costs is told
        assert len(merged.damages) == 1
    assert not list(folder.glob(LEFTOVERS))


def test_the_order_of_clips_and_the_age_of_a_record_are_no_conflict(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "other")
    (path,) = (tmp_path / "other").rglob("emo-db/svm-is09/*/fold-00-repetition-1.json")
    table = predictions(Job(0, 1)).iloc[::-1]
    path.unlink()
    record = {"scores": metrics.score(table, LABELS), "seconds": 77}
    Filled(tmp_path / "other").store.add(SVM, Job(0, 1), record, table)
    older(path.with_name("fold-02-repetition-1.json"))
    before = contents(whole)
    assert merge([tmp_path / "other"], whole) == Merged(kept=13)
    assert contents(whole) == before


def test_a_tuning_is_held_to_its_parameters(tmp_path):
    for name, chosen in (("a", {"C": 1}), ("b", {"C": 1}), ("c", {"C": 2})):
        tune(tmp_path / name, chosen)
    merged = merge([tmp_path / name for name in "abc"], tmp_path / "merged")
    assert (merged.records, merged.kept) == (1, 1)
    (conflict,) = merged.conflicts
    assert "tuning.json: the same tuning with other parameters" in conflict


def test_a_failure_gives_way_to_a_result_and_never_takes_its_place(tmp_path):
    for name, jobs, failed in (("a", [0], 1), ("b", [1], 0), ("c", [], 2)):
        filled = Filled(tmp_path / name)
        filled.run(OTHER, [Job(fold) for fold in jobs])
        filled.store.fail(OTHER, Job(failed), "no luck")
    merged = merge([tmp_path / name for name in "abc"], tmp_path / "merged")
    assert (merged.records, merged.failures) == (2, 2)  # one of them gave way
    folder = Filled(tmp_path / "merged").store.folder(OTHER)
    assert sorted(path.name for path in folder.glob("*.json")) == [
        "experiment.json",
        "fold-00-repetition-1.json",
        "fold-01-repetition-1.json",
        "fold-02-repetition-1.failure.json",
    ]


def edit(path: Path, **changes) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


SPOILED = {
    "fingerprint": (lambda path: edit(path, fingerprint="0" * 64), "another experiment"),
    "fold": (lambda path: edit(path, fold=7), "another fold"),
    "scores": (lambda path: edit(path, scores={"uar": 0.99}), "its scores are not those of its"),
    "predictions": (lambda path: flip(path.with_suffix(".parquet")), "were changed after"),
    "gone": (lambda path: path.with_suffix(".parquet").unlink(), "there are no predictions"),
    "record": (lambda path: path.write_text("{"), "it is damaged"),
    "labels": (  # of an experiment from before all that it says was vouched for
        lambda path: edit(path.with_name("experiment.json"), labels=["a"], sha256={}),
        "be scored",
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_cannot_be_verified_is_named_and_left_out(whole, tmp_path, how):
    spoil, reason = SPOILED[how]
    (path,) = whole.rglob("ravdess/zhao2019/*/fold-01-repetition-1.json")
    spoil(path)
    merged = merge([whole], tmp_path / "merged")
    left_out = 3 if how == "labels" else 1
    assert [reason in damage and str(path.parent) in damage for damage in merged.damages] == [
        True
    ] * left_out
    assert merged.records == 13 - left_out
    assert not (tmp_path / "merged" / path.relative_to(whole)).exists()


def test_an_experiment_that_is_not_what_it_says_is_left_out(whole, tmp_path):
    (path,) = whole.rglob("ravdess/zhao2019/*/experiment.json")
    edit(path, clips="others")
    merged = merge([whole], tmp_path / "merged")
    assert merged.records == 10
    (damage,) = merged.damages
    assert damage.startswith(f"{path}: its configuration is not the one")


def test_a_damaged_record_is_not_overwritten_by_a_sound_one(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "merged")
    (path,) = (tmp_path / "merged").rglob("ravdess/zhao2019/*/fold-01-repetition-1.parquet")
    flip(path)
    before = contents(tmp_path / "merged")
    (damage,) = merge([whole], tmp_path / "merged").damages
    assert str(path.with_suffix(".json")) in damage
    assert "is sound; remove the first" in damage
    assert contents(tmp_path / "merged") == before


def test_attention_comes_along(tmp_path):
    filled = Filled(tmp_path / "a")
    filled.store.open(OTHER, {"labels": LABELS, "n_clips": 60})
    table = predictions(Job(0))
    weights = {table["id"][0]: [0.25, 0.75]}
    filled.store.add(OTHER, Job(0), {"scores": metrics.score(table, LABELS)}, table, weights)
    merge([tmp_path / "a"], tmp_path / "merged")
    found = read_attention(Filled(tmp_path / "merged").store.folder(OTHER), Job(0))
    assert {name: list(values) for name, values in found.items()} == weights


@pytest.mark.parametrize("step", range(0, 40, 3))
def test_stopped_between_any_two_steps_it_goes_on(halves, whole, tmp_path, monkeypatch, step):
    """Every write and rename is a moment at which the process may end."""

    class Killed(BaseException):
        pass

    left = [step]

    def counted(call):
        def wrapped(*arguments, **options):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return call(*arguments, **options)

        return wrapped

    for name in ("replace", "fsync"):
        monkeypatch.setattr(writing.os, name, counted(getattr(os, name)))
    with pytest.raises(Killed):
        merge(halves, tmp_path / "merged")
    monkeypatch.undo()
    merged = merge(halves, tmp_path / "merged")
    assert merged.damages == merged.conflicts == []
    assert contents(tmp_path / "merged") == contents(whole)


@pytest.mark.parametrize("delay", [0.01, 0.05])
def test_killed_it_leaves_whole_records_and_goes_on(tmp_path, delay):
    made = experiment(n_folds=40)
    Filled(tmp_path / "from").run(made)
    code = (
        "import sys; from pathlib import Path; from emobench.results.merging import merge;"
        "print('ready', flush=True); merge([Path(sys.argv[1])], Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "from"), str(tmp_path / "merged")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        while not list(tmp_path.glob("merged/*/*/*/*/fold-*.json")):
            assert process.poll() is None
        time.sleep(delay)
        process.kill()
    for leftover in (tmp_path / "merged").rglob(LEFTOVERS):
        os.utime(leftover, (0, 0))  # long ago: it might be a living writer's
    filed = Filled(tmp_path / "merged").store.done(made)
    assert 0 < len(filed) < 40
    assert merge([tmp_path / "from"], tmp_path / "merged") == Merged(
        records=40 - len(filed), kept=len(filed)
    )
    assert contents(tmp_path / "merged") == contents(tmp_path / "from")


A, B, C, D = (letter * 8 for letter in "abcd")


@pytest.mark.parametrize(
    ("first", "second", "there", "told"),
    [
        ([(A, 1, 2)], [(A, 2, 2)], [], None),
        ([(A, 1, 2)], [(B, 2, 2)], [], (0, 1)),
        ([(A, 1, 2)], [(B, 2, 3)], [], (0, 1)),
        ([(A, 1, 2)], [], [(B, 2, 2)], (0, 2)),
        ([(A, 1, 2)], [], [], None),
        ([(A, 1, 3)], [(A, 2, 3)], [], None),  # the third comes later
        ([(A, 1, 3), (B, 1, 3)], [(A, 2, 3), (B, 2, 3)], [], None),
        ([(A, 1, 2), (B, 1, 2)], [(A, 2, 2), (B, 2, 2)], [(C, 1, 1)], None),
        ([(A, 1, 2), (A, 2, 2)], [(B, 1, 2), (B, 2, 2)], [], None),  # one machine after another
        ([(A, 1, 2), (C, 1, 2)], [(A, 2, 2), (D, 2, 2)], [], (0, 1)),
    ],
)
def test_shards_of_different_plans_are_told(tmp_path, first, second, there, told):
    folders = [tmp_path / name for name in ("a", "b", "merged")]
    for folder, made in zip(folders, (SVM, OTHER, None), strict=True):
        if made:
            Filled(folder).run(made)
    marks = [[shards.Mark(*one) for one in some] for some in (first, second, there)]
    for folder, some in zip(folders, marks, strict=True):
        for mark in some:
            shards.note(folder, mark, {})
    foretold = merge(folders[:2], folders[2], dry_run=True).warnings
    merged = merge(folders[:2], folders[2])
    assert foretold == merged.warnings
    assert shards.noted(folders[2]) == set().union(*marks)
    if told is None:
        assert merged.warnings == []
    else:
        (warning,) = merged.warnings
        held = [f"{folders[place]} holds shard " for place in told]
        assert all(text in warning for text in held)
        assert "dealt otherwise" in warning


def test_sources_that_are_none(whole, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecError, match="expected a folder of results with <protocol>"):
        merge([tmp_path / "empty"], whole)
    with pytest.raises(SpecError, match="expected results from elsewhere"):
        merge([whole / ".." / "whole"], whole)
    with pytest.raises(StoreError, match="expected a folder of results, found none"):
        merge([tmp_path / "nowhere"], whole)


def test_the_command(halves, tmp_path, capsys):
    (path,) = halves[0].rglob("emo-db/svm-is09/*/fold-01-repetition-1.json")
    refile(halves[1] / path.relative_to(halves[0]), seed=5)
    command = ["merge", *map(str, halves), "--results", str(tmp_path / "merged")]
    with pytest.raises(SystemExit) as stop:
        main([*command, "--dry-run"])
    assert stop.value.code == 1
    assert (
        "13 records to file, 4 were there already, 1 conflict, 0 damaged" in capsys.readouterr().out
    )
    with pytest.raises(SystemExit) as stop:
        main(command)
    told = capsys.readouterr()
    assert stop.value.code == 1
    assert told.out.startswith("13 records filed, 4 were there already, 1 conflict, 0 damaged;")
    assert f"conflict: {tmp_path / 'merged'}" in told.err
    assert str(halves[1] / path.relative_to(halves[0])) in told.err
    with pytest.raises(SystemExit) as stop:
        main(["merge", str(halves[0]), "--results", str(tmp_path / "merged")])
    assert stop.value.code == 0
