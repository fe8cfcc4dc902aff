"""What every command that reads stored results needs, and how it writes a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

partial = click.option(
    "--partial", is_flag=True, help="Take incomplete results too, and say which they are."
)


def reading(datasets: Sequence[Path]) -> dict[str, Any]:
    """Return what tells today's results from stale ones: `registry` and `current`."""
    from .. import corpora, runs

    registry = corpora.load_registry(datasets)

    def current(experiment: Mapping[str, Any]) -> str | None:
        return runs.current_fingerprint(experiment, registry)

    return {"registry": registry, "current": current}


def write(path: Path, text: str, option: str) -> None:
    """Write a text file.

    Raises:
        SpecError: if it cannot be written
    """
    from .. import storage

    with storage.storing(path, storage.output(option)):
        storage.overwrite(path, text.encode())
