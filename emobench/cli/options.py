"""Options of commands: those of a run, which other commands share, as click takes them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import click

from .. import run_options
from ..run_options import Option, Selection

FOLDER = click.Path(file_okay=False, path_type=Path)


def _count(context: click.Context, parameter: click.Parameter, value: str) -> int | str:
    """Return a number, or one of the words that stand for one."""
    return int(value) if value.isascii() and value.isdigit() else value.strip().lower()


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


def of(selection: type[Selection], without: Collection[str] = ()) -> Callable:
    """Return a decorator that gives a command the options of a run.

    Args:
        selection: what the options are the fields of
        without: names of those that the command does not have
    """

    def decorate(command: Callable) -> Callable:
        wanted = [each for each in run_options.options(selection) if each[0] not in without]
        for name, option in reversed(wanted):
            command = click_option(name, option, getattr(selection, name))(command)
        return command

    return decorate


def click_option(name: str, option: Option, default: Any) -> Callable:
    """Return a decorator that gives a command one option.

    Args:
        name: of the command's argument
        option: how it is asked for
        default: what it is where it is not asked for
    """
    several = option.kind in ("names", "files")
    if several and not isinstance(default, tuple):
        default = (default,)
    unset = option.required or default in (None, ())
    return click.option(
        run_options.flag(name, option),
        name,
        help=option.help,
        required=option.required,
        metavar=option.metavar,
        envvar=option.environment,
        show_envvar=option.environment is not None,
        default=None if unset else default,
        show_default=not (unset or several or option.kind == "switch"),
        multiple=several,
        is_flag=option.kind == "switch",
        **_taken(option),
    )


def _taken(option: Option) -> dict[str, Any]:
    """Return what click makes of the words that it is given for an option."""
    return {
        "names": {"callback": words},
        "numbers": {"callback": numbers},
        "count": {"type": click.IntRange(min=1)},
        "count-or-word": {"type": click.UNPROCESSED, "callback": _count},
        "choice": {"type": click.Choice(option.choices)},
        "folder": {"type": FOLDER},
        "file": {"type": click.Path(exists=True, dir_okay=False, path_type=Path)},
        "files": {"type": click.Path(dir_okay=False, path_type=Path)},
    }.get(option.kind, {})


def shared(name: str) -> Callable:
    """Return an option of a run for a command that shares it."""
    return click_option(name, run_options.get(name), getattr(Selection, name))


data = shared("data")
results = shared("results")
cache = shared("cache")
datasets = shared("datasets")
protocol = shared("protocol")
jobs = shared("jobs")
skip_bad = shared("skip_bad")


def names(name: str, text: str, *, required: bool = True) -> Callable:
    """Return an option that takes names with commas between them, or `all`."""
    metavar = run_options.get("corpus").metavar
    return click_option(name, Option(text, "names", required=required, metavar=metavar), ())
