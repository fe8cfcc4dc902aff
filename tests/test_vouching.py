"""Small parts of the store: JSON that others read, digests, and tables held to what they are of."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from emobench.metric_table import SCORES
from emobench.results.recomputing import contradictions
from emobench.spec import Job
from emobench.store import predictions
from emobench.store.json_files import from_json, to_json
from emobench.store.vouching import Damage, digest, promised, read_bytes

JOB = Job(3, 2)
PRINT = "f" * 64
TABLE = pd.DataFrame(
    {
        "id": ["b", "a", "ü"],
        "label": ["joy", "fear", "joy"],
        "predicted": ["joy", "joy", "fear"],
        "p_fear": np.float32([0.1, 0.2, 0.9]),
        "p_joy": np.float32([0.9, 0.8, 0.1]),
        "speaker": ["s1", None, "s2"],
        "note": [1, "two", None],
    }
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (math.nan, None),
        (-math.inf, None),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.array([1.0, math.nan]), [1.0, None]),
        ((1, 2), [1, 2]),
        ({"b": {"c": math.inf}}, {"b": {"c": None}}),
        ("ü", "ü"),
    ],
)
def test_values_are_what_json_has(value, written):
    content = to_json({"z": value, "a": 1})
    assert json.loads(content) == {"a": 1, "z": written}
    assert (
        content.decode()
        == json.dumps({"a": 1, "z": written}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[1]", "expected an object, found list"),
        (b"3", "expected an object, found int"),
        (b"null", "expected an object, found NoneType"),
        (b"{", "Expecting property name"),
        (b"\xff", "can't decode byte 0xff"),
    ],
)
def test_what_is_no_object_is_refused(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        from_json(path)


def test_digests_are_those_of_sha256sum():
    assert digest(b"abc") == hashlib.sha256(b"abc").hexdigest()
    assert digest(b"").startswith("e3b0c44298fc1c14")


def test_what_a_record_promises():
    assert promised({"sha256": {"predictions": "ab"}}, "predictions") == "ab"
    assert promised({"sha256": {}}, "predictions") is None
    assert promised({}, "predictions") is None
    for nonsense in ({"predictions": 3}, [], "ab", None):
        with pytest.raises(Damage, match="the SHA-256 of its predictions cannot be made out"):
            promised({"sha256": nonsense}, "predictions")


def test_bytes_are_those_that_were_promised(tmp_path):
    path = tmp_path / "weights"
    with pytest.raises(Damage, match="there are no weights beside the record"):
        read_bytes(path, None, "weights")
    path.write_bytes(b"abc")
    assert (
        read_bytes(path, digest(b"abc"), "weights") == read_bytes(path, None, "weights") == b"abc"
    )
    with pytest.raises(Damage, match="the weights were changed after the record was made"):
        read_bytes(path, digest(b"abd"), "weights")
    with pytest.raises(Damage, match="the weights cannot be read"):
        read_bytes(tmp_path, None, "weights")


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "fold.parquet"
    path.write_bytes(predictions.to_parquet(TABLE, JOB, PRINT))
    return path


def test_predictions_come_back(stored):
    found = predictions.read(stored, JOB, 3, fingerprint=PRINT).to_pandas()
    assert found["id"].tolist() == TABLE["id"].tolist()
    assert found["p_joy"].to_numpy().tobytes() == TABLE["p_joy"].to_numpy().tobytes()
    for name, expected in (("speaker", ["s1", None, "s2"]), ("note", ["1", "two", None])):
        assert [None if pd.isna(cell) else cell for cell in found[name]] == expected
    assert set(found["fold"]) == {3}
    assert set(found["repetition"]) == {2}
    some = predictions.read(stored, JOB, 3, ["id", "fold"], fingerprint=PRINT)
    assert some.column_names == ["id", "fold", "repetition"]
    assert pq.read_table(stored).num_rows == 3  # any program may read it


@pytest.mark.parametrize(
    ("job", "rows", "columns", "fingerprint", "message"),
    [
        (JOB, 2, None, PRINT, "3 predictions where the record says 2"),
        (Job(2, 2), 3, None, PRINT, "those of another fold or repetition"),
        (Job(3, 1), 3, None, PRINT, "those of another fold or repetition"),
        (JOB, 3, None, "0" * 64, "those of another experiment"),
        (JOB, 3, ["id", "p_anger", "mood"], PRINT, "the predictions lack mood, p_anger"),
    ],
)
def test_predictions_of_something_else_are_damage(stored, job, rows, columns, fingerprint, message):
    sha256 = digest(stored.read_bytes())
    with pytest.raises(Damage, match=message):
        predictions.read(stored, job, rows, columns, fingerprint=fingerprint, sha256=sha256)
    if columns is None:
        with pytest.raises(Damage, match=message):
            predictions.check(stored, job, rows, fingerprint=fingerprint, sha256=sha256)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(50) + b"PAR1"])
def test_what_is_no_parquet_is_damage(tmp_path, content):
    path = tmp_path / "fold.parquet"
    path.write_bytes(content)
    with pytest.raises(Damage, match="the predictions cannot be read"):
        predictions.read(path, JOB, 3, fingerprint=PRINT)
    with pytest.raises(Damage, match="the predictions cannot be read"):
        predictions.check(path, JOB, 3, fingerprint=PRINT, sha256=digest(content))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.drop(columns="label"), "expected id, label, predicted, p_<label>; found id, pred"),
        (TABLE.drop(columns=["p_joy", "p_fear"]), "expected id, label, predicted, p_<label>"),
        (TABLE.iloc[:0], "expected one row for every clip, found none or several"),
        (pd.concat([TABLE, TABLE[:1]]), "expected one row for every clip, found none or several"),
    ],
)
def test_what_is_no_table_of_predictions_is_not_stored(table, message):
    with pytest.raises(ValueError, match=message):
        predictions.to_parquet(table, JOB, PRINT)


def test_scores_on_file_are_held_to_the_predictions():
    found = {key: 0.5 for key in SCORES}
    assert contradictions({"scores": dict(found)}, found) == ""
    assert contradictions({"scores": {**found, "seconds": 9}}, found) == ""
    assert contradictions({"scores": None}, found) == contradictions({}, found) == ""
    assert contradictions({"scores": {SCORES[0]: 0.5 + 1e-8}}, found) == ""
    told = contradictions({"scores": {**found, SCORES[0]: 0.75, SCORES[-1]: math.nan}}, found)
    assert told == (
        f"{SCORES[0]} 0.7500 on file, 0.5000 recomputed, "
        f"{SCORES[-1]} nan on file, 0.5000 recomputed"
    )
