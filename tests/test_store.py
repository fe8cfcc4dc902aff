"""The store: what looks done is done, whatever happens while it is written."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import (
    FIRST,
    LABELS,
    FakeRegistry,
    Filled,
    current,
    experiment,
    older,
    predictions,
)

from emobench.errors import StoreError
from emobench.leaderboard import build
from emobench.spec import Job
from emobench.storage import LEFTOVERS, locks, writing
from emobench.store import (
    Store,
    collecting,
    read_attention,
    read_experiments,
    read_results,
    reading,
    transfer,
)

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from stored import experiment, predictions
from emobench.spec import Job
from emobench.store import Store
store, made = Store(Path(sys.argv[1])), experiment(n_folds=1000)
rewrites = int(sys.argv[3])
store.open(made, {"labels": ["a"]})
print("ready", flush=True)
for number in range(10**6):
    job = Job(number % rewrites, 1)
    store.add(made, job, {"number": number}, predictions(job, n_clips=300 + number % 7))
"""


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "results")


def writer(results: Path, rewrites: int) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(results), str(Path(__file__).parent), str(rewrites)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def whole(results: Path) -> int:
    """Check that every record has the predictions it promises, with no help of the store."""
    records = [
        path for path in results.rglob("fold-*.json") if not path.name.endswith(".failure.json")
    ]
    for path in records:
        record = json.loads(path.read_text())
        table = pq.read_table(path.with_suffix(".parquet"))
        assert table.num_rows == record["rows"] == 300 + record["number"] % 7
    return len(records)


def test_record_and_predictions_come_back(store):
    made, job = experiment(), Job(2, 3)
    assert store.missing(made, [FIRST, job]) == [FIRST, job]
    folder = store.open(made, {"labels": LABELS, "n_clips": 60})
    assert folder == store.results / "keesing2020/emo-db/svm-is09" / made.fingerprint[:8]
    table = predictions(job)
    store.add(made, job, {"scores": {"uar": np.float64(0.5)}, "loss": [float("nan")]}, table)

    assert store.done(made) == {job}
    assert store.missing(made, [FIRST, job]) == [FIRST]
    record = store.record(made, job)
    assert record["scores"] == {"uar": 0.5}
    assert record["loss"] == [None]
    assert (record["fold"], record["repetition"], record["rows"]) == (2, 3, 20)
    assert record["fingerprint"] == made.fingerprint
    read = pq.read_table(folder / "fold-02-repetition-3.parquet").to_pandas()
    assert list(read.columns) == [
        *("id", "label", "predicted", *(f"p_{label}" for label in LABELS)),
        *("speaker", "group", "sex", "sentence", "fold", "repetition"),
    ]
    for column in ("id", "label", "predicted", "p_anger", "fold"):
        assert read[column].tolist() == table[column].tolist()
    assert read["sex"].isna().tolist() == table["sex"].isna().tolist()


def test_probabilities_keep_every_bit(store):
    table = predictions()
    for kind in (np.float32, np.float64):
        exact = np.nextafter(kind(0.25), kind(1)) + np.zeros(len(table), kind)
        made = experiment(kind=kind.__name__)
        store.add(made, FIRST, {}, table.assign(p_anger=exact))
        (stored,) = [one for one in read_experiments(store.results) if one.jobs]
        assert stored.predictions["p_anger"].dtype == kind
        assert stored.predictions["p_anger"].tolist() == exact.tolist()
        shutil.rmtree(store.results)


def test_same_content_same_bytes(tmp_path):
    paths = []
    for name in ("one", "two"):
        filled = Filled(tmp_path / name)
        folder = filled.run(experiment(), jobs=[FIRST])
        paths.append(sorted(folder.iterdir()))
        time.sleep(0.01)
    for one, two in zip(*paths, strict=True):
        assert one.name == two.name
        assert one.read_bytes() == two.read_bytes()


def test_json_is_sorted_indented_and_ends_in_a_line_break(store):
    store.add(experiment(), FIRST, {"zeta": 1, "alpha": {"b": 1, "a": (2,)}}, predictions())
    text = (store.folder(experiment()) / "fold-00-repetition-1.json").read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=1) + "\n"


