"""`emobench download`."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import printable
from . import options, reports

if TYPE_CHECKING:
    from ..corpora import Corpus

_LINE_EVERY_SECONDS = 30.0
_MEGABYTE = 10**6


@click.command()
@click.argument("name")
@options.data
@options.datasets
@click.option(
    "--accept-licence",
    is_flag=True,
    help="Accept the licence of the corpus without being asked, as in a script.",
)
def download(name: str, data: Path | None, datasets: tuple[Path, ...], accept_licence: bool) -> int:
    """Download and unpack corpus NAME, if it is open to everybody.

    An interrupted download is resumed, and compared with the published checksum where there is
    one. Exit status 1 if the copy is incomplete.
    """
    from .. import audit
    from .. import corpora as package
    from ..corpora import download as downloads

    corpus = package.load_registry(datasets).get(name)

    def accept(corpus: Corpus) -> bool:
        return accept_licence or _asked(corpus)

    with _Progress() as shown:
        delivery = downloads.download(
            corpus, data, accept=accept, progress=shown.step, notice=shown.line
        )
    if not delivery.files:
        click.echo(f"{corpus.name}: complete in {delivery.folder}; nothing to do.")
        return 0
    click.echo(f"{corpus.name}: {delivery.files:,} files unpacked into {delivery.folder}.")
    report = package.check(corpus, delivery.folder.parent)
    reports.print_check(reports.console(), report, audit.foresee_checked(report))
    return 0 if report.good else 1


def _asked(corpus: Corpus) -> bool:
    """Ask the person at the terminal whether the licence is accepted.

    Raises:
        SpecError: if there is none
    """
    from ..corpora import how_to_get
    from ..errors import SpecError

    licence = corpus.licence or "none stated"
    if not sys.stdin.isatty():
        raise SpecError(
            f"{corpus.name}: expected that its licence is accepted ({licence}), found nobody to "
            "ask. Read it, then pass --accept-licence."
        )
    click.echo(f"{corpus.title}. Licence: {licence}. {how_to_get(corpus)}")
    return click.confirm("Do you accept the licence?", default=False)


class _Progress:
    """Shows a download: bars on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        from .bars import FileBars

        self._bars = FileBars()
        self._shown = contextlib.ExitStack()
        self._begun = False
        self._terminal = sys.stderr.isatty()
        self._line_due = time.monotonic() + _LINE_EVERY_SECONDS

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self._shown.close()

    def step(self, what: str, done: int, total: int | None) -> None:
        """Show how far something is."""
        if what.startswith("downloading"):
            what = f"{what} (MB)"
            done = done // _MEGABYTE
            total = None if total is None else total // _MEGABYTE
        if self._terminal:
            if not self._begun:  # not earlier: bars and a question do not go together
                self._shown.enter_context(self._bars)
                self._begun = True
            self._bars(what, done, total)
        elif time.monotonic() > self._line_due:
            self._line_due = time.monotonic() + _LINE_EVERY_SECONDS
            click.echo(f"{what}: {done:,} of {'?' if total is None else f'{total:,}'}", err=True)

    def line(self, text: str) -> None:
        """Say what happens."""
        click.echo(printable(text), err=True)
