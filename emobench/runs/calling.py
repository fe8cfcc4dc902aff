"""A run as one call, and where it reads and writes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec

from .. import corpora, run_options
from ..run_options import Selection
from ..spec import Places
from .planning import plan
from .running import Summary, execute

Asked = ParamSpec("Asked")


def with_options(
    selection: Callable[Asked, Selection],
) -> Callable[[Callable[[Selection], Summary]], Callable[Asked, Summary]]:
    """Return a decorator: what took a selection then takes its options, by name.

    Args:
        selection: the type whose fields they are; see `run_options`
    """
    signature = inspect.signature(selection)

    def decorate(perform: Callable[[Selection], Summary]) -> Callable[Asked, Summary]:
        @functools.wraps(perform)
        def called(*arguments: Asked.args, **named: Asked.kwargs) -> Summary:
            given = signature.bind(*arguments, **named)
            return perform(selection(*given.args, **given.kwargs))

        called.__signature__ = signature.replace(return_annotation=Summary)
        called.__doc__ = inspect.cleandoc(perform.__doc__).replace(
            "{options}", run_options.described(selection).strip()
        )
        return called

    return decorate


@with_options(Selection)
def run(selection: Selection) -> Summary:  # noqa: D417 - what stands for it is not called that
    """Train and test models on corpora; what has a record already is not computed again.

    Args:
        {options}

    Returns:
        what was done, and what failed

    Raises:
        EmobenchError: if a name is wrong, or nothing can be read or written
    """
    places = find_places(**selection.places)
    return execute(plan(selection, places), places)


def find_places(
    *,
    data: str | Path | None = None,
    results: str | Path = "results",
    cache: str | Path | None = None,
    datasets: Sequence[str | Path] = (),
    **files: str | Path | None,
) -> Places:
    """Return absolute folders and files.

    Args:
        data: folder of the corpora; None for what the environment says
        results: folder of records and predictions
        cache: folder of features; None for what the environment says, or the platform's
        datasets: registry files
        files: others, by their name in `Places`
    """
    root = corpora.data_root(Path(data) if data else None)
    return Places(
        results=_absolute(results),
        cache=corpora.cache_root(Path(cache) if cache else None).absolute(),
        data=root.absolute() if root else None,
        datasets=tuple(map(_absolute, datasets)),
        **{name: _absolute(file) for name, file in files.items() if file},
    )


def _absolute(file: str | Path) -> Path:
    return Path(file).expanduser().absolute()
