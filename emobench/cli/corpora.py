"""`emobench corpora`, `emobench check` and `emobench utterances`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, reports

if TYPE_CHECKING:
    import pandas as pd

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
    for key, value in _described(registry, corpus):
        click.echo(f"  {key:<12}{value}")


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
    from .. import corpora as package

    registry = package.load_registry(datasets)
    console = reports.console()
    names = registry.names() if name.strip().lower() == "all" else [registry.get(name).name]
    everything = len(names) > 1 or name.strip().lower() == "all"
    absent: list[Corpus] = []
    good = True
    for each in names:
        corpus = registry.get(each)
        if everything and package.find(corpus, _existing(data)) is None:
            if not corpus.synthetic:
                absent.append(corpus)
            continue
        with _bars() as progress:
            report = package.check(corpus, data, deep=deep, cache=cache, progress=progress)
        reports.print_check(console, report)
        good = good and report.good
    for corpus in absent:
        console.print(
            f"{corpus.name}: not found. {package.how_to_get(corpus)}", markup=False, soft_wrap=True
        )
    return 0 if good else 1


@click.command()
@click.argument("name")
@options.data
@options.cache
@options.datasets
@click.option("--csv", "as_csv", is_flag=True, help="Print every column as CSV.")
def utterances(
    name: str,
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
    as_csv: bool,
) -> None:
    """Print the clips of corpus NAME: id, file, label, speaker and what else is known."""
    import pandas as pd

    from .. import corpora as package
    from ..corpora import table as tables

    corpus = package.load_registry(datasets).get(name)
    reading = package.open_corpus(corpus, data, cache)
    reading.insist()
    table = tables.tabulate(reading, cache)
    root = reading.folder.absolute()
    relative = [Path(path).relative_to(root).as_posix() for path in table["path"]]
    # Left to itself, pandas takes texts for UTF-8, which a path need not be.
    table["path"] = pd.Series(relative, index=table.index, dtype=object)
    if as_csv:
        text = table[list(package.TABLE_COLUMNS)].to_csv(lineterminator="\n")
        sys.stdout.buffer.write(text.encode("utf-8", errors="surrogateescape"))
        sys.stdout.flush()
    else:
        _print_table(table)
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


def _described(registry: Registry, corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Yield what there is to say about a corpus, in order."""
    from .. import corpora as package

    for key in ("language", "year", "citation", "doi", "licence"):
        if getattr(corpus, key) is not None:
            yield key, str(getattr(corpus, key))
    if not corpus.synthetic:
        yield "get it", package.how_to_get(corpus)
    for url in corpus.urls:
        yield "download", url
    if corpus.expect is not None:
        counts = [f"{name} {count:,}" for name, count in corpus.expect.emotions.items()]
        yield "clips", f"{sum(corpus.expect.emotions.values()):,}: {', '.join(counts)}"
        if corpus.expect.speakers is not None:
            yield "speakers", str(corpus.expect.speakers)
    yield "labels", ", ".join(corpus.labels)
    yield "folds", corpus.folds
    yield "files", " or ".join(corpus.glob)
    if corpus.pattern is not None:
        yield "pattern", corpus.pattern
    for rule in corpus.drop:
        where = " and ".join(f"{name} {' or '.join(texts)}" for name, texts in rule.where.items())
        yield "left out", f"{where}: {rule.reason}"
    if corpus.aliases:
        yield "also called", ", ".join(corpus.aliases)
    if ":" not in corpus.name and registry.variants(corpus.name):
        yield "variants", ", ".join(registry.variants(corpus.name))


def _print_table(table: pd.DataFrame) -> None:
    """Print the most telling columns of an utterance table.

    Not by rich, which takes seconds for several thousand rows.
    """
    columns = ["label", "raw_emotion", "speaker", "group", "sex", "sentence", "duration", "path"]
    shown = table[columns].assign(
        duration=table["duration"].map("{:.2f}".format), path=table["path"].map(reports.printable)
    )
    texts = [["id", *columns]]
    for row in shown.itertuples():
        texts.append(["" if cell != cell or cell == "nan" else str(cell) for cell in row])
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _existing(data: Path | None) -> Path | None:
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