def test_experiment_file_says_what_was_run(store):
    made = experiment("iemocap:paper-speakers")
    folder = store.open(made, {"labels": LABELS, "n_clips": 7, "emobench_version": "1"})
    assert folder.parts[-3] == "iemocap+paper-speakers"
    before = (folder / "experiment.json").read_bytes()
    content = json.loads(before)
    assert content["corpus"] == "iemocap:paper-speakers"
    assert content["labels"] == list(LABELS)
    assert content["configuration"] == dict(made.configuration)
    assert content["configuration_fingerprint"] == made.configuration_fingerprint
    store.open(made, {"labels": LABELS, "n_clips": 7, "emobench_version": "2"})
    store.open(made)
    assert (folder / "experiment.json").read_bytes() == before


def test_another_experiment_in_the_same_folder(store):
    made = experiment()
    path = store.open(made) / "experiment.json"
    path.write_text(path.read_text().replace(made.fingerprint, made.fingerprint[:8] + "0" * 56))
    with pytest.raises(
        StoreError, match=r"expected results of .*found those of .*Move that folder"
    ):
        store.open(made)


def test_records_of_another_experiment_do_not_count(store, caplog):
    made, other = experiment(), experiment("ravdess")
    store.add(made, FIRST, {}, predictions())
    shutil.copytree(store.folder(made), store.folder(other))
    assert store.missing(other, [FIRST]) == [FIRST]
    assert "another experiment" in caplog.text


def test_tuning_has_a_record_and_no_predictions(store):
    made, tuning = experiment(), Job(None)
    store.add(made, tuning, {"parameters": {"C": 4.0}}, None)
    assert store.done(made) == {tuning}
    assert store.record(made, tuning)["parameters"] == {"C": 4.0}


def test_record_that_is_not_there(store):
    with pytest.raises(StoreError, match=r"expected the record of a finished job, found none"):
        store.record(experiment(), FIRST)
    store.add(experiment(), FIRST, {}, predictions())
    path = store.folder(experiment()) / "fold-00-repetition-1.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"found a damaged one"):
        store.record(experiment(), FIRST)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda table: table.drop(columns="predicted"), "expected id, label, predicted"),
        (lambda table: table.iloc[:0], "expected one row for every clip"),
        (lambda table: pd.concat([table, table]), "expected one row for every clip"),
        (lambda table: None, "expected predictions of folds"),
    ],
)
def test_what_is_not_predictions_of_a_fold(store, spoil, reason):
    with pytest.raises(ValueError, match=reason):
        store.add(experiment(), FIRST, {}, spoil(predictions()))
    assert store.done(experiment()) == set()


def test_looking_what_is_missing_takes_in_no_predictions(tmp_path, monkeypatch):
    filled, made = Filled(tmp_path), experiment(n_folds=5)
    filled.run(made, [Job(0), Job(3)])
    monkeypatch.setattr(pq, "ParquetFile", None)
    jobs = [Job(fold) for fold in range(5)]
    assert filled.store.missing(made, jobs) == [Job(1), Job(2), Job(4)]


def test_looking_for_some_jobs_reads_no_other(tmp_path, monkeypatch):
    filled, made = Filled(tmp_path), experiment(n_folds=5)
    filled.run(made)
    read, whole = [], reading.from_json
    monkeypatch.setattr(reading, "from_json", lambda path: read.append(path.name) or whole(path))
    assert filled.store.done(made, [Job(3), Job(7)]) == {Job(3)}
    assert read == ["fold-03-repetition-1.json"]


def test_a_job_is_found_and_filed_among_many_without_a_list_of_all(tmp_path, monkeypatch):
    """Else each job of an experiment would take the longer the more of them are done."""
    filled, made = Filled(tmp_path), experiment(n_folds=5)
    filled.run(made, [FIRST])
    taken, scan = [], os.scandir

    class Scan:
        def __init__(self, path: Path) -> None:
            self.entries = scan(path)

        def __enter__(self) -> Scan:
            return self

        def __exit__(self, *error: object) -> None:
            self.entries.close()

        def __iter__(self) -> Scan:
            return self

        def __next__(self) -> os.DirEntry:
            taken.append(next(self.entries))
            return taken[-1]

    monkeypatch.setattr(os, "scandir", Scan)
    monkeypatch.setattr(os, "listdir", lambda *path: pytest.fail(f"listed {path}"))
    assert filled.store.done(made, [FIRST, Job(3)]) == {FIRST}
    filled.store.add(made, Job(3), {}, predictions(Job(3)))
    assert filled.store.done(made, [Job(3)]) == {Job(3)}
    assert len(taken) == 3  # of each look the first entry, which says that there are any


