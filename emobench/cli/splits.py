"""`emobench protocols` and `emobench folds`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from . import options


@click.command()
def protocols() -> None:
    """List the protocols: how models are split, weighted, tuned and repeated."""
    from .. import protocols as known

    for name in known.names():
        protocol = known.get(name)
        click.echo(f"{name}\n  {protocol.title}")
        groups = "seeded random" if protocol.speaker_groups == "random" else "greedy, by size"
        click.echo(
            f"  speaker groups {groups} · tuning {protocol.tuning} · class weights from "
            f"{protocol.weights} · batches {protocol.batching} · {protocol.repetitions} "
            f"repetition{'s' if protocol.repetitions > 1 else ''} · epochs "
            f"{protocol.epochs or 'of the model'}"
        )
        if protocol.caution:
            click.echo(f"  caution: {protocol.caution}")


@click.command()
@click.argument("name")
@options.protocol
@options.data
@options.cache
@options.datasets
@click.option("--json", "as_json", is_flag=True, help="Print the ids of every fold as JSON.")
def folds(
    name: str,
    protocol: str,
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Print who is held out in which fold of corpus NAME."""
    from .. import corpora, runs
    from .. import folds as splitting
    from .. import protocols as known

    places = runs.find_places(data=data, cache=cache, datasets=datasets)
    corpus = corpora.load_registry(places.datasets).get(name)
    table = corpora.load(corpus, places.data, places.cache)
    made = splitting.make(table, corpus.folds, known.get(protocol))
    if as_json:
        rows = [
            {"fold": fold.index, "held_out": list(fold.held_out), "test": list(fold.test)}
            for fold in made
        ]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    click.echo("fold,held_out,training_clips,test_clips")
    for fold in made:
        held_out = " ".join(fold.held_out)
        click.echo(f"{fold.index},{held_out},{len(fold.training)},{len(fold.test)}")
