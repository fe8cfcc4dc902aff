"""`emobench report`."""

from __future__ import annotations

from pathlib import Path

import click

from . import options, stored


@click.command()
@options.results
@click.option(
    "--out",
    type=options.FOLDER,
    required=True,
    help="Folder for the pages: new, empty, or with a site, which is replaced.",
)
@options.datasets
def report(results: Path, out: Path, datasets: tuple[Path, ...]) -> int:
    """Make a site of stored results: a page for every number.

    Open index.html in a browser; nothing is fetched from anywhere, and pages can be read without
    JavaScript. The same results give the same bytes.
    """
    from .. import report as reporting

    site = reporting.write(results, out, **stored.reading(datasets))
    megabytes = sum(site.sizes.values()) / 1e6
    click.echo(f"{len(site.pages)} pages, {megabytes:.1f} MB: {out / 'index.html'}")
    return 0