def test_failure_is_a_record_until_the_job_is_done(store):
    made = experiment()
    store.fail(made, FIRST, "out of memory")
    path = store.folder(made) / "fold-00-repetition-1.failure.json"
    assert json.loads(path.read_text())["reason"] == "out of memory"
    assert store.missing(made, [FIRST]) == [FIRST]
    (stored,) = read_experiments(store.results)
    assert [failure["reason"] for failure in stored.failures] == ["out of memory"]
    store.add(made, FIRST, {}, predictions())
    assert not path.exists()
    assert store.done(made) == {FIRST}


def damaged(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "half":
        path.write_bytes(content[: len(content) // 2])
    elif how == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(len(content)))
    elif how == "bit":
        changed = bytearray(content)
        changed[len(content) // 3] ^= 8
        path.write_bytes(changed)


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
@pytest.mark.parametrize("how", ["gone", "empty", "half", "noise"])
def test_damage_is_reported_and_run_again(tmp_path, caplog, suffix, how):
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made)
    damaged(folder / f"fold-01-repetition-1{suffix}", how)
    with caplog.at_level(logging.WARNING):
        missing = filled.store.missing(made, [Job(0), Job(1), Job(2)])
    assert missing == [Job(1)]
    assert ("fold-01-repetition-1.json" in caplog.text) != (suffix == ".json" and how == "gone")
    (stored,) = read_experiments(tmp_path)
    assert stored.jobs == {Job(0), Job(2)}
    assert set(read_results(tmp_path)["fold"]) == {0, 2}
    filled.run(made, jobs=[Job(1)])
    assert filled.store.missing(made, [Job(0), Job(1), Job(2)]) == []


def test_no_flipped_bit_goes_unnoticed(tmp_path):
    filled, made = Filled(tmp_path), experiment(n_folds=1)
    path = filled.run(made) / "fold-00-repetition-1.parquet"
    content = path.read_bytes()
    for position in range(0, len(content), 29):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        path.write_bytes(changed)
        (stored,) = read_experiments(tmp_path)
        assert not stored.jobs
        assert "were changed after the record was made" in str(stored.problems[0])
    path.write_bytes(content)
    assert filled.store.done(made) == {FIRST}


def test_in_an_older_record_no_flipped_bit_of_the_values_goes_unnoticed(tmp_path):
    filled, made = Filled(tmp_path), experiment(n_folds=1)
    path = filled.run(made) / "fold-00-repetition-1.parquet"
    older(path.with_suffix(".json"))
    pq.write_table(pq.read_table(path), path, compression="zstd", write_page_checksum=True)
    content, truth = path.read_bytes(), pq.read_table(path)
    for position in range(4, len(content) - 8, 97):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        path.write_bytes(changed)
        (stored,) = read_experiments(tmp_path)
        if stored.jobs:  # the bit was in a statistic or a name that nobody reads
            kept = stored.predictions
            assert kept["predicted"].tolist() == truth["predicted"].to_pylist()
            assert kept["label"].tolist() == truth["label"].to_pylist()


def test_the_record_vouches_for_what_lies_beside_it(store):
    made = experiment()
    weights = {"clip": np.ones(3)}
    store.add(made, FIRST, {}, predictions(), weights)
    store.add(made, Job(None), {}, None)
    folder = store.folder(made)
    assert store.record(made, FIRST)["sha256"] == {
        name: hashlib.sha256((folder / f"fold-00-repetition-1.{suffix}").read_bytes()).hexdigest()
        for name, suffix in (("predictions", "parquet"), ("attention", "attention.parquet"))
    }
    assert "sha256" not in store.record(made, Job(None))
    metadata = pq.read_schema(folder / "fold-00-repetition-1.parquet").metadata
    assert metadata[b"emobench.fingerprint"].decode() == made.fingerprint


def rewrite(path: Path, change) -> None:
    table = pq.read_table(path)
    frame = table.to_pandas()
    change(frame)
    kept = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(kept.replace_schema_metadata(table.schema.metadata), path)


def another_probability(folder: Path, other: Path) -> None:
    def change(frame):
        frame.loc[3, "p_anger"] = 0.123

    rewrite(folder / "fold-01-repetition-1.parquet", change)


def invented_ids(folder: Path, other: Path) -> None:
    def change(frame):
        frame["id"] = [f"invented{number}" for number in range(len(frame))]

    rewrite(folder / "fold-01-repetition-1.parquet", change)


def predictions_of_another_model(folder: Path, other: Path) -> None:
    shutil.copy(other / "fold-01-repetition-1.parquet", folder)


def predictions_scores_and_digest_of_another_model(folder: Path, other: Path) -> None:
    predictions_of_another_model(folder, other)
    path = folder / "fold-01-repetition-1.json"
    own, foreign = (json.loads((place / path.name).read_text()) for place in (folder, other))
    path.write_text(json.dumps({**foreign, "fingerprint": own["fingerprint"]}))


def the_same_of_an_older_record(folder: Path, other: Path) -> None:
    predictions_scores_and_digest_of_another_model(folder, other)
    path = folder / "fold-01-repetition-1.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sha256": {}}))


