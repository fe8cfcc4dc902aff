"""README is always true: its commands run, its entry loads, its code executes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\S*)(?: (\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str, mark: str | None = None) -> list[str]:
    found = [
        text
        for kind, about, text in BLOCK.findall(README.read_text())
        if kind == language and (about or None) == mark
    ]
    assert found, f"README has no block of {language} {mark or ''}"
    return found


def run(script: str, folder: Path, **environment: str) -> str:
    """Run every line of a script as a user would; the first that fails is an error."""
    binary = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{binary}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_and_the_code(tmp_path):
    cache = str(tmp_path / "cache")
    for script in blocks("sh"):
        said = run(script, tmp_path, EMOBENCH_CACHE=cache)
        assert "svm-is09" in said
    for code in blocks("python"):
        (tmp_path / "code.py").write_text(code)
        assert "svm-is09    40" in run("python code.py", tmp_path)


def test_adding_a_corpus(tmp_path):
    folder = tmp_path / "corpora" / "my-voices"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for speaker in ("anna", "ben", "cleo"):
        for emotion in ("happy", "cross", "plain"):
            for repetition in (1, 2):
                name = f"{speaker}-{emotion}-{repetition}.wav"
                soundfile.write(folder / name, random.uniform(-0.5, 0.5, 16_000), 16_000)
    for script in blocks("sh", "corpus"):
        said = run(script, tmp_path, EMOBENCH_CACHE=str(tmp_path / "cache"))
        assert "2 jobs done" in said
    written = (tmp_path / "mine.yaml").read_text().splitlines(keepends=True)
    assert "".join(line for line in written if not line.startswith("#")) == blocks("yaml")[0]


@pytest.mark.slow
@pytest.mark.corpora
def test_the_commands_on_real_corpora(tmp_path, real_data):
    (tmp_path / "corpora").symlink_to(real_data)
    cache = str(tmp_path / "cache")
    of_the_paper, compared = (
        run(script, tmp_path, EMOBENCH_CACHE=cache) for script in blocks("sh", "corpora")
    )
    table = pd.read_csv(ROOT / "results" / "leaderboard.csv", keep_default_na=False)
    table = table[(table.corpus == "emo-db") & (table.condition == "")]
    uar = table.set_index(["protocol", "model"]).uar.astype(float)
    assert f"{uar['keesing2020', 'svm-is09']:.1f}" in of_the_paper
    for model in ("svm-is09", "librosa-svm"):
        assert f"UAR {uar['losgo', model]:.1f}, mean over speakers" in compared


def test_the_makefile_has_the_targets_that_readme_names():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets >= set(re.findall(r"`?make ([a-z]+)", README.read_text()))
    assert targets >= {"help", "run", "test", "lint", "bench", "leaderboard", "clean"}


@pytest.mark.parametrize(("name", "form"), [("leakage.md", "markdown"), ("leakage.json", "json")])
def test_the_committed_price_lists_are_those_of_the_committed_records(tmp_path, name, form):
    readme = tmp_path / "README.md"
    readme.write_text(README.read_text())
    made = tmp_path / name
    subprocess.run(
        [
            *(sys.executable, "-m", "emobench", "leakage", "--stored", "--results", "results"),
            *("--format", form, "--out", str(made), "--readme", str(readme)),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assert made.read_bytes() == (ROOT / "results" / name).read_bytes()
    assert readme.read_text() == README.read_text()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("leaderboard.md", ["--format", "markdown", "--pooled"]),
        ("partial.md", ["--format", "markdown", "--partial"]),
        ("leaderboard.csv", ["--format", "csv"]),
        ("leaderboard.json", ["--format", "json"]),
    ],
)
def test_the_committed_tables_are_those_of_the_committed_records(tmp_path, name, options):
    readme = tmp_path / "README.md"
    readme.write_text(README.read_text())
    made = tmp_path / name
    subprocess.run(
        [
            *(sys.executable, "-m", "emobench", "leaderboard", "--results", "results", *options),
            *("--out", str(made), "--readme", str(readme)),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assert made.read_bytes() == (ROOT / "results" / name).read_bytes()
    if "--partial" not in options:
        assert readme.read_text() == README.read_text()
