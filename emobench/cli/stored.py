"""What every command that reads stored results needs, and how it writes a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options

if TYPE_CHECKING:
    from ..results.gathering import Gathered

partial = click.option(
    "--partial", is_flag=True, help="Take incomplete results too, and say which they are."
)


def _some(option: str, name: str) -> Callable:
    """Return an option that chooses among the results on file."""
    return click.option(
        option,
        name,
        multiple=True,
        callback=options.words,
        metavar="NAME[,…]",
        help=f"Only these {name}. [default: all]",
    )


def written_as(*forms: str) -> Callable:
    """Return an option that chooses the form of what is written; the first is the usual one."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(forms),
        default=forms[0],
        show_default=True,
        help="How to write it.",
    )


out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write to. [default: print]",
)
readme = click.option(
    "--readme",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Document whose table, between the markers, is replaced as well.",
)
corpora = _some("--corpus", "corpora")
models = _some("--model", "models")


def reading(datasets: Sequence[Path]) -> dict[str, Any]:
    """Return what tells today's results from stale ones: `registry` and `current`."""
    from .. import corpora, runs

    registry = corpora.load_registry(datasets)

    def current(experiment: Mapping[str, Any]) -> str | None:
        return runs.current_fingerprint(experiment, registry)

    return {"registry": registry, "current": current}


def gathered(
    results: Path, protocol: str, *, partial: bool, more: Sequence[str] = (), **reading: Any
) -> Gathered:
    """Return the results of a protocol, by the name that a user wrote.

    Args:
        results: folder that runs wrote to
        protocol: as written
        partial: whether an incomplete result will do
        more: columns of the predictions that figures are not computed from
        reading: what `reading` returned
    """
    from ..results import gathering

    name = gathering.protocol_name(protocol, gathering.protocols_on_disk(results))
    columns = (*gathering.COLUMNS, *more)
    return gathering.gather(results, protocol=name, partial=partial, columns=columns, **reading)


def named(text: str) -> tuple[str, str]:
    """Return the canonical name of a model and the beginning of a fingerprint, or "".

    Args:
        text: MODEL, or MODEL/1a2b3c4d
    """
    from .. import models as zoo

    model, _, fingerprint = text.partition("/")
    return zoo.get(model).name, fingerprint.strip().lower()


def write(path: Path, text: str, option: str) -> None:
    """Write a text file.

    Raises:
        SpecError: if it cannot be written
    """
    from .. import storage

    with storage.storing(path, storage.output(option)):
        storage.overwrite(path, text.encode())


def embed(readme: Path, table: str, name: str) -> None:
    """Replace what stands between the markers of a name in a document.

    Raises:
        SpecError: if it cannot be read or written, or has no such markers
    """
    from .. import leaderboard
    from ..errors import SpecError
    from ..storage import reason

    try:
        text = readme.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"--readme {readme}: expected a text file, found '{reason(error)}'. Name another one."
        ) from None
    write(readme, leaderboard.embed(text, table, name), "--readme")
