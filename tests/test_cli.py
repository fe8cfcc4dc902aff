"""What a user types and reads; every mistake gets one clear message and no traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import write_tiny_corpus

import emobench
from emobench import protocols
from emobench.cli import main

PACKAGED = Path(emobench.__file__).parent / "datasets.yaml"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An own copy of the corpus `tiny` in `corpora/`, and nothing else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)
    write_tiny_corpus(tmp_path / "corpora")
    shutil.move(tmp_path / "corpora" / "datasets.yaml", tmp_path / "datasets.yaml")
    return tmp_path


@pytest.fixture
def say(capfd):
    """Run a command and return its exit status and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        printed = capfd.readouterr()
        text = printed.out + printed.err
        assert "Traceback" not in text
        return int(stop.value.code or 0), " ".join(text.split())

    return run


TINY = ("--corpus", "tiny", "--data", "corpora", "--protocol", "smoke")
RUN = ("run", "--model", "svm-is09", *TINY)


def test_the_first_steps_of_a_new_user(home, say):
    assert say("--help")[0] == 0
    status, text = say("corpora")
    assert status == 0
    assert "tiny" in text
    assert say("models", "--json")[0] == 0
    status, text = say(*RUN)
    assert status == 0
    assert "2 jobs done, 0 were there already, 0 failed" in text
    status, text = say("leaderboard")
    assert status == 0
    assert "svm-is09" in text
    status, text = say("folds", "tiny", "--data", "corpora", "--protocol", "losgo")
    assert text.startswith("fold held out training test 0 s1 18 6")


def test_a_dry_run_writes_nothing(home, say):
    status, text = say(*RUN, "--dry-run")
    assert status == 0
    assert "tiny svm-is09: protocol smoke, 2 folds, 2 jobs to do, 0 done before" in text
    assert "all: 2 jobs, " in text
    status, text = say(*RUN, "--dry-run", "--json")
    [told] = json.loads(text)["experiments"]
    assert (told["title"], told["to_do"], told["done_before"]) == ("tiny svm-is09", 2, 0)
    assert say(*RUN, "--dry-run", "--folds", "7")[0] == 2
    assert say(*RUN, "--json")[0] == say(*RUN, "--measure", "5")[0] == 2
    assert not (home / "results").exists()


def test_all_lists_what_is_left_out(home, say):
    shutil.copy(PACKAGED, home / "datasets.yaml")
    status, text = say("run", "--model", "svm-is09", "--corpus", "all", "--data", "corpora")
    assert status == 1
    assert "found none of the registered corpora" in text
    (home / "corpora" / "emo-db" / "wav").mkdir(parents=True)
    for name in ("03a01Fa", "03a01Wa", "08a01Fa", "08a01Wa"):
        shutil.copy(clip(home), home / "corpora" / "emo-db" / "wav" / f"{name}.wav")
    status, text = say(
        *("run", "--model", "svm-is09", "--corpus", "all", "--data", "corpora"), "--dry-run"
    )
    assert status == 0
    assert "left out (not found on disk): cafe, crema-d" in text
    assert "left out (synthetic; run it by name): demo" in text
    assert "emo-db svm-is09: protocol losgo, 2 folds, 2 jobs to do" in text


def test_show_a_model(home, say):
    status, text = say("models", "show", "latif2019", "--classes", "7")
    assert status == 0
    assert "1,278,847 parameters for 7 classes" in text
    assert "D-17" in text