def digest_that_is_none(folder: Path, other: Path) -> None:
    path = folder / "fold-01-repetition-1.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sha256": {"predictions": 5}}))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (another_probability, "predictions were changed after the record was made"),
        (invented_ids, "predictions were changed after the record was made"),
        (predictions_of_another_model, "predictions were changed after the record was made"),
        (predictions_scores_and_digest_of_another_model, "those of another experiment"),
        (the_same_of_an_older_record, "those of another experiment"),
        (digest_that_is_none, "SHA-256 of its predictions cannot be made out"),
    ],
)
def test_results_that_were_touched_are_named_and_run_again(tmp_path, caplog, spoil, reason):
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made)
    spoil(folder, filled.run(experiment(model="latif2019"), skill=0.9, seed=5))
    with caplog.at_level(logging.WARNING):
        assert filled.store.missing(made, [Job(0), Job(1), Job(2)]) == [Job(1)]
    assert reason in caplog.text
    stored = next(one for one in read_experiments(tmp_path) if one.folder == folder)
    assert [str(problem) for problem in stored.problems] == [
        next(message for message in caplog.messages)
    ]
    assert set(stored.predictions["fold"]) == {0, 2}
    filled.run(made, jobs=[Job(1)])
    assert filled.store.missing(made, [Job(0), Job(1), Job(2)]) == []


@pytest.mark.parametrize("how", ["gone", "empty", "half", "noise", "bit"])
def test_attention_that_was_touched_is_named_and_run_again(store, how):
    made, weights = experiment(), {"clip": np.linspace(0, 1, 50)}
    store.add(made, FIRST, {}, predictions(), weights)
    folder = store.folder(made)
    np.testing.assert_allclose(read_attention(folder, FIRST)["clip"], weights["clip"])
    damaged(folder / "fold-00-repetition-1.attention.parquet", how)
    with pytest.raises(StoreError, match=r"expected attention weights, found: .*run the same"):
        read_attention(folder, FIRST)
    assert store.missing(made, [FIRST]) == [FIRST]
    store.add(made, FIRST, {}, predictions(), weights)
    assert store.done(made) == {FIRST}


def test_older_records_are_read(tmp_path):
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made)
    before = read_results(tmp_path)
    for path in folder.glob("fold-*.json"):
        older(path)
    assert filled.store.done(made) == {Job(0), Job(1), Job(2)}
    pd.testing.assert_frame_equal(read_results(tmp_path), before)


def test_committed_records_are_read():
    results = Path(__file__).parent.parent / "results"
    found = read_experiments(results, columns=["id"])
    assert sum(len(stored.jobs) for stored in found) > 100
    assert [str(problem) for stored in found for problem in stored.problems] == []


DEEP = json.loads("[" * 400 + "]" * 400)


