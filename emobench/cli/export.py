"""`emobench export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options

if TYPE_CHECKING:
    from ..executors import Event
    from ..spec import Backend
    from .counting import Counting

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("model")
@click.option(
    "--corpus",
    multiple=True,
    required=True,
    callback=options.words,
    metavar="NAME[,…]",
    help="What it is trained on; several corpora are taken together.",
)
@click.option("--out", required=True, type=options.FOLDER, help="Folder to write, not there yet.")
@options.protocol
@click.option(
    "--fold",
    type=click.IntRange(min=0),
    metavar="N",
    help="Export the model of this fold, as a run trains it. [default: trained on all speakers]",
)
@click.option(
    "--repetition",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Which repetition's random seed it has.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Another number of epochs than usual.")
@click.option("--onnx", is_flag=True, help="Convert the network to ONNX too (emobench[onnx]).")
@click.option(
    "--unverified",
    is_flag=True,
    help="Write a fold's bundle although it predicts something else than is on file.",
)
@options.data
@options.results
@options.cache
@options.datasets
@options.jobs
@click.option("--threads", type=click.IntRange(min=1), default=1, hidden=True)
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "jax"]),
    default="tensorflow",
    show_default=True,
    help="What trains networks.",
)
@options.device
@click.option("--skip-bad", is_flag=True, help="Leave out clips without usable audio.")
@click.option("--transcripts", type=FILE, help="CSV with the columns id and text.")
@click.option("--embeddings", type=FILE, help="Word vectors that models of texts begin from.")
def export(
    model: str,
    corpus: tuple[str, ...],
    out: Path,
    protocol: str,
    fold: int | None,
    repetition: int,
    epochs: int | None,
    onnx: bool,
    unverified: bool,
    data: Path | None,
    results: Path,
    cache: Path | None,
    datasets: tuple[Path, ...],
    jobs: int,
    threads: int,
    backend: Backend,
    device: str,
    skip_bad: bool,
    transcripts: Path | None,
    embeddings: Path | None,
) -> None:
    """Train MODEL and write a folder that `emobench predict` labels recordings with.

    The folder (a bundle) holds the weights, everything that was learnt from the training clips
    about features, and a model card that tells from stored results how well the model does.
    """
    from .. import runs
    from .counting import Counting

    places = runs.find_places(
        data=data,
        results=results,
        cache=cache,
        datasets=datasets,
        transcripts=transcripts,
        vectors=embeddings,
    )
    wanted = runs.Export(
        model=model,
        corpora=corpus,
        out=out.expanduser(),
        protocol=protocol,
        fold=fold,
        repetition=repetition,
        epochs=epochs,
        backend=backend,
        device=device,
        skip_bad=skip_bad,
        unverified=unverified,
        onnx=onnx,
    )
    with Counting() as shown:
        made = runs.export(
            wanted,
            places,
            jobs=jobs,
            threads=threads,
            listener=lambda event: _show(event, shown),
            feature_progress=lambda name, what, done, total: shown(f"{name}: {what}", done, total),
            notice=shown.line,
        )
    _conclude(made, fold)


def _show(event: Event, shown: Counting) -> None:
    """Show what happens to the training."""
    if event.kind == "epoch":
        shown(f"training {event.work.experiment.title}", event.epoch, event.epochs, "epochs")
    elif event.kind == "retried":
        shown.line(event.message)


def _conclude(made: dict, fold: int | None) -> None:
    """Say what was written, and how it compares with what is on file."""
    if fold is not None and made["verified"] is None:
        click.echo("no predictions of this fold are on file to compare with", err=True)
    elif fold is not None:
        largest = made["verified"]["largest_difference"]
        click.echo(f"predictions differ from those on file by {largest:.1e} at most")
    click.echo(f"bundle in {made['bundle']}; read its README.md before you use it")
