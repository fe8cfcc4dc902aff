from __future__ import annotations

import errno
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import astuple
from pathlib import Path

import numpy as np
import opensmile
import pandas as pd
import psutil
import pytest
import soundfile

from emobench import conditions, features, versions
from emobench.errors import FeatureError
from emobench.features import FeatureSet, finding, packing
from emobench.features.cache import load
from emobench.storage import processes

RATE = 16_000


def write_clip(path: Path, seed: int, n: int = 8_000) -> None:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, n)
    soundfile.write(path, samples, RATE)


def table_of(paths: list[Path]) -> pd.DataFrame:
    columns = {"path": [str(path) for path in paths], "start": pd.NA, "end": pd.NA}
    return pd.DataFrame(columns, index=pd.Index([path.stem for path in paths], name="id"))


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    """Twelve clips of different lengths."""
    (tmp_path / "audio").mkdir()
    paths = [tmp_path / "audio" / f"clip{i:02d}.wav" for i in range(12)]
    for i, path in enumerate(paths):
        write_clip(path, seed=i, n=2_000 + 700 * i)
    return table_of(paths)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def expected_values(table: pd.DataFrame, name: str, **params: object) -> list[np.ndarray]:
    clips = [soundfile.read(path, dtype="float32")[0] for path in table["path"]]
    return [features.extract(name, clip, RATE, **params) for clip in clips]


def rows(found: FeatureSet) -> np.ndarray:
    """Return the values of all clips, one after the other."""
    return np.concatenate([found.clip(position) for position in range(len(found))])


def only_pack(found: FeatureSet) -> Path:
    (pack,) = found.packs
    return pack.folder


def only_folder(cache: Path) -> Path:
    (folder,) = [path.parent for path in cache.rglob("about.json")]
    return folder


