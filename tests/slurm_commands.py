"""Slurm's commands, played by scripts, and jobs to hand to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stored import experiment

from emobench.executors import Work
from emobench.executors.submissions import Submission, key
from emobench.spec import Job, Places


class Commands:
    """Commands of Slurm that say what a test lets them say."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        self.let("srun", "exit 0")
        self.let("squeue", "exit 0")
        self.let("scontrol", "exit 1")
        self.let("sacct", "exit 1")

    def let(self, name: str, script: str) -> None:
        command = self.folder / name
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)

    @property
    def script(self) -> list[str]:
        """What sbatch was given last."""
        return (self.folder / "script").read_text().splitlines()

    def take(self) -> None:
        """Let sbatch take an array."""
        self.let("sbatch", f"cp $1 {self.folder}/script; echo Submitted batch job 7")


def works(folder: Path, models: str = "ab", folds: int = 4) -> list[Work]:
    places = Places(folder / "results", folder / "cache")
    made = [experiment(model=model, n_folds=folds, backend="scikit-learn") for model in models]
    return [Work(one, Job(fold), places) for one in made for fold in range(folds)]


def submission(items: list[Work], name: str, folder: Path) -> Submission:
    log, refusal = folder / f"{name}.err", folder / f"{name}.refusal"
    return Submission(name, frozenset(map(key, items)), refusal, log)
