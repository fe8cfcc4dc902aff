"""`emobench bitrates`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options, stored

if TYPE_CHECKING:
    from ..analysis.bitrates import Curve

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@options.results
@options.protocol
@stored.corpora
@stored.models
@stored.partial
@click.option("--out", type=FILE, help="Figure to write, as `emobench plot bitrates` does.")
@click.option("--csv", "table", type=FILE, help="Table to write.")
@options.datasets
def bitrates(
    results: Path,
    protocol: str,
    corpora: tuple[str, ...],
    models: tuple[str, ...],
    partial: bool,
    out: Path | None,
    table: Path | None,
    datasets: tuple[Path, ...],
) -> int:
    """Print UAR against MP3 bitrate as a table, or write it to a file.

    The interval is the 95 % one over speakers. `emobench run --condition mp3:all` makes the
    results, `emobench plot bitrates` draws them.
    """
    from ..analysis.bitrates import to_csv

    curves = read_curves(results, protocol, corpora, models, partial, datasets)
    if out is not None:
        draw_curves(curves, out)
    if table is not None:
        stored.write(table, to_csv(curves), "--csv")
    if out is None and table is None:
        click.echo(to_csv(curves), nl=False)
    return 0


def read_curves(
    results: Path,
    protocol: str,
    corpora: Sequence[str],
    models: Sequence[str],
    partial: bool,
    datasets: Sequence[Path],
) -> tuple[Curve, ...]:
    """Return the curves that a user asks for, by names as written."""
    from .. import models as zoo
    from ..analysis.bitrates import curves

    reading = stored.reading(datasets)
    return curves(
        results,
        protocol=protocol,
        corpora={reading["registry"].get(name).name for name in corpora},
        models={zoo.get(name).name for name in models},
        partial=partial,
        **reading,
    )


def draw_curves(curves: Sequence[Curve], out: Path) -> None:
    """Draw curves into a file, a panel for each corpus."""
    from .. import pictures
    from ..pictures.bitrates import named

    title = f"UAR against MP3 bitrate, protocol {curves[0].protocol}"
    names = list(dict.fromkeys(map(named, curves)))
    panels = [
        pictures.bitrates([one for one in curves if one.title == corpus], corpus, names)
        for corpus in dict.fromkeys(curve.title for curve in curves)
    ]
    pictures.save(pictures.framed(pictures.beside(title, panels, in_a_row=2)), out)
