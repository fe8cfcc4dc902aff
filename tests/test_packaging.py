"""A wheel that is installed elsewhere finds its registry and its published results."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder into which the wheel of this tree was unpacked, as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
            *("--wheel-dir", str(folder), str(ROOT)),
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["corpora"], "emo-db"),
        (["models"], "latif2019"),
        (["protocols"], "keesing2020"),
        (["run", "--model", "svm-is09", "--corpus", "demo", "--dry-run"], "demo svm-is09"),
    ],
)
def test_commands_work_in_an_empty_folder(installed, tmp_path, arguments, expected):
    done = subprocess.run(
        [sys.executable, "-m", "emobench", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert expected in done.stdout


def test_the_wheel_holds_every_file_that_is_read(installed):
    packaged = {path.name for path in (installed / "emobench").rglob("*") if path.is_file()}
    assert {"datasets.yaml", "published.csv", "table1.csv", "prosody35.conf"} <= packaged
    assert {"base.html", "leaderboard.html", "style.css", "emobench.js"} <= packaged
    assert not (installed / "tests").exists()