@pytest.mark.parametrize(
    ("nonsense", "reason"),
    [
        ({"labels": 5}, "labels cannot be made out"),
        ({"labels": [1, 2]}, "labels cannot be made out"),
        ({"labels": ["a", "a"]}, "labels cannot be made out"),
        ({"repetitions": 0}, "repetitions cannot be made out"),
        ({"repetitions": True}, "repetitions cannot be made out"),
        ({"n_folds": -1}, "n_folds cannot be made out"),
        ({"n_folds": 10**12}, "n_folds cannot be made out"),
        ({"n_folds": 2.5}, "n_folds cannot be made out"),
        ({"n_clips": "many"}, "n_clips cannot be made out"),
        ({"fingerprint": 5}, "fingerprint cannot be made out"),
        ({"clips": None}, "clips cannot be made out"),
        ({"clips": "others"}, "not the one that its fingerprints are of"),
        ({"configuration": {"condition": 5}}, "not the one that its fingerprints are of"),
        ({"configuration": {"deep": DEEP}}, "not the one that its fingerprints are of"),
        ({"model": "latif2019"}, "found that of keesing2020/emo-db/latif2019"),
        ({"corpus": "ravdess"}, "found that of keesing2020/ravdess/svm-is09"),
    ],
    ids=str,
)
def test_nonsense_in_an_experiment_file_is_named_and_mended(tmp_path, nonsense, reason):
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made)
    filled.run(experiment("ravdess"))
    path = folder / "experiment.json"
    before = path.read_bytes()
    path.write_text(json.dumps({**json.loads(before), **nonsense}))
    broken, sound = read_experiments(tmp_path)
    assert broken.experiment == {}
    assert [problem.path for problem in broken.problems] == [path]
    assert reason in broken.problems[0].reason
    assert len(sound.jobs) == 3
    assert set(read_results(tmp_path)["corpus"]) == {"ravdess"}
    board = build(tmp_path, protocol="keesing2020", current=current, registry=FakeRegistry())
    assert [row.corpus for row in board.rows] == ["ravdess"]
    assert any(reason in notice.text for notice in board.notices)
    filled.store.open(made, {"labels": LABELS, "n_clips": 60})
    assert path.read_bytes() == before


def test_json_nested_beyond_measure_is_damage(tmp_path):
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made)
    for name in ("experiment.json", "fold-00-repetition-1.json"):
        (folder / name).write_text('{"a":' * 100_000 + "0" + "}" * 100_000)
    (stored,) = read_experiments(tmp_path)
    assert stored.experiment == {}
    assert filled.store.missing(made, [Job(0), Job(1), Job(2)]) == [Job(0)]
    filled.store.open(made)
    with pytest.raises(StoreError, match="found a damaged one"):
        filled.store.record(made, FIRST)


@pytest.mark.parametrize("spoil", ["short", "other fold", "no columns"])
def test_predictions_that_are_not_the_job_s(tmp_path, spoil):
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made)
    path = folder / "fold-01-repetition-1.parquet"
    if spoil == "short":
        pq.write_table(pq.read_table(path).slice(0, 19), path)
    elif spoil == "other fold":
        shutil.copy(folder / "fold-00-repetition-1.parquet", path)
    else:
        pq.write_table(pq.read_table(path).drop_columns(["predicted"]), path)
    assert filled.store.missing(made, [Job(0), Job(1), Job(2)]) == [Job(1)]


def test_damaged_experiment_file_loses_no_finished_job(tmp_path):
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made)
    for content in ("", "{", "[]", '{"corpus": 1}'):
        (folder / "experiment.json").write_text(content)
        assert filled.store.missing(made, [Job(0), Job(1), Job(2)]) == []
        (stored,) = read_experiments(tmp_path)
        assert str(stored.problems[0]).startswith(f"{folder / 'experiment.json'}: ")
        filled.store.open(made, {"labels": LABELS})
        assert json.loads((folder / "experiment.json").read_text())["labels"] == list(LABELS)


@pytest.mark.parametrize(
    "change",
    [{"n_folds": 2}, {"n_clips": 61}, {"labels": list(LABELS[::-1])}, {"skip_bad": True}],
    ids=str,
)
def test_facts_beside_the_configuration_are_vouched_for(tmp_path, change):
    filled, made = Filled(tmp_path), experiment()
    path = filled.run(made) / "experiment.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    (stored,) = read_experiments(tmp_path)
    assert [problem.reason for problem in stored.problems] == [
        "it was changed after it was written"
    ]
    filled.store.open(made, {"labels": LABELS, "n_clips": 60})
    assert len(read_results(tmp_path)) == 60


def test_backend_and_folds_of_an_older_experiment_file_are_held_to_the_rest(tmp_path):
    filled, made = Filled(tmp_path), experiment()
    path = filled.run(made) / "experiment.json"
    content = json.loads(path.read_text())
    del content["sha256"]
    path.write_text(json.dumps({**content, "backend": "jax"}))
    (stored,) = read_experiments(tmp_path)
    assert "not the one that its fingerprints are of" in stored.problems[0].reason
    path.write_text(json.dumps({**content, "n_folds": 2}))
    (stored,) = read_experiments(tmp_path)
    assert [problem.path.name for problem in stored.problems] == ["fold-02-repetition-1.json"]
    assert "a fold that the experiment does not have" in stored.problems[0].reason
    path.write_text(json.dumps(content))
    assert not read_experiments(tmp_path)[0].problems