def test_showing_a_model_does_not_let_its_backend_talk():
    shown = subprocess.run(
        [sys.executable, "-m", "emobench", "models", "show", "latif2019"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Total params" in shown.stdout
    assert shown.stderr == ""
    assert max(map(len, shown.stdout.splitlines()[-10:])) <= 80


def test_features_ahead_of_a_run(home, say):
    status, text = say(
        "features", "logmel:bands=40", "is09", "--corpus", "tiny", "--data", "corpora"
    )
    assert status == 0
    assert "tiny: logmel(bands=40): 24 clips" in text
    status, text = say("features", "logmel:band=40", "--corpus", "tiny", "--data", "corpora")
    assert status == 2
    assert "Did you mean 'bands'" in text


def clip(home: Path) -> Path:
    return home / "corpora" / "tiny" / "s1_anger_1.wav"


def truncate(home):
    path = clip(home)
    path.write_bytes(path.read_bytes()[:6000])


def empty(home):
    clip(home).write_bytes(b"")


def header_only(home):
    soundfile.write(clip(home), np.zeros(0), 16_000)


def silent(home):
    soundfile.write(clip(home), np.zeros(16_000), 16_000)


def not_a_number(home):
    soundfile.write(clip(home), np.full(16_000, np.nan), 16_000, subtype="FLOAT")


def renamed(home):
    clip(home).write_text("Dear diary,\n" * 100)


def stub(home):
    clip(home).write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    )


def too_short(home):
    soundfile.write(clip(home), np.random.default_rng(0).uniform(-0.1, 0.1, 100), 16_000)


AUDIO = [
    (truncate, "is cut short: its header promises"),
    (empty, "empty"),
    (header_only, "no samples|holds no|empty"),
    (silent, "silent"),
    (not_a_number, "NaN"),
    (renamed, "not audio|expected audio|no audio|cannot be read|text"),
    (stub, "git lfs pull"),
    (too_short, "too short"),
]


@pytest.mark.parametrize(
    ("spoil", "message"), AUDIO, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_bad_clip_is_named_with_the_reason_and_can_be_left_out(home, say, spoil, message):
    import re

    spoil(home)
    status, text = say(*RUN)
    assert status == 1
    assert "s1_anger_1" in text
    assert re.search(message, text), text
    assert "--skip-bad" in text
    status, text = say(*RUN, "--skip-bad")
    assert status == 0, text
    assert "left out 1 clip" in text
    (experiment,) = (home / "results").rglob("experiment.json")
    assert list(json.loads(experiment.read_text())["left_out"]) == ["s1_anger_1"]


YAML = [
    ("  folds: speaker", "  fold: speaker", r"tiny.*'?fold'?.*Did you mean 'folds'"),
    ("  folds: speaker", "  folds: speakers", r"folds.*expected speaker, session or"),
    ("anger: anger", "anger: angry", r"emotions.*expected one of anger.*Did you mean 'anger'"),
    ("(?P<speaker>s", "(?P<speaker>(s", r"pattern.*expected a regular expression"),
    ("(?P<speaker>s\\d)", "s\\d", r"speaker"),
    (
        "  folds: speaker",
        "  folds: speaker\n  folds: speaker",
        r"expected each key once, found 'folds' again",
    ),
    ("sadness: sadness, ", "", r"sadness"),
    ("  title: Four", "\ttitle: Four", r"tab|YAML"),
]


@pytest.mark.parametrize(("old", "new", "message"), YAML)
def test_a_wrong_entry_is_named_with_its_line(home, say, old, new, message):
    import re

    path = home / "datasets.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    status, said = say(*RUN)
    assert status in (1, 2)
    assert re.search(message, said), said
    assert re.search(r"datasets\.yaml.*line \d+|datasets\.yaml:\d+", said), said


def test_half_a_corpus_shows_which_cells_differ(home, say):
    path = home / "datasets.yaml"
    path.write_text(
        path.read_text() + "  expect: {anger: 8, sadness: 8, neutral: 8, speakers: 4}\n"
    )
    assert say("check", "tiny", "--data", "corpora")[0] == 0
    for file in (home / "corpora" / "tiny").glob("*_2.wav"):
        file.unlink()
    status, text = say("check", "tiny", "--data", "corpora")
    assert status == 1
    assert "12" in text
    assert "24" in text


def test_files_that_are_there_twice_count_once(home, say):
    shutil.copytree(home / "corpora" / "tiny", home / "corpora" / "tiny" / "copy")
    status, text = say(*RUN)
    assert status == 0
    _, text = say("check", "tiny", "--data", "corpora")
    assert "24" in text
    assert "24 that hold the same as in copy" in text


def test_one_speaker_cannot_be_held_out(home, say):
    for file in (home / "corpora" / "tiny").glob("s[234]_*.wav"):
        file.unlink()
    status, text = say(*RUN)
    assert status == 1
    assert "speaker" in text
    assert "tiny" in text


def test_a_class_with_one_clip_is_no_obstacle(home, say):
    keep = home / "corpora" / "tiny" / "s3_sadness_1.wav"
    for file in (home / "corpora" / "tiny").glob("*_sadness_*.wav"):
        if file != keep:
            file.unlink()
    for protocol in ("losgo", "keesing2020"):
        status, text = say(
            *("run", "--model", "svm-is09", "--corpus", "tiny", "--data", "corpora"),
            *("--protocol", protocol),
        )
        assert status == 0, text


def test_a_cache_that_something_else_wrote_is_made_anew(home, say):
    assert say(*RUN)[0] == 0
    before = {path: path.read_bytes() for path in (home / "results").rglob("*.parquet")}
    for path in (home / "cache").rglob("*.npy"):
        path.write_bytes(b"from another version")
    shutil.rmtree(home / "results")
    status, text = say(*RUN)
    assert status == 0, text
    assert before == {path: path.read_bytes() for path in (home / "results").rglob("*.parquet")}


def test_results_of_another_fingerprint_in_the_same_folder(home, say):
    assert say(*RUN)[0] == 0
    (path,) = (home / "results").rglob("experiment.json")
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "fingerprint": "0" * 64}))
    status, text = say(*RUN)
    assert status == 1
    assert f"{path.parent}: expected results of {path.parent.name}" in text
    assert "Move that folder away" in text


