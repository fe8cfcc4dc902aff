"""What lies in the folder of caches: told as it is, and made smaller without harm to anybody."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner

from emobench import conditions, corpora, features
from emobench.cli import cli
from emobench.errors import SpecError
from emobench.experiments.inputs import AudioInput, Side
from emobench.features import finding, inventory, logmel, packing, recipes, registry
from emobench.runs import extract_ahead
from emobench.scaling import Moments
from emobench.spec import Places
from emobench.storage import locks, processes, unused, using
from emobench.versions import VERSIONS

DAY = 86_400


@pytest.fixture(scope="module")
def filled(tiny_data, tmp_path_factory) -> Path:
    """A cache with two front-ends of a corpus; not to be changed."""
    cache = tmp_path_factory.mktemp("filled")
    places = Places(cache, cache, tiny_data, (tiny_data / "datasets.yaml",))
    list(extract_ahead(["logmel", "logmel:bands=26", "is09"], ["tiny"], places))
    return cache


@pytest.fixture
def cache(filled, tmp_path) -> Path:
    return shutil.copytree(filled, tmp_path / "cache")


def packs(cache: Path) -> dict[str, Path]:
    """Return the packs by the name of their shelf."""
    return {path.parent.parent.name: path.parent for path in cache.rglob("about.json")}


def say(*words: object) -> str:
    """Return what `emobench features` prints."""
    done = CliRunner().invoke(cli, ["features", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def told(cache: Path) -> dict:
    return json.loads(say("--cache", cache, "--json"))


def age(pack: Path, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(pack / "about.json", (then, then))


def tiny_table(cache: Path, data: Path) -> pd.DataFrame:
    return corpora.load(corpora.load_registry([data / "datasets.yaml"]).get("tiny"), data, cache)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_everything_is_told(cache):
    (cache / "compiled" / "jax").mkdir(parents=True)
    (cache / "compiled" / "jax" / "program").write_bytes(bytes(1000))
    (cache / "sounds").mkdir(exist_ok=True)
    (cache / "mine.txt").write_bytes(bytes(10))
    age(packs(cache)["is09-v1"], 40)
    known = told(cache)
    assert known["size"] == size(cache)
    found = {(row["front_end"], row["params"].get("bands")): row for row in known["features"]}
    assert set(found) == {("logmel", 40), ("logmel", 26), ("is09", None)}
    for row in known["features"]:
        assert row["size"] == size(Path(row["folder"]))
        assert (row["kind"], row["corpus"], row["clips"], row["refused"]) == (
            "features",
            "tiny",
            24,
            0,
        )
        assert (row["condition"], row["outdated"]) == ("", "")
    others = {row["name"]: row for row in known["others"]}
    assert others["compiled"]["size"] == 1000
    assert others["compiled"]["what"] == "programs compiled for graphics cards"
    assert others["mine.txt"] == {"name": "mine.txt", "what": "", "size": 10}
    assert others["sounds"]["what"] == "what is heard in audio files"
    lines = say("--cache", cache).splitlines()
    (row,) = [line.strip() for line in lines if line.strip().startswith("is09")]
    month_ago = time.strftime("%Y-%m-%d", time.localtime(time.time() - 40 * DAY))
    assert row.split()[1:5] == ["1", "none", "tiny", "24"]
    assert month_ago in row
    assert row.endswith("yes")
    assert lines[-1].startswith(f"{size(cache) / 1e6:.1f} MB in {cache}, ")


def test_a_cache_that_is_not_there_is_empty(tmp_path):
    none = tmp_path / "none"
    assert say("--cache", none) == f"0.0 MB in {none}, 0.0 MB of it features\n"
    assert "0.0 MB freed" in say("--cache", tmp_path / "none", "--prune", "--outdated")
    assert not (tmp_path / "none").exists()


def test_another_version_of_a_front_end_is_outdated(cache, monkeypatch):
    monkeypatch.setitem(
        registry._FRONT_ENDS, "logmel", type(logmel.LOGMEL)(**{**vars(logmel.LOGMEL), "version": 2})
    )
    known = {Path(row["folder"]).parent.name: row["outdated"] for row in told(cache)["features"]}
    assert known == {
        "is09-v1": "",
        "logmel-bands=26-v1": "version 2 is used",
        "logmel-bands=40-v1": "version 2 is used",
    }
    for pack in packs(cache).values():
        age(pack, 2)
    shown = say("--cache", cache, "--prune", "--outdated", "--dry-run")
    assert len(packs(cache)) == 3
    removed = say("--cache", cache, "--prune", "--outdated")
    assert removed == shown.replace("would remove", "removed").replace("would be freed", "freed")
    assert "removed: logmel(bands=26) v1 of tiny, 24 clips, " in removed
    assert "outdated: version 2 is used" in removed
    assert set(packs(cache)) == {"is09-v1"}
    assert not (cache / "logmel-bands=26-v1").exists()


def test_another_format_is_outdated(cache):
    about = packs(cache)["is09-v1"] / "about.json"
    about.write_text(json.dumps({"format": 1, "version": 1, "ids": ["a", "b"], "bad": {}}))
    (row,) = [row for row in told(cache)["features"] if "is09" in row["folder"]]
    assert (row["outdated"], row["clips"]) == ("expected format 2, found 1", 2)
    age(about.parent, 2)
    assert "removed: is09-v1, 2 clips" in say("--cache", cache, "--prune", "--outdated")


def test_what_was_not_used_for_long_goes(cache, tiny_data):
    found = packs(cache)
    age(found["is09-v1"], 31)
    age(found["logmel-bands=26-v1"], 31)
    places = Places(cache, cache, tiny_data, (tiny_data / "datasets.yaml",))
    list(extract_ahead(["is09"], ["tiny"], places))  # finds it there, which counts as use
    assert "0.0 MB freed" in say("--cache", cache, "--prune", "--older-than", 32)
    text = say("--cache", cache, "--prune", "--older-than", 30)
    assert "logmel(bands=26)" in text
    assert "not used for 31 days" in text
    assert set(packs(cache)) == {"is09-v1", "logmel-bands=40-v1"}


def test_leftovers_and_damage_go_and_strangers_stay(cache):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    found, (own, began) = packs(cache), processes.own()
    shelf = found["is09-v1"].parent
    dead, mine = (
        shelf / f".unfinished-{processes.machine_digest()}-{number}-{int(began)}-a"
        for number in (int(dead.stdout), own)
    )
    for folder in (dead, mine):
        folder.mkdir()
        (folder / "values.npy").write_bytes(bytes(500))
    (found["logmel-bands=26-v1"] / "about.json").write_text("nonsense")
    (found["logmel-bands=40-v1"] / "about.json").unlink()
    (found["logmel-bands=40-v1"] / "thesis.tex").write_text("mine")
    (shelf / "notes").mkdir()
    kinds = sorted(row["kind"] for row in told(cache)["features"])
    assert kinds == ["damaged", "damaged", "features", "unfinished"]
    text = say("--cache", cache, "--prune")
    assert "removed: is09-v1, 0.0 MB: left by a process that was killed" in text
    assert "removed: logmel-bands=26-v1" in text
    assert "kept: logmel-bands=40-v1" in text
    assert "it holds thesis.tex, which is not ours" in text
    assert sorted(path.name for path in shelf.iterdir()) == sorted(
        [mine.name, found["is09-v1"].name, "notes"]
    )
    assert not found["logmel-bands=26-v1"].exists()
    assert (found["logmel-bands=40-v1"] / "thesis.tex").exists()


HOLD = """
import sys
from pathlib import Path
from emobench.features.packing import open_pack
pack = open_pack(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
print(float(pack.values.sum()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks of files")
def test_what_a_process_uses_stays(cache):
    found = packs(cache)["is09-v1"]
    reader = subprocess.Popen(
        [sys.executable, "-c", HOLD, found],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "open\n"
    age(found, 9)
    for words in (["--dry-run"], []):
        text = say("--cache", cache, "--prune", "--older-than", 9, *words)
        assert "kept: is09 v1 of tiny, 24 clips, " in text
        assert "not used for 9 days; a process uses it" in text
    reader.communicate("\n")
    assert reader.returncode == 0
    assert "removed: is09" in say("--cache", cache, "--prune", "--older-than", 9)


@pytest.mark.parametrize("there_are_locks", [True, False])
def test_what_another_machine_used_lately_stays(cache, monkeypatch, there_are_locks):
    """Many file systems keep locks to one machine, so that its packs look free on the others."""
    if not there_are_locks:
        monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setitem(VERSIONS, "resampling", 99)
    found = packs(cache)
    age(found["is09-v1"], 1.1)
    age(found["logmel-bands=26-v1"], 0.9)
    age(found["logmel-bands=40-v1"], -0.1)  # by a clock that is ahead
    text = say("--cache", cache, "--prune", "--outdated", "--older-than", 60)
    assert "removed: is09" in text
    assert text.count("another machine may use it: it was used in the last 24 hours") == 2
    assert set(packs(cache)) == {"logmel-bands=26-v1", "logmel-bands=40-v1"}
    say("--cache", cache, "--prune", "--older-than", 0.5)
    assert set(packs(cache)) == {"logmel-bands=40-v1"}
    say("--cache", cache, "--prune", "--older-than", 0)
    assert packs(cache) == {}


def test_a_pack_that_is_opened_meanwhile_stays(cache, monkeypatch):
    found = packs(cache)["is09-v1"]
    age(found, 9)
    (holding,) = [one for one in inventory.holdings(cache) if one.folder == found]
    os.utime(found / "about.json")
    assert "another machine may use it" in inventory.remove(holding)
    assert inventory.remove(holding, 0) == ""
    assert not found.exists()


def test_an_experiment_of_days_uses_its_packs_all_the_time(cache, tiny_data):
    """It opens them once, and every job says anew that they are used."""
    found = packs(cache)["is09-v1"]
    table = tiny_table(cache, tiny_data)
    values = features.load(table, features.spec("is09"), cache=cache)
    side = Side(values, np.arange(len(values)))
    heard = AudioInput(features.get("is09"), features.spec("is09"), "training", side, side)
    age(found, 2)
    heard.prepare(table, np.arange(12), np.arange(12, 24))
    assert (found / "about.json").stat().st_mtime > time.time() - 60
    shutil.rmtree(found)
    values.renew()  # somebody removed it by force: that hinders nobody who has it open


def test_what_another_host_left_goes_after_a_day(cache):
    shelf = packs(cache)["is09-v1"].parent
    left = [shelf / f".unfinished-elsewhere-{number}-a" for number in (1, 2)]
    for folder in left:
        folder.mkdir()
    yesterday = time.time() - 1.1 * DAY
    os.utime(left[1], (yesterday, yesterday))
    say("--cache", cache, "--prune", "--older-than", 0)
    assert left[0].exists()
    assert not left[1].exists()


def forbid(monkeypatch, folder: Path) -> None:
    """Let the system refuse to open the files of a folder for writing, as if they were another's.

    Permissions would not do: who runs the tests may be root.
    """
    real = os.open

    def opened(path, flags, *more, **others):
        if flags & os.O_RDWR and Path(path).parent == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, flags, *more, **others)

    monkeypatch.setattr(locks.os, "open", opened)


def test_what_belongs_to_others_stays_and_the_rest_goes(cache, monkeypatch):
    found = packs(cache)
    forbid(monkeypatch, found["is09-v1"])  # the first of the three
    text = say("--cache", cache, "--prune", "--older-than", 0)
    assert "kept: is09 v1 of tiny, 24 clips, " in text
    assert text.count("it is not ours to remove") == 1
    assert text.count("removed: logmel") == 2
    assert packs(cache) == {"is09-v1": found["is09-v1"]}


def test_a_folder_that_may_not_be_written_is_not_ours(cache, monkeypatch):
    found = packs(cache)
    left = found["is09-v1"].parent / ".unfinished-elsewhere-1-a"
    left.mkdir()
    os.utime(left, (1, 1))
    guarded = {found["is09-v1"], left}
    monkeypatch.setattr(inventory.os, "access", lambda path, mode: Path(path) not in guarded)
    for words in (["--dry-run"], []):
        text = say("--cache", cache, "--prune", "--older-than", 0, *words)
        assert text.count("it is not ours to remove") == 2
    assert guarded <= {*left.parent.iterdir()}
    assert set(packs(cache)) == {"is09-v1"}


def through_mp3(cache: Path, **changes: object) -> Path:
    """Cache a clip that went through MP3, made with libraries or in a way as told."""
    made = recipes.recipe(features.spec("is09"), conditions.parse("mp3:64k"))
    made = {**made, "condition": {**made["condition"], **changes}}
    folder = cache / recipes.folder_name(made) / ("a" * finding.LENGTH)
    with packing.Writer(folder, 384) as writer:
        writer.add("a sound", np.zeros((1, 384)), Moments.of(np.zeros((1, 384))))
        writer.finish(made, "tiny")
    age(folder, 2)
    return folder


def test_what_other_libraries_made_is_of_use_to_others(tmp_path):
    tools = {"lameenc": "0.0.1", "lame": "2.0", "libsndfile": "0.9"}
    folder = through_mp3(tmp_path, tools=tools)
    (row,) = told(tmp_path)["features"]
    assert row["outdated"] == ""
    assert row["libraries"].startswith("lameenc 0.0.1, here ")
    here = soundfile.__libsndfile_version__
    assert row["libraries"].endswith(f"; libsndfile 0.9, here {here}")
    shown = " ".join(say("--cache", tmp_path).split())
    assert "not here: made with other libraries" in shown
    assert "0.0 MB freed" in say("--cache", tmp_path, "--prune", "--outdated")
    assert folder.exists()
    assert "not used for 2 days" in say("--cache", tmp_path, "--prune", "--older-than", 1)
    assert not folder.exists()


def test_what_these_libraries_made_is_of_use_here(tmp_path):
    through_mp3(tmp_path)
    (row,) = told(tmp_path)["features"]
    assert (row["outdated"], row["libraries"], row["condition"]) == ("", "", "mp3:64k")


@pytest.mark.parametrize("changes", [{"version": 0}, {"name": "mp3:63k"}, {"quality": 7}])
def test_a_condition_that_is_made_otherwise_is_outdated(tmp_path, changes):
    folder = through_mp3(tmp_path, **changes)
    (row,) = told(tmp_path)["features"]
    assert row["outdated"].endswith("k is made otherwise")
    assert row["libraries"] == ""
    assert "outdated: mp3:6" in say("--cache", tmp_path, "--prune", "--outdated")
    assert not folder.exists()


def test_what_was_pruned_is_told_in_json(cache):
    found = packs(cache)
    sizes = {name: size(folder) for name, folder in found.items()}
    age(found["is09-v1"], 40)
    age(found["logmel-bands=26-v1"], 40)
    (found["logmel-bands=26-v1"] / "thesis.tex").touch()
    listed = told(cache)
    words = ["--cache", cache, "--prune", "--older-than", 30, "--json"]
    shown, done = (json.loads(say(*words, *more)) for more in (["--dry-run"], []))
    assert shown == {**done, "dry_run": True}
    assert (done["folder"], done["freed"]) == (str(cache), sizes["is09-v1"])
    assert done["dry_run"] is False
    rows = {row["front_end"]: row for row in done["features"]}
    assert rows["is09"].pop("reason") == rows["logmel"].pop("reason") == "not used for 40 days"
    assert rows["is09"].pop("kept") == ""
    assert rows["logmel"].pop("kept") == "it holds thesis.tex, which is not ours"
    before = {row["folder"]: row for row in listed["features"]}
    assert [row == before[row["folder"]] for row in rows.values()] == [True, True]


def test_what_was_extracted_is_told_in_json(cache, tiny_data):
    words = ["--cache", cache, "--data", tiny_data, "--datasets", tiny_data / "datasets.yaml"]
    text = say("logmel:bands=26", "is09", "--corpus", "tiny", "--json", *words)
    both = {"corpus": "tiny", "clips": 24, "refused": 0, "reasons": {}}
    assert json.loads(text) == {
        "folder": str(cache),
        "features": [
            {"front_end": "logmel", "params": {"bands": 26}, **both},
            {"front_end": "is09", "params": {}, **both},
        ],
    }


def test_who_reads_goes_on_when_features_are_pruned(cache, tiny_data):
    """A set of features that is dropped, pruned and asked for again is what it was."""
    table = tiny_table(cache, tiny_data)
    before = features.load(table, features.spec("is09"), cache=cache)
    expected = [before.clip(position).tobytes() for position in range(len(before))]
    del before
    assert "removed: is09" in say("--cache", cache, "--prune", "--older-than", 0)
    again = features.load(table, features.spec("is09"), cache=cache)
    assert [again.clip(position).tobytes() for position in range(len(again))] == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--outdated"], "--outdated: expected --prune beside it"),
        (["--older-than", "3"], "--older-than: expected --prune beside it"),
        (["--dry-run"], "--dry-run: expected --prune beside it"),
        (["is09", "--corpus", "tiny", "--prune"], "--prune: expected no front-ends .* found is09"),
        (["is09"], "expected front-ends and --corpus .* found no --corpus"),
        (["--corpus", "tiny"], "expected front-ends and --corpus .* found no front-end"),
        (["--device", "gpu"], "--device: expected encoder:FOLDER .* found no front-end"),
    ],
)
def test_options_that_do_not_go_together_are_said(tmp_path, words, message):
    with pytest.raises(SpecError, match=message):
        CliRunner().invoke(
            cli, ["features", "--cache", str(tmp_path), *words], catch_exceptions=False
        )


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks of files")
def test_uses_are_counted(tmp_path):
    file = tmp_path / "about.json"
    file.write_text("x")
    os.utime(file, (1, 1))
    first, second = using(file), using(file)
    assert file.stat().st_mtime > time.time() - 60
    held = [first, second]
    del first, second
    while held:
        with unused(file) as free:
            assert free is False
        held.pop()
    with unused(file) as free:
        assert free is True
