"""`emobench protocols` and `emobench folds`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options, reports

if TYPE_CHECKING:
    import pandas as pd

    from ..spec import Fold, Protocol


_SPLITS = {
    "": "as the corpus' entry says",
    "groups": "five groups of speakers, or sessions",
    "last-group": "the last of five groups of speakers, or sessions",
    "random": "five random parts of the clips, whoever speaks",
    "clips": "random parts of the clips, whoever speaks, as many as the corpus' entry makes folds",
}
_GROUPS = {"random": "seeded random", "greedy": "greedy, by size"}
_NORMALISATIONS = {
    "training": "by the training clips, whatever front-ends name",
    "corpus": "by all clips, those that are tested among them",
}
_WEIGHTS = {"training": "from training", "corpus": "from corpus", "none": "none"}
_STATISTICS = {
    "": "statistics measured on the training clips after training",
    "running": "the running statistics, as published",
}
_SELECTIONS = {
    "": "the last, or the best on development clips",
    "best-test-epoch": "the best on the test clips",
}


@click.command()
def protocols() -> None:
    """List the protocols: how models are split, weighted, tuned and repeated."""
    from .. import protocols as known

    for name in known.names():
        protocol = known.get(name)
        click.echo(f"{name}\n  {protocol.title}")
        for line in _rules(protocol):
            click.echo(f"  {line}")
        if protocol.caution:
            click.echo(f"  caution: {protocol.caution}")


def _rules(protocol: Protocol) -> Iterator[str]:
    """Yield what a protocol does, in words, a line for each side of it."""
    kept, copies = protocol.development, protocol.copies
    groups = _GROUPS[protocol.speaker_groups]
    yield " · ".join(
        (
            f"split: {_SPLITS[protocol.split]}",
            *([f"only the first {protocol.max_folds} folds"] if protocol.max_folds else []),
            *([f"{kept:.0%} of what is held out is kept for early stopping"] if kept else []),
            *([f"{copies:.0%} of what is tested is trained on as well"] if copies else []),
            *([] if protocol.draws_clips else [f"speaker groups {groups}"]),
        )
    )
    several = "s" if protocol.repetitions > 1 else ""
    yield (
        f"tuning {protocol.tuning} · class weights {_WEIGHTS[protocol.weights]} · "
        f"batches {protocol.batching} · {protocol.repetitions} repetition{several} · "
        f"epochs {protocol.epochs or 'of the model'}"
    )
    if protocol.normalisation:
        yield f"standardisation {_NORMALISATIONS[protocol.normalisation]}"
    yield f"batch normalisation predicts with {_STATISTICS[protocol.statistics]}"
    yield f"epoch: {_SELECTIONS[protocol.selection]} · shown first: {protocol.headline.upper()}"


@click.command()
@click.argument("name")
@options.protocol
@options.data
@options.cache
@options.datasets
@click.option("--json", "as_json", is_flag=True, help="Print folds with the ids of their clips.")
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print a line for each fold and each clip that it tests, or keeps for development; it "
    "trains on the others, and on copies.",
)
def folds(
    name: str,
    protocol: str,
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print which speakers each fold of corpus NAME holds out.

    The folds of a complete copy are the same on every machine.
    """
    from .. import audit, corpora, runs
    from .. import folds as splitting
    from .. import protocols as known

    if as_json and as_csv:
        raise click.UsageError("expected one of --json and --csv, found both. Leave out one.")
    places = runs.find_places(data=data, cache=cache, datasets=datasets)
    corpus = corpora.load_registry(places.datasets).get(name)
    chosen = known.get(protocol)
    table = corpora.load(corpus, places.data, places.cache)
    made = splitting.make(table, corpus.folds, chosen)
    for finding in audit.foresee(corpus, chosen, places.data, places.cache):
        click.echo(f"warning: {finding.line}", err=True)
    if as_json:
        click.echo(json.dumps(list(map(_as_json, made)), indent=1, ensure_ascii=False))
    elif as_csv:
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(("fold", "part", "id", "label", "speaker", "group"))
        rows.writerows(_clips(made, table))
    else:
        for line in reports.aligned(_summary(made, table)):
            click.echo(line)
    if chosen.caution:
        click.echo(f"caution: {chosen.caution}", err=as_json or as_csv)


def _as_json(fold: Fold) -> dict[str, object]:
    return {
        "fold": fold.index,
        "held_out": list(fold.held_out),
        "training": sorted(fold.training),
        "development": sorted(fold.development),
        "test": sorted(fold.test),
        **({"copies": sorted(fold.copies)} if fold.copies else {}),
    }


def _clips(made: Sequence[Fold], table: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """Yield what is tested, kept or copied, in an order that no file system changes."""
    facts = {row[0]: row[1:] for row in table[["label", "speaker", "group"]].itertuples()}
    for fold in made:
        for part in ("test", "development", "copies"):
            ids = getattr(fold, part)
            for clip in sorted(ids):
                yield (fold.index, part, clip, *facts[clip])


def _summary(made: Sequence[Fold], table: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a table; speakers are named where groups are not theirs."""
    parts = ["training", "development", "test", "copies"]
    for part in ("development", "copies"):
        if not any(getattr(fold, part) for fold in made):
            parts.remove(part)
    speaker = table["speaker"]
    named = bool((speaker != table["group"]).any()) and not made[0].held_out[0].startswith("random")
    yield ("fold", "held out", *(["speakers"] if named else []), *parts)
    for fold in made:
        spoken = sorted(set(speaker.loc[[*fold.test, *fold.development]]))
        counts = (f"{len(getattr(fold, part)):,}" for part in parts)
        yield (
            str(fold.index),
            " ".join(fold.held_out),
            *([" ".join(spoken)] if named else []),
            *counts,
        )