def test_a_results_folder_that_cannot_be_written(home, say):
    (home / "results").write_text("a file")
    status, text = say(*RUN, "--results", "results/deeper")
    assert status == 1
    assert "expected a folder for results, found a file in the way" in text


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("run", "--model", "svn-is09", *TINY), 2, "Did you mean 'svm-is09'"),
        (("run", "--model", "svm-is09", "--corpus", "tiney"), 2, "Did you mean 'tiny'"),
        ((*RUN[:-1], "smok"), 2, "Did you mean 'smoke'"),
        ((*RUN, "--folds", "0,x"), 2, "expected whole numbers"),
        ((*RUN, "--folds", "9"), 2, "--folds: expected numbers from 0 to 1"),
        ((*RUN, "--epochs", "0"), 2, "epochs"),
        ((*RUN[:5], "--data", "nowhere", "--protocol", "smoke"), 1, "nowhere"),
        (("run", "--model", "svm-is09", "--corpus", "demoo"), 2, "expected one of tiny"),
        (("check", "tiny"), 1, "found neither --data nor EMOBENCH_DATA"),
        (("leaderboard", "--results", "nowhere"), 1, "nowhere"),
        (("run",), 2, "--model"),
        (("corpora", "show", "tyni"), 2, "expected one of tiny, found 'tyni'"),
        (("models", "show", "latif2091"), 2, "Did you mean 'latif2019'"),
        (("--datasets", "x.yaml"), 2, "No such option"),
        ((*RUN, "--datasets", "missing.yaml"), 2, "missing.yaml"),
    ],
)
def test_a_wrong_word(home, say, arguments, status, message):
    found, text = say(*arguments)
    assert message in text
    assert found == status


def test_protocols_are_told_in_words(say):
    status, text = say("protocols")
    assert status == 0
    for name in protocols.names():
        assert f"{name} {protocols.get(name).title}" in text
        assert protocols.get(name).caution in text
    random5 = text[text.index("wang2020-random5 ") : text.index("yoon2018 ")]
    assert "epoch: the best on the test clips · shown first: WA" in random5
    assert text.count("the best on the test clips") == 2  # and leaky-epoch
    yoon = text[text.index("yoon2018 ") : text.index("krishna2019 ")]
    assert "five random parts of the clips, whoever speaks" in yoon
    assert "25% of what is held out is kept for early stopping" in yoon
    assert "shown first: WAP" in yoon