@pytest.mark.parametrize("rewrites", [10**6, 3])
def test_a_kill_at_any_moment_leaves_no_half_record(tmp_path, rewrites):
    generator = random.Random(rewrites)
    for number in range(4):
        results = tmp_path / str(number)
        process = writer(results, rewrites)
        time.sleep(generator.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        count = whole(results)
        made, store = experiment(n_folds=1000), Store(results)
        assert len(store.done(made)) == count
        for leftover in store.folder(made).glob(LEFTOVERS):
            os.utime(leftover, (0, 0))
        folder = store.open(made)
        assert not list(folder.glob(LEFTOVERS))
        (stored,) = read_experiments(results)
        assert not stored.problems


def test_a_kill_between_any_two_steps_leaves_no_half_record(tmp_path, monkeypatch):
    """Stop at every call to the system in turn, as a kill would, without any cleaning up."""

    class Killed(BaseException):
        pass

    made, steps = experiment(), 0
    for name in ("fsync", "replace", "open"):
        real = getattr(os, name)

        def step(*arguments, real=real, **options):
            nonlocal steps
            steps -= 1
            if steps == 0:
                raise Killed
            return real(*arguments, **options)

        monkeypatch.setattr(writing.os, name, step)
    null = writing.contextlib.nullcontext
    monkeypatch.setattr(writing.contextlib, "suppress", lambda *kinds: null())
    survived = 0
    for moment in range(1, 30):
        store = Store(tmp_path / str(moment))
        steps = 0
        store.open(made)
        store.add(made, FIRST, {"version": 1}, predictions(seed=1))
        steps = moment
        try:
            store.add(made, FIRST, {"version": 2}, predictions(n_clips=30, seed=2))
        except Killed:
            survived += 1
        steps = 0
        if store.done(made):
            record = store.record(made, FIRST)
            assert record["rows"] == {1: 20, 2: 30}[record["version"]]
        assert len(read_results(store.results)) in (0, 20, 30)
    assert survived > 5


def test_two_writers_of_one_job_leave_one_whole_record(tmp_path):
    processes = [writer(tmp_path, 2) for _ in range(2)]
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        # A reader may find a record being replaced missing, never one that contradicts itself.
        for stored in read_experiments(tmp_path):
            for problem in stored.problems:
                assert "no predictions" not in problem.reason
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()
    whole(tmp_path)


def test_the_leaderboard_can_be_read_while_runs_write(tmp_path):
    """Two runs file the folds of one experiment, in turn; what was there once stays there."""
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from stored import Filled, experiment; from emobench.spec import Job\n"
        "filled, made = Filled(Path(sys.argv[1])), experiment(n_folds=200)\n"
        "for fold in range(int(sys.argv[3]), 200, 2): filled.run(made, [Job(fold)])"
    )
    results = tmp_path / "results"
    Filled(results).run(experiment(n_folds=200), [])
    command = [sys.executable, "-c", script, str(results), str(Path(__file__).parent)]
    processes = [subprocess.Popen([*command, str(number)]) for number in (0, 1)]
    counts = [0]
    try:
        while counts[-1] < 100 and all(process.poll() is None for process in processes):
            (stored,) = read_experiments(results)
            assert not stored.problems
            assert len(stored.predictions) == 20 * len(stored.records)
            board = build(results, protocol="keesing2020", current=current, registry=FakeRegistry())
            assert board is not None
            counts.append(len(stored.records))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert counts == sorted(counts)
    assert len(set(counts)) > 2


def test_opening_a_folder_does_not_disturb_a_writer(tmp_path):
    process = writer(tmp_path, 10**6)
    store, made = Store(tmp_path), experiment(n_folds=1000)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        store.open(made)
    assert process.poll() is None
    process.kill()
    process.wait()
    process.stdout.close()
    assert whole(tmp_path) > 0


@pytest.mark.parametrize("alone", [True, False])
def test_who_opens_a_folder_leaves_what_another_machine_writes(tmp_path, monkeypatch, alone):
    """Both have a lock where that of one says nothing to the other, or neither has one."""
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made, [])
    monkeypatch.setattr(locks, "_lock", lambda descriptor, wait: alone)
    real, opened = writing.settle, []

    def settle(stream):
        real(stream)
        if Path(stream.name).name.startswith(".fold"):
            opened.append(Store(tmp_path).open(made))
            transfer.open_like(folder, folder)

    monkeypatch.setattr(writing, "settle", settle)
    filled.run(made, [Job(0)])
    filled.store.fail(made, Job(1), "no luck")
    assert opened == [folder] * 3
    assert filled.store.done(made) == {Job(0)}
    assert filled.store.failure(made, Job(1))[0] == "no luck"


