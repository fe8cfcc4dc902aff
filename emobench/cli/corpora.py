"""`emobench corpora`, `emobench check` and `emobench utterances`."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import database, entries, options, reports, stored

if TYPE_CHECKING:
    from ..corpora import Corpus, Registry


@click.group(invoke_without_command=True)
@options.data
@options.datasets
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def corpora(
    context: click.Context, data: Path | None, datasets: tuple[Path, ...], as_json: bool
) -> None:
    """List the corpora, or show one."""
    if context.invoked_subcommand is not None:
        context.obj = datasets
        return
    from .. import corpora as package

    registry = package.load_registry(datasets)
    rows = [_summary(registry, name, data) for name in registry.names()]
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    _list(rows)


@corpora.command()
@click.argument("name")
@options.datasets
@click.pass_context
def show(context: click.Context, name: str, datasets: tuple[Path, ...]) -> None:
    """Show corpus NAME: what it is, where to get it, how its files are read."""
    from .. import corpora as package

    registry = package.load_registry((*(context.obj or ()), *datasets))
    corpus = registry.get(name)
    click.echo(f"{corpus.name}: {corpus.title}")
    for key, value in entries.described(registry, corpus):
        click.echo(f"  {key:<12}{value}")


@corpora.command()
@click.argument("folder", type=options.FOLDER)
@click.option("--name", help="Name of the corpus. [default: from the folder's]")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Registry file to add the entry to. [default: print it]",
)
@click.option(
    "--audformat", is_flag=True, help="FOLDER is a database in audformat, with a db.yaml."
)
def add(folder: Path, name: str | None, out: Path | None, audformat: bool) -> int:
    """Propose an entry for a FOLDER of audio, to be read and corrected.

    Exit status 1 if the entry lacks something that only you can say.
    """
    from ..corpora import proposal

    proposed = proposal.propose(folder, name, audformat=audformat)
    if out is None:
        click.echo(proposed.text, nl=False)
    else:
        proposal.add_to(out, proposed)
        click.echo(f"{proposed.name}: added to {out}. {proposed.verdict}")
    if out is not None and out.absolute() == Path("datasets.yaml").absolute():
        click.echo(
            "A datasets.yaml in the folder where you work takes the place of the packaged "
            "registry: its corpora are not known there. Choose another name to have both.",
            err=True,
        )
    saved, file = ("", out) if out is not None else (", once it is saved", f"{proposed.name}.yaml")
    data = folder.absolute().parent
    command = f"emobench check {proposed.name} --data {data} --datasets {file}"
    click.echo(f"Then{saved}: {command}", err=True)
    return 0 if proposed.ready else 1


@click.command()
@click.argument("name")
@options.data
@options.cache
@options.datasets
@click.option("--deep", is_flag=True, help="Decode every file, and compare files by their sound.")
def check(
    name: str,
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
    deep: bool,
) -> int:
    """Compare corpus NAME (or all that are there) with the published counts, cell by cell.

    Exit status 1 if a number differs or a file cannot be used.
    """
    from .. import audit
    from .. import corpora as package

    registry = package.load_registry(datasets)

    def report_on(corpus: Corpus) -> bool:
        with _bars() as progress:
            report = package.check(corpus, data, deep=deep, cache=cache, progress=progress)
        warnings = audit.foresee_checked(report, cache)
        reports.print_check(reports.console(), report, warnings)
        return report.good

    if name.strip().lower() != "all":
        return 0 if report_on(registry.get(name)) else 1
    return _check_all(registry, _existing(data), report_on)


@click.command()
@click.argument("name")
@options.data
@options.cache
@options.datasets
@click.option("--csv", "as_csv", is_flag=True, help="Print the columns as CSV.")
@click.option(
    "--audformat",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write them to as a database in audformat, in place of printing them.",
)
@options.names("model", "Models whose stored predictions go into the database.", required=False)
@options.protocol
@options.results
@stored.partial
def utterances(
    name: str,
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
    as_csv: bool,
    audformat: Path | None,
    model: tuple[str, ...],
    **of_results: Any,
) -> None:
    """Print the clips of corpus NAME: id, file, label, speaker and what else is known."""
    from .. import corpora as package
    from ..corpora.table_columns import columns

    corpus = package.load_registry(datasets).get(name)
    reading = package.open_corpus(corpus, data, cache)
    reading.raise_problems()
    known = {"id": [clip.id for clip in reading.clips], **columns(reading, cache)}
    if audformat is not None:
        asked = {**of_results, "datasets": datasets}
        database.write(corpus, known, audformat, model, asked)
        return
    if model:
        raise click.UsageError("--model: expected --audformat FOLDER to write them to, found none")
    known["path"] = _below(reading.folder, known["path"])
    if as_csv:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        shown = {name: known[name] for name in ("id", *package.TABLE_COLUMNS)}
        rows.writerow(shown)
        rows.writerows(zip(*shown.values(), strict=True))
        sys.stdout.buffer.write(text.getvalue().encode("utf-8", errors="surrogateescape"))
        sys.stdout.flush()
    else:
        _print_columns(known)
    if reading.duplicates:
        count = len(reading.duplicates)
        click.echo(
            f"{count:,} further files bear the id of another; see `emobench check`.", err=True
        )


def _summary(registry: Registry, name: str, data: Path | None) -> dict[str, Any]:
    """Return the facts that a list of corpora shows."""
    from .. import corpora as package

    corpus = registry.get(name)
    expect = corpus.expect
    folder = package.find(corpus, data)
    return {
        "name": corpus.name,
        "title": corpus.title,
        "language": corpus.language,
        "year": corpus.year,
        "clips": sum(expect.emotions.values()) if expect else None,
        "labels": list(corpus.labels),
        "speakers": expect.speakers if expect else None,
        "folds": corpus.folds,
        "access": corpus.access,
        "licence": corpus.licence,
        "homepage": corpus.homepage,
        "size": corpus.size,
        "synthetic": corpus.synthetic,
        "transcripts": corpus.has_transcripts,
        "constant_texts": corpus.constant_texts,
        "variants": registry.variants(name),
        "folder": None if folder is None else str(folder),
    }


def _list(rows: list[dict[str, Any]]) -> None:
    """Print a table of corpora."""
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for title in ("name", "language", "clips", "classes", "speakers", "folds", "access", "on disk"):
        number = title in ("clips", "classes", "speakers")
        table.add_column(title, justify="right" if number else "left", no_wrap=title == "name")
    for row in rows:
        access = "made on first use" if row["synthetic"] else row["access"]
        table.add_row(
            row["name"],
            row["language"],
            reports.number(row["clips"]),
            str(len(row["labels"])),
            reports.number(row["speakers"]),
            row["folds"],
            access,
            "yes" if row["folder"] else "no",
        )
        for variant in row["variants"]:
            table.add_row(f"  {variant}")
    reports.console().print(table)
    click.echo("\n`emobench corpora show NAME` says where to get one and how its files are read.")


def _check_all(registry: Registry, root: Path, report_on: Callable[[Corpus], bool]) -> int:
    """Check what is on disk, say where the rest is to be had, and sum up; return the status."""
    from .. import corpora as package
    from ..errors import EmobenchError

    every = [registry.get(name) for name in registry.names()]
    present = [corpus for corpus in every if package.find(corpus, root) is not None]
    wrong = []
    for corpus in present:
        try:
            good = report_on(corpus)
        except EmobenchError as error:  # the others can be checked all the same
            click.echo(f"\n{corpus.name}: {corpus.title}\n{error}\nnot ok: it cannot be read.")
            good = False
        if not good:
            wrong.append(corpus.name)
    click.echo()
    absent = [corpus for corpus in every if corpus not in present and not corpus.synthetic]
    for corpus in absent:
        missing = [part for part in corpus.parts if package.find(part, root) is None]
        click.echo(f"{corpus.name}: not found. {entries.where_to_get(corpus, missing)}")
    told = f" ({', '.join(wrong)})" if wrong else ""
    click.echo(
        f"\n{len(present) - len(wrong)} ok, {len(wrong)} not ok{told}, {len(absent)} not found "
        f"in {reports.printable(root)}"
    )
    return 1 if wrong else 0


def _print_columns(columns: dict[str, list[Any]]) -> None:
    """Print the most telling columns of an utterance table."""
    names = ["id", "label", "raw_emotion", "speaker", "group", "sex", "sentence"]
    if any(end is not None for end in columns["end"]):
        names += ["start", "end"]
    names += ["duration", "path"]
    rows = zip(*(map(_cell, columns[name]) for name in names), strict=True)
    for line in reports.aligned([names, *rows]):
        click.echo(line)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else reports.printable(value)


def _below(folder: Path, paths: Iterable[str]) -> list[str]:
    """Return paths below a folder, which all of them begin with, with `/` between folders."""
    root = os.path.join(os.path.abspath(folder), "")
    return [path.removeprefix(root).replace(os.sep, "/") for path in paths]


def _existing(data: Path | None) -> Path:
    """Return the data folder.

    Raises:
        CorpusError: if there is none, so that a slip in --data is not read as absent corpora
    """
    from .. import corpora as package
    from ..errors import CorpusError

    root = package.data_root(data)
    if root is None or not root.is_dir():
        found = "neither --data nor EMOBENCH_DATA" if root is None else f"no folder {root}"
        raise CorpusError(
            f"check all: expected the folder that holds the corpora, found {found}. Pass --data "
            "DIR; each corpus belongs in DIR/<name>."
        )
    return root


def _bars() -> Any:
    """Return a context manager that shows progress on a terminal."""
    from .bars import FileBars

    return FileBars()
