"""`emobench audit`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options, reports, stored

if TYPE_CHECKING:
    from ..audit import Audit, Finding

_STYLES = {"hard": "bold red", "declared": "yellow", "soft": ""}


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--protocol",
    help="How the corpora are split, or whose results are looked at. [default: losgo for corpora, "
    "all for results]",
)
@click.option(
    "--results",
    type=options.FOLDER,
    help="Folder of records and predictions to look at.",
)
@options.data
@options.cache
@options.datasets
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the ids that show it.")
def audit(
    names: tuple[str, ...],
    protocol: str | None,
    results: Path | None,
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
    as_json: bool,
) -> int:
    """List the problems of corpora NAMES (or all), or of stored results.

    A finding is hard (test clips or their speakers reach training, results are not what they say),
    declared (the protocol says that it does so), or soft (to be known beside a result). Exit
    status 1 if one is hard.
    """
    if not names and results is None:
        raise click.UsageError(
            "expected a corpus or --results, found neither. Name a corpus, such as `emobench audit "
            "demo`, or a folder of results."
        )
    audits = [*_of_corpora(names, protocol, data, cache, datasets)]
    if results is not None:
        audits += _of_results(results, protocol, data, cache, datasets)
    if as_json:
        click.echo(json.dumps(_plain(audits), indent=1, ensure_ascii=False))
    else:
        for one in audits:
            _print(one)
    return 1 if any(one.count("hard") for one in audits) else 0


def _of_corpora(
    names: Sequence[str],
    protocol: str | None,
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
) -> list[Audit]:
    from .. import audit as auditing
    from .. import corpora, protocols, runs
    from ..errors import EmobenchError
    from .bars import FileBars

    if not names:
        return []
    places = runs.find_places(data=data, cache=cache, datasets=datasets)
    chosen = protocols.get(protocol or protocols.DEFAULT)
    selected = runs.select(names, corpora.load_registry(places.datasets), places)
    found = []
    for corpus in selected:
        try:
            with FileBars() as bars:
                made = auditing.of_corpus(
                    corpus, chosen, places.data, cache=places.cache, progress=bars
                )
        except EmobenchError as error:
            if len(selected) == 1:
                raise
            made = auditing.unreadable(corpus, chosen, error)  # the others can be read all the same
        found.append(made)
    return found


def _of_results(
    results: Path,
    protocol: str | None,
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
) -> list[Audit]:
    from .. import audit as auditing
    from .. import runs

    places = runs.find_places(results=results, data=data, cache=cache, datasets=datasets)
    return auditing.of_results(places, protocol=protocol, **stored.reading(places.datasets))


def _plain(audits: Sequence[Audit]) -> dict[str, object]:
    return {
        "hard": sum(one.count("hard") for one in audits),
        "audits": [one.plain() for one in audits],
    }


def _print(audit: Audit) -> None:
    """Print a table of findings, and a line that sums them up."""
    from rich.table import Table
    from rich.text import Text

    console = reports.console()
    console.print(f"\n{reports.printable(audit.subject)}", style="bold", markup=False)
    rows = [(finding.severity, finding.kind, _told(finding)) for finding in audit.findings]
    if console.is_terminal:
        table = Table.grid(padding=(0, 2))
        for row in rows:
            table.add_row(*map(Text, row), style=_STYLES[row[0]])
        console.print(table)
    else:
        for line in reports.aligned(rows):
            click.echo(line)
    for why in audit.not_checked:
        console.print(reports.printable(why), markup=False, soft_wrap=True)
    told = ", ".join(
        f"{audit.count(severity)} {severity}" for severity in ("hard", "declared", "soft")
    )
    console.print(f"{told}.", markup=False)


def _told(finding: Finding) -> str:
    """Return a finding in words; what was expected instead is said where it is grave."""
    where = f"{finding.where}: " if finding.where else ""
    expected = f" Expected: {finding.expected}." if finding.severity == "hard" else ""
    return reports.printable(f"{where}{finding.found}.{expected} {finding.advice}")
