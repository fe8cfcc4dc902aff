"""`emobench leaderboard`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from ..metric_table import CHOICES
from . import options, stored


@click.command()
@options.results
@click.option("--protocol", help="Show this protocol only. [default: all that have results]")
@click.option("--partial", is_flag=True, help="Show incomplete results too, marked.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=click.Choice(CHOICES),
    help="Show a table of this score; may be repeated. [default: the protocol's headline, and UAR]",
)
@click.option("--pooled", is_flag=True, help="Add tables of the pooled UAR and of WA.")
@stored.written_as("table", "markdown", "csv", "json")
@stored.out
@stored.readme
@options.datasets
def leaderboard(
    results: Path,
    protocol: str | None,
    partial: bool,
    metrics: tuple[str, ...],
    pooled: bool,
    format_: str,
    out: Path | None,
    readme: Path | None,
    datasets: tuple[Path, ...],
) -> int:
    """Show what has been run as a table, beside the published results.

    Rows are corpora, columns are models. Every figure is computed from stored predictions.
    """
    from .. import leaderboard as board

    chosen = {**stored.reading(datasets), "partial": partial}
    boards = (
        [board.build(results, protocol=protocol, **chosen)]
        if protocol
        else board.build_all(results, **chosen)
    )
    on_terminal = out is None and sys.stdout.isatty()
    text = board.render(
        boards,
        format_,
        metrics=metrics,
        pooled=pooled,
        colour=on_terminal,
        width=shutil.get_terminal_size().columns if on_terminal else None,
    )
    if out is None:
        click.echo(text, nl=False)
    else:
        stored.write(out, text, "--out")
    if readme is not None:
        stored.embed(readme, board.fragment(boards), "leaderboard")
    if format_ == "csv":
        for one in boards:
            for notice in one.notices:
                click.echo(f"{one.protocol}: {notice.kind}: {notice.text}", err=True)
    return 0