def test_what_killed_writers_left_goes_after_an_hour_of_the_file_system(tmp_path, monkeypatch):
    """Also where there are no locks, and whatever the clock of this machine says."""
    monkeypatch.setattr(locks, "_lock", lambda descriptor, wait: False)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    store = Store(tmp_path)
    folder = store.open(experiment())
    now = (folder / "experiment.json").stat().st_mtime
    for name, age in (("young", 3_000), ("old", 4_000), ("ahead", -9_000)):
        left = folder / f".fold-00-repetition-1.json.{name}.tmp"
        left.touch()
        os.utime(left, (now - age, now - age))
    store.open(experiment())
    assert sorted(path.name.split(".")[-2] for path in folder.glob(LEFTOVERS)) == ["ahead", "young"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "message"),
    [
        (
            errno.ENOSPC,
            r"found a full disk\. Free some space, .*\. Finished work is kept: run the same",
        ),
        (errno.EDQUOT, r"found a full disk"),
        (errno.EACCES, r"expected a folder that can be written, .*--results"),
        (errno.EROFS, r"expected a folder that can be written, .*--results"),
        (errno.EIO, r"Check the disk"),
    ],
)
def test_disk_that_refuses(tmp_path, monkeypatch, call, number, message):
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made, jobs=[Job(0)])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(writing.os, call, refuse)
        with pytest.raises(StoreError, match=message):
            filled.run(made, jobs=[Job(1)])
        with pytest.raises(StoreError, match=message):
            filled.store.fail(made, Job(2), "reason")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert filled.store.done(made) == {Job(0)}
    filled.run(made, jobs=[Job(1)])
    assert filled.store.done(made) == {Job(0), Job(1)}


def test_full_disk_leaves_an_old_record_of_the_job_alone(tmp_path, monkeypatch):
    filled, made = Filled(tmp_path), experiment()
    filled.run(made, jobs=[FIRST])

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(StoreError, match="full disk"):
        filled.store.add(made, FIRST, {}, predictions(seed=3))
    assert filled.store.done(made) == {FIRST}


def _fails(command: list[str]) -> bool:
    return bool(subprocess.run(command, capture_output=True, check=False).returncode)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB, where one can be made."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if shutil.which("mount") is None or _fails(command):
        pytest.skip("needs the right to mount a small file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_really_full_disk(small_disk):
    store, made, done = Store(small_disk), experiment(), set()

    def fill() -> None:
        for fold in range(100):
            store.add(made, Job(fold), {}, predictions(Job(fold), n_clips=200))
            done.add(Job(fold))

    with pytest.raises(StoreError, match="found a full disk"):
        fill()
    assert store.done(made) == done
    assert done


def test_results_below_a_file(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(StoreError, match=r"expected a folder for results, found a file in the way"):
        Store(tmp_path / "results").open(experiment())
    with pytest.raises(StoreError, match=r"expected a folder for results, found a file in the way"):
        Store(tmp_path / "results").add(experiment(), FIRST, {}, predictions())
    assert Store(tmp_path / "results").done(experiment()) == set()


def test_results_where_nothing_can_be_made():
    with pytest.raises(StoreError, match=r"^/proc/results.*Check the disk|can be written"):
        Store(Path("/proc/results")).open(experiment())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path):
    folder = Store(tmp_path).open(experiment())
    folder.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="expected a folder that can be written"):
            Store(tmp_path).add(experiment(), FIRST, {}, predictions())
    finally:
        folder.chmod(0o700)


def test_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    filled, made = Filled(tmp_path), experiment()
    filled.run(made)
    assert len(filled.store.done(made)) == 3


