"""`emobench merge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options

if TYPE_CHECKING:
    from ..results.merging import Merged


@click.command()
@click.argument("sources", metavar="FROM…", nargs=-1, required=True, type=options.FOLDER)
@options.results
@click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")
def merge(sources: tuple[Path, ...], results: Path, dry_run: bool) -> int:
    """Take results from other folders into one.

    FROM are folders of results, of other machines say. Every record is verified: its fingerprint,
    its predictions and its scores. Nothing that is there is overwritten: of two records of one job
    with other predictions the first is kept, and both are named. To go on after an interruption,
    give the same command.
    """
    from ..results.merging import merge

    merged = merge(sources, results, dry_run=dry_run)
    for conflict in merged.conflicts:
        click.echo(f"conflict: {conflict}", err=True)
    for damage in merged.damages:
        click.echo(f"damaged: {damage}", err=True)
    for doubt in merged.warnings:
        click.echo(f"warning: {doubt}", err=True)
    click.echo(_told(merged, results, dry_run))
    return 1 if merged.conflicts or merged.damages else 0


def _told(merged: Merged, results: Path, dry_run: bool) -> str:
    """Return what a merge came to in a line."""
    from ..errors import count

    filed = "to file" if dry_run else "filed"
    failures = f", {count(merged.failures, 'failure')}" if merged.failures else ""
    return (
        f"{count(merged.records, 'record')} {filed}{failures}, {merged.kept:,} were there already, "
        f"{count(len(merged.conflicts), 'conflict')}, {len(merged.damages):,} damaged; "
        f"records in {results}"
    )
