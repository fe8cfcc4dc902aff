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
    from ..errors import SpecError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise SpecError(
            f"{option} {path}: expected a file that can be written, found '{reason(error)}'. "
            "Name another one."
        ) from None


def embed(readme: Path, table: str, name: str) -> None:
    """Replace what stands between the markers of a name in a document.

    Raises:
        SpecError: if it cannot be read or written, or has no such markers
    """
    from .. import leaderboard
    from ..errors import SpecError

    try:
        text = readme.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"--readme {readme}: expected a text file, found '{reason(error)}'. Name another one."
        ) from None
    write(readme, leaderboard.embed(text, table, name), "--readme")


def reason(error: Exception) -> str:
    """Return what the system says of an error."""
    return getattr(error, "strerror", None) or str(error)