def test_read_results_has_one_row_a_clip_and_repetition(tmp_path):
    filled = Filled(tmp_path)
    filled.run(experiment("emo-db", repetitions=2))
    made = experiment("iemocap:paper-speakers", "latif2019", "losgo")
    filled.store.add(
        made, FIRST, {}, predictions().rename(columns={"p_anger": "p_other"}).assign(extra=1)
    )
    filled.store.add(made, Job(None), {"parameters": {}}, None)
    table = read_results(str(tmp_path))
    assert list(table.columns) == [
        *("protocol", "corpus", "model", "fingerprint", "fold", "repetition"),
        *("id", "speaker", "label", "predicted"),
        *("backend", "epochs", "condition", "condition_on", "control"),
        *("transcripts", "vectors", "encoder"),
        *("p_anger", "p_happiness", "p_neutral", "p_other", "p_sadness"),
    ]
    assert len(table) == 3 * 2 * 20 + 20
    assert not table.duplicated(["fingerprint", "repetition", "id"]).any()
    ours = table[table["corpus"] == "iemocap:paper-speakers"]
    assert set(ours["fingerprint"]) == {made.fingerprint}
    assert ours["p_anger"].isna().all()
    assert table[table["corpus"] == "emo-db"]["p_other"].isna().all()


def test_read_results_tells_how_it_was_run(tmp_path):
    filled = Filled(tmp_path)
    heard = {"name": "mp3:8k", "sides": "test"}
    filled.run(
        experiment(
            condition=heard, epochs_override=3, vectors={"sha256": "ab"}, encoder={"sha256": "cd"}
        ),
        [FIRST],
    )
    filled.run(experiment(backend="jax"), [FIRST])
    table = read_results(tmp_path).drop_duplicates("fingerprint").set_index("backend")
    plain, changed = table.loc["jax"], table.loc["tensorflow"]
    assert (plain["condition"], changed["condition"]) == ("none", "mp3:8k")
    assert (plain["condition_on"], changed["condition_on"]) == (None, "test")
    assert (plain["vectors"], changed["vectors"]) == (None, "ab")
    assert (plain["encoder"], changed["encoder"]) == (None, "cd")
    assert changed["epochs"] == 3
    assert pd.isna(plain["epochs"])
    assert table["transcripts"].isna().all()


UNGUARDED = """
import sys
from emobench import read_results
from emobench.store import collecting
print("once")
collecting.WORTH_PROCESSES, collecting._processors = 2, lambda: 2
print(len(read_results(sys.argv[1])))
"""


def test_several_processes_read_the_same_in_the_same_order(tmp_path, monkeypatch):
    filled = Filled(tmp_path / "results")
    for model in "abcdef":
        filled.run(experiment(model=model, n_folds=2))
    next((tmp_path / "results").rglob("fold-01*.parquet")).unlink()
    alone = read_experiments(tmp_path / "results")
    monkeypatch.setattr(collecting, "WORTH_PROCESSES", 2)
    monkeypatch.setattr(collecting, "_processors", lambda: 2)
    monkeypatch.setattr(collecting, "_BATCH", 2)
    together = read_experiments(tmp_path / "results")
    for one, other in zip(alone, together, strict=True):
        assert replace(one, predictions=None) == replace(other, predictions=None)
        pd.testing.assert_frame_equal(one.predictions, other.predictions)
    assert sum(len(stored.problems) for stored in together) == 1


def test_a_script_without_a_guard_reads_in_several_processes(tmp_path):
    filled = Filled(tmp_path / "results")
    for model in "abc":
        filled.run(experiment(model=model, n_folds=2))
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    command = [sys.executable, str(script), str(tmp_path / "results")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["once", "120"]


def test_read_results_of_nothing(tmp_path):
    assert list(read_results(tmp_path).columns)[:3] == ["protocol", "corpus", "model"]
    with pytest.raises(StoreError, match=r"expected a folder of results, found none\. Run"):
        read_results(tmp_path / "nowhere")


def test_strangers_in_the_results_folder_are_left_alone(tmp_path):
    filled = Filled(tmp_path)
    folder = filled.run(experiment())
    (tmp_path / "leaderboard.md").write_text("# Leaderboard")
    (tmp_path / "a/b/c/d/e").mkdir(parents=True)
    (folder / "notes.json").write_text("[]")
    (folder / "fold-01.json").write_text("")
    (stored,) = read_experiments(tmp_path)
    assert not stored.problems
    assert len(stored.jobs) == 3


def test_reading_follows_paths_not_the_file_system(tmp_path):
    filled = Filled(tmp_path / "one")
    for corpus in ("ravdess", "emo-db", "crema-d"):
        filled.run(experiment(corpus, repetitions=2))
    other = tmp_path / "two"
    for path in sorted(filled.results.rglob("*"), reverse=True):
        if path.is_file():
            copy = other / path.relative_to(filled.results)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    pd.testing.assert_frame_equal(read_results(filled.results), read_results(other))
