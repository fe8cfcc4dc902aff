"""`emobench bitrates`."""

from __future__ import annotations

from pathlib import Path

import click

from . import options, stored

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@options.results
@options.protocol
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    callback=options.words,
    metavar="NAME[,…]",
    help="Only these corpora. [default: all that were run]",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    callback=options.words,
    metavar="NAME[,…]",
    help="Only these models. [default: all that were run]",
)
@stored.partial
@click.option("--out", type=FILE, help="Figure to write: .png, .pdf or .svg.")
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
    """Draw UAR against MP3 bitrate, or print it as a table.

    A line is a model, solid where test clips went through MP3; the band is the 95 % interval over
    speakers. `emobench run --condition mp3:all` makes the results.
    """
    from .. import models as zoo
    from ..analysis import bitrates as read

    reading = stored.reading(datasets)
    curves = read.curves(
        results,
        protocol=protocol,
        corpora={reading["registry"].get(name).name for name in corpora},
        models={zoo.get(name).name for name in models},
        partial=partial,
        **reading,
    )
    if out is not None:
        from .. import plots

        plots.bitrates(curves, out)
    if table is not None:
        stored.write(table, read.to_csv(curves), "--csv")
    if out is None and table is None:
        click.echo(read.to_csv(curves), nl=False)
    return 0
