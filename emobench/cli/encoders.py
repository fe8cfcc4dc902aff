"""`emobench encoders`."""

from __future__ import annotations

from pathlib import Path

import click

from . import options


@click.group()
def encoders() -> None:
    """Frozen encoders: folders with an ONNX model, or a preset of KerasHub, and card.yaml."""


@encoders.command()
@click.argument("folder", type=options.FOLDER)
@options.datasets
def check(folder: Path, datasets: tuple[Path, ...]) -> int:
    """Ask an encoder in FOLDER what its card promises.

    Whether card and model belong together, shapes, frames a second, the shortest clip, the same
    answer twice, silence, and whether clips in a batch leave each other alone. Exit status 1 if an
    answer is wrong.
    """
    from ..encoders import checking
    from ..errors import printable

    good = True
    for answer in checking.ask(folder):
        good &= answer.good
        mark = "ok" if answer.good else "WRONG"
        click.echo(printable(f"{mark:<7}{answer.question:<15}{answer.found}"))
        if answer.question == "card":
            _say_what_was_heard(folder, datasets)
    click.echo("good" if good else "not good")
    return 0 if good else 1


def _say_what_was_heard(folder: Path, datasets: tuple[Path, ...]) -> None:
    """Print which corpora the encoder was trained on, and which of them are registered."""
    from ..corpora import load_registry
    from ..encoders import read_card
    from ..results.lookup import Lookup

    lookup = Lookup(load_registry(datasets))
    heard = read_card(folder).training_corpora
    told = []
    for name in heard:
        known = lookup.known(name)
        told.append(f"{name} (registered as {known.base})" if known else f"{name} (not registered)")
    click.echo(f"{'':<7}{'heard':<15}{', '.join(told) or 'no corpus, as the card says'}")
