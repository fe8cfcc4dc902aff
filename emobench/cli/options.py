"""Options that several commands share, spelled and explained once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(file_okay=False, path_type=Path)

data = click.option(
    "--data",
    type=FOLDER,
    envvar="EMOBENCH_DATA",
    show_envvar=True,
    help="Folder that holds the corpora, each in a folder of its name.",
)
results = click.option(
    "--results",
    type=FOLDER,
    default="results",
    show_default=True,
    help="Folder of records and predictions.",
)
cache = click.option(
    "--cache",
    type=FOLDER,
    envvar="EMOBENCH_CACHE",
    show_envvar=True,
    help="Folder of extracted features and compiled programs. "
    "[default: the platform's cache folder]",
)
datasets = click.option(
    "--datasets",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="Registry file that adds or overrides corpora; may be repeated. "
    "[default: datasets.yaml here, else the packaged one]",
)
protocol = click.option("--protocol", default="losgo", show_default=True, help="How to evaluate.")
jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Worker processes on the CPU; changes no result.",
)
device = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|gpu|gpu:N[,…]",
    help="What trains networks: cards, each with a worker of its own, or the CPU; auto takes "
    "every card that the backend can use, else the CPU.",
)
workers_per_device = click.option(
    "--workers-per-device",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Workers that divide the memory of a card.",
)


def _count(context: click.Context, parameter: click.Parameter, value: str) -> int | str:
    """Return a number, or one of the words that stand for one."""
    return int(value) if value.isascii() and value.isdigit() else value.strip().lower()


together = click.option(
    "--together",
    default="auto",
    show_default=True,
    callback=_count,
    metavar="auto|off|N",
    help="Folds and repetitions of a network that are trained at once, on JAX; auto is all that a "
    "card holds, and one by one on the CPU.",
)


def words(context: click.Context, parameter: click.Parameter, value: Any) -> tuple[str, ...]:
    """Split names at commas, but for those between options of a name; may also be repeated."""
    parts: list[str] = []
    for part in (part.strip() for item in value for part in item.split(",")):
        if "=" in part and ":" not in part and parts:
            parts[-1] += f",{part}"
        elif part:
            parts.append(part)
    return tuple(parts)


def numbers(context: click.Context, parameter: click.Parameter, value: Any) -> tuple[int, ...]:
    """Split whole numbers at commas."""
    if not value:
        return ()
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        message = f"expected whole numbers with commas between them, such as 0,1; found '{value}'"
        raise click.BadParameter(message) from None


def names(option: str, text: str) -> Callable:
    """Return a required option that takes names with commas between them, or `all`."""
    return click.option(
        option, multiple=True, required=True, callback=words, metavar="NAME[,…]|all", help=text
    )