@pytest.mark.parametrize("name", ["logmel", "logmel5s", "raw5s", "is09"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_cache_holds_what_extract_gives(
    table: pd.DataFrame, cache: Path, name: str, jobs: int
) -> None:
    seen = []
    found = load(
        table,
        features.spec(name),
        cache=cache,
        jobs=jobs,
        progress=lambda done, total: seen.append((done, total)),
    )
    expected = expected_values(table, name)
    assert found.ids == tuple(table.index)
    assert len(found) == 12
    assert found.bad == {}
    np.testing.assert_array_equal(found.lengths, [len(values) for values in expected])
    for position, values in enumerate(expected):
        # The cache is extracted with one thread, the clip here with as many as NumPy likes.
        np.testing.assert_allclose(found.clip(position), values, rtol=1e-6, atol=1e-6)
    assert found.clip(0).dtype == np.float32
    assert isinstance(found.clip(0), np.memmap)
    assert seen == [(done, 12) for done in range(1, 13)]


def test_the_number_of_processes_changes_no_bit(table: pd.DataFrame, tmp_path: Path) -> None:
    spec = features.spec("logmel")
    one = load(table, spec, cache=tmp_path / "one", jobs=1)
    two = load(table, spec, cache=tmp_path / "two", jobs=2)
    assert rows(one).tobytes() == rows(two).tobytes()
    np.testing.assert_array_equal(one.moments.m2, two.moments.m2)


def test_moments_are_those_of_numpy(table: pd.DataFrame, cache: Path) -> None:
    found = load(table, features.spec("logmel"), cache=cache)
    for position in range(len(found)):
        values = found.clip(position).astype(float)
        np.testing.assert_array_equal(found.moments.count[position], len(values))
        np.testing.assert_allclose(found.moments.mean[position], values.mean(axis=0))
        np.testing.assert_allclose(found.moments.m2[position], values.var(axis=0) * len(values))


def test_frames640_shares_the_cache_of_raw5s(table: pd.DataFrame, cache: Path) -> None:
    raw = load(table, features.spec("raw5s"), cache=cache)
    framed = load(table, features.spec("frames640"), cache=cache)
    assert only_pack(framed) == only_pack(raw)
    transform = features.get("frames640").transform
    expected = expected_values(table, "frames640")
    np.testing.assert_array_equal(transform(framed.clip(3)), expected[3])


def test_segments_of_a_long_file(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "session.wav"
    write_clip(path, seed=0, n=48_000)
    table = pd.DataFrame(
        {"path": str(path), "start": [0.0, 1.0, pd.NA], "end": [1.0, pd.NA, pd.NA]},
        index=["a", "b", "c"],
    )
    found = load(table, features.spec("raw5s"), cache=cache)
    whole, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(found.clip(0)[:, 0], whole[:16_000])
    np.testing.assert_array_equal(found.clip(1)[:, 0], whole[16_000:])
    np.testing.assert_array_equal(found.lengths, [16_000, 32_000, 48_000])


def forbid_extraction(monkeypatch: pytest.MonkeyPatch) -> None:
    def extract_all(*arguments: object) -> None:
        raise AssertionError("extracted again")

    monkeypatch.setattr("emobench.features.cache.extract_all", extract_all)


def test_the_second_time_nothing_is_extracted(
    table: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = features.spec("logmel")
    first = load(table, spec, cache=cache)
    forbid_extraction(monkeypatch)
    second = load(table, spec, cache=cache)
    np.testing.assert_array_equal(rows(first), rows(second))
    assert second.ids == first.ids


def test_cached_features_need_no_opensmile(
    table: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(table, features.spec("is09"), cache=cache)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    second = load(table, features.spec("is09"), cache=cache)
    np.testing.assert_array_equal(rows(first), rows(second))
    with pytest.raises(FeatureError, match=r"the package opensmile.*pip install opensmile"):
        load(table, features.spec("is09"), cache=cache / "another")


@pytest.mark.parametrize(
    ("change", "extracted"),
    [("content", 1), ("segment", 1), ("id", 0), ("order", 0), ("fewer", 0), ("spec", 12)],
)
def test_what_is_heard_decides_what_is_extracted(
    table: pd.DataFrame, cache: Path, tmp_path: Path, change: str, extracted: int
) -> None:
    spec = features.spec("logmel")
    load(table, spec, cache=cache)
    path = Path(table["path"].iloc[3])
    if change == "content":
        write_clip(path, seed=99, n=9_000)
    elif change == "segment":
        table.loc["clip03", "end"] = 0.1
    elif change == "id":
        table = table.rename(index={"clip03": "other"})
    elif change == "order":
        table = table[::-1]
    elif change == "fewer":
        table = table[:-1]
    else:
        spec = features.spec("logmel", bands=26)
    seen = []
    after = load(table, spec, cache=cache, progress=lambda *step: seen.append(step))
    assert seen == [(done, extracted) for done in range(1, extracted + 1)]
    assert_same(after, load(table, spec, cache=tmp_path / "fresh"))


def assert_same(found: FeatureSet, expected: FeatureSet) -> None:
    """Compare features bit by bit."""
    assert found.ids == expected.ids
    assert found.bad == expected.bad
    np.testing.assert_array_equal(found.lengths, expected.lengths)
    for position in range(len(expected)):
        assert found.clip(position).tobytes() == expected.clip(position).tobytes()
    for one, two in zip(astuple(found.moments), astuple(expected.moments), strict=True):
        assert one.tobytes() == two.tobytes()
    positions = np.arange(len(expected))[::-2]
    one, two = found.first_rows(positions), expected.first_rows(positions)
    assert one.tobytes() == two.tobytes()
    assert one.tobytes() == b"".join(found.clip(place)[0].tobytes() for place in positions)


@pytest.mark.parametrize("name", ["logmel", "is09", "raw5s"])
def test_a_list_of_clips_is_a_view_of_what_is_there(
    table: pd.DataFrame, cache: Path, tmp_path: Path, name: str
) -> None:
    spec = features.spec(name)
    load(table[:5], spec, cache=cache)
    load(table[3:8], spec, cache=cache)  # the first two of them are there
    mixed = table.iloc[[7, 0, 11, 4, 3, 9]].rename(index="pool/{}".format)
    seen = []
    found = load(mixed, spec, cache=cache, progress=lambda *step: seen.append(step))
    assert seen == [(1, 2), (2, 2)]
    assert sorted(len(pack.about.sounds) for pack in found.packs) == [2, 3, 5]
    assert_same(found, load(mixed, spec, cache=tmp_path / "fresh"))


def test_the_same_sound_is_extracted_once(table: pd.DataFrame, cache: Path) -> None:
    twice = pd.concat([table, table.rename(index="{}-again".format)])
    seen = []
    found = load(twice, features.spec("logmel"), cache=cache, progress=lambda *s: seen.append(s))
    assert seen[-1] == (12, 12)
    assert len(found) == 24
    np.testing.assert_array_equal(found.clip(15), found.clip(3))


@pytest.mark.parametrize("where", ["one", "other"])
def test_a_damaged_pack_is_not_used_by_another_list(
    table: pd.DataFrame, cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    spec = features.spec("logmel")
    packs = {"one": only_pack(load(table[:6], spec, cache=cache))}
    packs["other"] = only_pack(load(table[6:], spec, cache=cache))
    flip(packs[where] / "values.npy")  # in the middle: clips 3 and 4 of six
    assert_same(load(table[:1], spec, cache=cache), load(table[:1], spec, cache=tmp_path / "1"))
    assert caplog.records == []  # what is not asked for is not looked at
    found = load(table[::-1], spec, cache=cache)
    assert "the checksum of values.npy" not in caplog.text
    assert "a checksum of values.npy is wrong" in caplog.text
    assert not packs[where].exists()
    assert_same(found, load(table[::-1], spec, cache=tmp_path / "fresh"))


def test_a_pack_that_cannot_be_read_now_is_kept(
    table: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = features.spec("logmel")
    about = only_pack(load(table, spec, cache=cache)) / "about.json"
    read, content = Path.read_bytes, about.read_bytes()

    def stale(path: Path) -> bytes:
        if path == about:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", stale)
        with pytest.raises(FeatureError, match="Stale file handle"):
            load(table, spec, cache=cache)
    assert about.read_bytes() == content


def test_conditions_and_versions_are_not_mixed_up(
    table: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extracted(**how: object) -> int:
        seen = []
        load(table[:2], features.spec("logmel"), cache=cache, progress=count(seen), **how)
        return len(seen)

    def count(seen: list) -> object:
        return lambda *step: seen.append(step)

    coded, worse = (conditions.parse(f"mp3:{rate}k") for rate in (64, 8))
    assert [extracted(), extracted(condition=coded), extracted(condition=worse)] == [2, 2, 2]
    assert [extracted(), extracted(condition=coded), extracted(condition=worse)] == [0, 0, 0]
    with monkeypatch.context() as patch:
        patch.setattr(conditions, "_lame_version", lambda: "another")
        assert [extracted(), extracted(condition=coded)] == [0, 2]
        patch.setitem(versions.VERSIONS, "resampling", versions.VERSIONS["resampling"] + 1)
        assert [extracted(), extracted(condition=coded)] == [2, 2]
    assert [extracted(), extracted(condition=coded)] == [0, 0]


def test_packs_of_another_format_are_left_alone(
    table: pd.DataFrame, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec = features.spec("logmel")
    pack = only_pack(load(table[:2], spec, cache=cache))
    older = pack.with_name("0" * finding.LENGTH)
    shutil.copytree(pack, older)
    (older / "about.json").write_text(json.dumps({"format": 1, "ids": ["a"], "bad": {}}))
    stranger = pack.with_name("notes")
    stranger.mkdir()
    load(table, spec, cache=cache)
    assert caplog.records == []
    assert {older, stranger} < set(pack.parent.iterdir())


def test_a_corpus_may_move(
    table: pd.DataFrame, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load(table, features.spec("logmel"), cache=cache)
    (tmp_path / "audio").rename(tmp_path / "elsewhere")
    table["path"] = table["path"].str.replace("/audio/", "/elsewhere/")
    forbid_extraction(monkeypatch)
    after = load(table, features.spec("logmel"), cache=cache)
    assert after.ids == before.ids
    for place in range(len(after)):
        np.testing.assert_array_equal(after.clip(place), before.clip(place))


def bad_clips(folder: Path) -> dict[str, str]:
    """Write clips that cannot be used; return the reason expected for each."""
    soundfile.write(folder / "silent.wav", np.zeros(8_000), RATE)
    soundfile.write(folder / "short.wav", np.array([0.1, -0.1] * 10), RATE)
    soundfile.write(folder / "gaps.wav", np.array([0.1, np.nan] * 4000), RATE, subtype="FLOAT")
    soundfile.write(folder / "cut.wav", np.arange(8_000) / 8_000, RATE)
    (folder / "cut.wav").write_bytes((folder / "cut.wav").read_bytes()[:9_000])
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("not found")
    (folder / "pointer.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    return {
        "silent": "silent: all 8000 samples equal 0",
        "short": "too short: expected at least 400 samples",
        "gaps": "4000 of 8000 samples are NaN",
        "cut": "is cut short",
        "empty": "is an empty file",
        "text": "is a text file",
        "pointer": "is a Git LFS pointer",
        "absent": "no such file",
    }


@pytest.fixture
def mixed(table: pd.DataFrame, tmp_path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """The clips, with some among them that cannot be used."""
    reasons = bad_clips(tmp_path / "audio")
    bad = table_of([tmp_path / "audio" / f"{name}.wav" for name in reasons])
    return pd.concat([table[:5], bad, table[5:]]), reasons


@pytest.mark.parametrize("jobs", [1, 2])
def test_bad_clips_are_all_named(
    mixed: tuple[pd.DataFrame, dict[str, str]], cache: Path, jobs: int
) -> None:
    table, reasons = mixed
    message = r"expected usable audio in every clip, found 8 of 20 .*--skip-bad"
    with pytest.raises(FeatureError, match=message) as caught:
        load(table, features.spec("logmel"), cache=cache, jobs=jobs)
    for name, reason in reasons.items():
        assert f"  {name}: {reason}" in str(caught.value)


def test_bad_clips_are_left_out_on_request(
    mixed: tuple[pd.DataFrame, dict[str, str]],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, reasons = mixed
    spec = features.spec("logmel")
    good = [name for name in table.index if name not in reasons]
    for attempt in range(2):
        found = load(table, spec, cache=cache, skip_bad=True)
        assert found.ids == tuple(good)
        assert set(found.bad) == set(reasons)
        for name, reason in reasons.items():
            assert found.bad[name].startswith(reason)
        expected = expected_values(table.loc[good], "logmel")
        for position, values in enumerate(expected):
            np.testing.assert_allclose(found.clip(position), values, rtol=1e-6, atol=1e-6)
        if not attempt:
            forbid_extraction(monkeypatch)
    # What was learnt about them is kept: asking without the option does not extract again.
    with pytest.raises(FeatureError, match="found 8 of 20"):
        load(table, spec, cache=cache)


def test_a_clip_that_was_mended_is_extracted(
    mixed: tuple[pd.DataFrame, dict[str, str]], cache: Path
) -> None:
    table, _ = mixed
    load(table, features.spec("logmel"), cache=cache, skip_bad=True)
    write_clip(Path(table.loc["absent", "path"]), seed=5)
    assert "absent" in load(table, features.spec("logmel"), cache=cache, skip_bad=True).ids


def test_only_ten_bad_clips_are_listed(tmp_path: Path, cache: Path) -> None:
    table = table_of([tmp_path / f"absent{i}.wav" for i in range(13)])
    for skip_bad in (False, True):
        with pytest.raises(FeatureError, match=r"found 13 of 13 .*Replace them\.") as caught:
            load(table, features.spec("logmel"), cache=cache, skip_bad=skip_bad)
        lines = str(caught.value).splitlines()
        assert len(lines) == 12
        assert lines[-1] == "  and 3 more"


def test_an_empty_table_is_refused(table: pd.DataFrame, cache: Path) -> None:
    with pytest.raises(FeatureError, match="expected at least one clip"):
        load(table[:0], features.spec("logmel"), cache=cache)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def lie(path: Path, **facts: object) -> None:
    header, content = path.read_text().splitlines()
    path.write_text(f"{header}\n{json.dumps(json.loads(content) | facts)}")


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("values.npy", truncate, "damaged"),
        ("values.npy", flip, "a checksum of values.npy is wrong"),
        ("values.npy", Path.unlink, "values.npy is missing"),
        ("values.npy", lambda path: path.write_bytes(b""), "damaged"),
        ("values.npy", lambda path: np.save(path, np.zeros((3, 40))), "damaged"),
        ("values.npy", lambda path: path.write_text("nonsense" * 99), "damaged"),
        ("offsets.npy", truncate, "damaged"),
        ("offsets.npy", flip, "damaged|checksum"),
        ("moments.npy", flip, "checksum of moments.npy is wrong"),
        ("about.json", truncate, "damaged"),
        ("about.json", Path.unlink, "about.json is missing"),
        ("about.json", lambda path: path.write_text("[]"), "damaged"),
        ("about.json", lambda path: lie(path, sums=[]), "the checksum of about.json is wrong"),
        ("about.json", flip, "the checksum of about.json is wrong"),
    ],
)
def test_a_damaged_cache_is_noticed_and_built_anew(
    table: pd.DataFrame,
    cache: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    damage: object,
    message: str,
) -> None:
    before = load(table, features.spec("logmel"), cache=cache)
    expected, folder = rows(before), only_pack(before)
    damage(folder / name)
    with caplog.at_level(logging.WARNING):
        after = load(table, features.spec("logmel"), cache=cache)
    (record,) = caplog.records
    assert "the cache cannot be used" in record.getMessage()
    assert re.search(message, record.getMessage())
    np.testing.assert_array_equal(rows(after), expected)
    assert list(folder.parent.iterdir()) == [only_pack(after)]


@pytest.mark.parametrize("name", ["offsets.npy", "moments.npy", "values.npy"])
def test_any_damaged_byte_of_a_header_is_noticed(
    table: pd.DataFrame, cache: Path, name: str
) -> None:
    path = only_pack(load(table[:2], features.spec("logmel"), cache=cache)) / name
    content = path.read_bytes()
    for position in range(128):
        for mask in (0x01, 0x02, 0x10, 0x20, 0xFF):
            changed = bytearray(content)
            changed[position] ^= mask
            path.write_bytes(changed)
            try:
                packed = packing.open_pack(path.parent)
                packed.verify(range(2))
            except packing.DamageError:
                continue
            # What is left says the same in other words, such as another blank.
            path.write_bytes(content)
            sound = packing.open_pack(path.parent)
            for one, two in (
                (packed.values, sound.values),
                (packed.offsets, sound.offsets),
                (packed.moments, sound.moments),
            ):
                assert one.dtype == two.dtype
                np.testing.assert_array_equal(one, two)


def test_a_flipped_byte_in_a_header_costs_an_extraction(table: pd.DataFrame, cache: Path) -> None:
    before = load(table[:2], features.spec("logmel"), cache=cache)
    expected, path = rows(before), only_pack(before) / "offsets.npy"
    for position in range(6, 128, 5):
        changed = bytearray(path.read_bytes())
        changed[position] ^= 0xFF
        path.write_bytes(changed)
        after = load(table[:2], features.spec("logmel"), cache=cache)
        np.testing.assert_array_equal(rows(after), expected)


def test_names_in_another_order_cost_an_extraction(table: pd.DataFrame, cache: Path) -> None:
    before = load(table[:2], features.spec("logmel"), cache=cache)
    expected, path = rows(before), only_pack(before) / "about.json"
    sounds = json.loads(path.read_text().splitlines()[1])["sounds"]
    lie(path, sounds=sounds[::-1])
    after = load(table[:2], features.spec("logmel"), cache=cache)
    np.testing.assert_array_equal(rows(after), expected)


def test_what_bears_the_name_of_a_pack_and_is_none_is_replaced(
    table: pd.DataFrame, cache: Path
) -> None:
    spec = features.spec("logmel")
    before = load(table[:2], spec, cache=cache)
    expected, path = rows(before), only_pack(before) / "about.json"
    path.write_bytes(path.read_bytes().replace(b'"format": 2', b'"format": 9'))
    for _ in range(2):
        np.testing.assert_array_equal(rows(load(table[:2], spec, cache=cache)), expected)
    assert b'"format": 2' in path.read_bytes()


def test_what_a_killed_process_left_is_removed(table: pd.DataFrame, cache: Path) -> None:
    machine, (own, began) = processes.machine_digest(), processes.own()
    code = "import os; print(os.getpid())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    parent = only_pack(load(table[:2], features.spec("logmel"), cache=cache)).parent
    names = {
        "dead": f".unfinished-{machine}-{int(dead.stdout)}-{int(began)}-a",
        "alive": f".unfinished-{machine}-{own}-{int(began)}-b",
        "elsewhere": ".unfinished-other-host-1-c",
        "old": ".unfinished-other-host-1-d",
    }
    for name in names.values():
        (parent / name).mkdir()
        (parent / name / "values.npy").write_bytes(b"half")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(parent / names["old"] / "values.npy", (two_days_ago, two_days_ago))
    os.utime(parent / names["old"], (two_days_ago, two_days_ago))
    load(table, features.spec("logmel"), cache=cache)
    left = {path.name for path in parent.iterdir() if path.name.startswith(".")}
    assert left == {names["alive"], names["elsewhere"]}


EXTRACT = """
import sys, pandas as pd
from pathlib import Path
from emobench import conditions, features, versions
table = pd.read_pickle(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
cache, jobs = Path(sys.argv[2]), int(sys.argv[3])
found = features.load(table, features.spec("logmel"), cache=cache, jobs=jobs)
print([float(found.clip(place).sum()) for place in range(len(found))])
"""


def start(table: pd.DataFrame, cache: Path, jobs: int = 1) -> subprocess.Popen[str]:
    pickled = cache.parent / "table.pickle"
    table.to_pickle(pickled)
    environment = os.environ | {"PYTHONPATH": str(Path(features.__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-c", EXTRACT, str(pickled), str(cache), str(jobs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def expected_clips(table: pd.DataFrame, cache: Path) -> list[np.ndarray]:
    found = load(table, features.spec("logmel"), cache=cache.with_name("fresh"))
    return [found.clip(position) for position in range(len(found))]


def test_two_processes_may_extract_at_once(table: pd.DataFrame, cache: Path) -> None:
    processes = [start(table, cache) for _ in range(2)]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    sums = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    folder = only_folder(cache)
    assert list(folder.parent.iterdir()) == [folder]
    assert sums == [[float(each.sum()) for each in expected_clips(table, cache)]] * 2


def test_the_later_of_two_processes_uses_what_the_first_made(
    table: pd.DataFrame, cache: Path
) -> None:
    spec, inner = features.spec("logmel"), []

    def meanwhile(done: int, total: int) -> None:
        if done == 5:
            inner.append(load(table, spec, cache=cache))

    outer = load(table, spec, cache=cache, progress=meanwhile)
    folder = only_pack(outer)
    assert folder == only_pack(inner[0])
    assert list(folder.parent.iterdir()) == [folder]


def test_an_interrupted_extraction_leaves_nothing(table: pd.DataFrame, cache: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    for jobs in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            load(table, features.spec("logmel"), cache=cache, jobs=jobs, progress=interrupt)
        assert list(cache.rglob("*.*")) == []
    assert len(load(table, features.spec("logmel"), cache=cache)) == 12


def test_a_full_disk_is_explained_and_leaves_nothing(
    table: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packing, "settle", full)
    with pytest.raises(FeatureError, match=r"cache: expected room .*found a full disk.*--cache"):
        load(table, features.spec("logmel"), cache=cache)
    assert list(cache.rglob("*.npy")) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_while_writing(
    table: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_VALUES", "/dev/full")
    with pytest.raises(FeatureError, match=r"expected room for features, found a full disk"):
        load(table, features.spec("raw5s"), cache=cache)
    assert list(cache.rglob("*.npy")) == []


def test_a_cache_folder_that_is_a_file_is_explained(table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(
        FeatureError,
        match=r"folder for features, found a file in the way .*--cache",
    ):
        load(table, features.spec("logmel"), cache=tmp_path / "cache")


def test_a_worker_that_dies_is_explained(
    table: pd.DataFrame, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emobench.features.extraction._extract_task", die)
    with pytest.raises(FeatureError, match=r"was killed.*fewer --jobs"):
        load(table, features.spec("logmel"), cache=cache, jobs=2)
    assert list(cache.rglob("*.*")) == []


def children(process: int) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(process).children()
        if "popen_loky" in " ".join(child.cmdline())
    ]


def test_a_killed_extraction_leaves_no_process_and_is_made_good(
    table: pd.DataFrame, cache: Path
) -> None:
    parts = [(number, table.assign(end=0.1 + number / 1e5)) for number in range(400)]
    many = pd.concat([part.set_axis(part.index + f"-{number}") for number, part in parts])
    process = start(many, cache, jobs=2)
    process.stdin.write("\n")
    process.stdin.flush()
    until = time.monotonic() + 60
    while len(workers := children(process.pid)) < 2 or not list(cache.rglob("values.npy")):
        assert time.monotonic() < until
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    assert list(cache.rglob("about.json")) == []
    found = load(table, features.spec("logmel"), cache=cache)
    folder = only_pack(found)
    assert list(folder.parent.iterdir()) == [folder]


def die(*arguments: object) -> None:
    os._exit(1)


@pytest.mark.corpora
def test_every_clip_of_emo_db_is_usable_and_is_that_of_the_wheel(
    real_data: Path, cache: Path
) -> None:
    table = table_of(sorted((real_data / "emo-db").rglob("*.wav")))
    found = load(table, features.spec("is09"), cache=cache, jobs=2)
    assert len(found) == 535
    smile = opensmile.Smile(opensmile.FeatureSet.IS09, opensmile.FeatureLevel.Functionals)
    for position in range(0, 535, 50):
        expected = smile.process_file(table["path"].iloc[position]).to_numpy()
        np.testing.assert_array_equal(found.clip(position), expected)
