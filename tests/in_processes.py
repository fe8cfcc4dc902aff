"""What tests let processes of features do; small, as each of them imports it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from emobench.features import extraction


def look(task: int) -> list[tuple[int, int, dict[str, str]]]:
    """Return the task, the process and what it sees."""
    return [(task, os.getpid(), dict(os.environ))]


def die(*arguments: object) -> None:
    """End as a process does that is killed."""
    os._exit(1)


def crash(task: object) -> list[object]:
    """End as a process does that is killed."""
    os._exit(1)


def slow(task: int) -> list[tuple[int, int]]:
    """Return the task and the process after a while, which the number of the task makes longer."""
    time.sleep(0.3 if task < 100 else 30)
    return [(task, os.getpid())]


def noting(file: Path, spec, condition, clips):
    """Extract, and note the cards that are seen."""
    with file.open("a") as stream:
        stream.write(f"{spec.name} {os.environ.get('CUDA_VISIBLE_DEVICES')}\n")
    return extraction._extract_task(spec, condition, clips)


class ForeignError(Exception):
    """What no one here has heard of."""


def foreign(wanted, lengths):
    """Fail in a way that nobody foresaw."""
    raise ForeignError(f"in process {os.getpid()}")
