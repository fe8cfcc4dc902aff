"""`emobench ledger`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options, reports, stored

if TYPE_CHECKING:
    from ..analysis.ledger import Line


@click.command()
@options.results
@stored.corpora
@stored.models
@click.option(
    "--verdict", "verdicts", multiple=True, metavar="VERDICT", help="Only these; may be repeated."
)
@stored.written_as("table", "markdown", "csv", "json")
@stored.out
@options.datasets
def ledger(
    results: Path,
    corpora: tuple[str, ...],
    models: tuple[str, ...],
    verdicts: tuple[str, ...],
    format_: str,
    out: Path | None,
    datasets: tuple[Path, ...],
) -> int:
    """Compare our results with every number that the papers published.

    Each published number stands beside ours under the nearest protocol, with an interval over
    speakers, what differs between the protocols, and a verdict by rule: reproduced, not
    reproduced, not comparable, incomplete, not run, or impossible here for want of a licence.
    """
    from .. import models as zoo
    from ..analysis.ledger import build
    from ..leaderboard import ledger as writers

    reading = stored.reading(datasets)
    lines = _chosen(
        build(results, **reading),
        corpora={reading["registry"].get(name).name for name in corpora},
        models={zoo.get(name).name for name in models},
        verdicts=_verdicts(verdicts),
    )
    written = {
        "table": lambda: "\n".join(_lines(lines)) + "\n",
        "markdown": lambda: writers.to_markdown(lines),
        "csv": lambda: writers.to_csv(lines),
        "json": lambda: writers.to_json(lines),
    }[format_]()
    if out is None:
        click.echo(written, nl=False)
    else:
        stored.write(out, written, "--out")
    return 0


def _verdicts(asked: Sequence[str]) -> set[str]:
    """Return verdicts as they are spelled; case, `-` and `_` do not matter."""
    from ..analysis.ledger import VERDICTS
    from ..errors import SpecError, suggest

    found = set()
    for text in asked:
        word = text.strip().lower().replace("-", " ").replace("_", " ")
        if word not in VERDICTS:
            raise SpecError(
                f"--verdict: expected one of {', '.join(VERDICTS)}, found '{text}'."
                + suggest(word, VERDICTS)
            )
        found.add(word)
    return found


def _chosen(
    lines: Sequence[Line], corpora: set[str], models: set[str], verdicts: set[str]
) -> list[Line]:
    """Return the lines of some corpora, models and verdicts; an empty set stands for all."""
    from ..analysis.published import registered

    return [
        line
        for line in lines
        if (not corpora or line.corpus in corpora)
        and (not models or registered(line.model) in models)
        and (not verdicts or line.verdict in verdicts)
    ]


def _lines(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the ledger for a terminal: a table for each paper, and how many got each verdict."""
    from ..analysis.ledger import counts
    from ..leaderboard.ledger import HEADER, tables

    if not lines:
        yield "Nothing was published of these corpora and models, or no number has this verdict."
        return
    for table in tables(lines):
        yield from filter(None, (table.title, table.caption))
        yield from ("", *reports.aligned([HEADER, *table.rows]))
        yield from ("", *table.notes, "") if table.notes else ("",)
    yield ", ".join(f"{number} {verdict}" for verdict, number in counts(lines).items() if number)
