"""`emobench export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..run_options import Selection
from . import options

if TYPE_CHECKING:
    from ..executors import Event
    from .counting import Counting


@click.command()
@click.argument("model")
@click.option(
    "--corpus",
    multiple=True,
    required=True,
    callback=options.words,
    metavar="NAME[,…]",
    help="What it is trained on; several corpora are taken together. Of A-to-B, A is trained on.",
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
@options.shared("epochs")
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
@options.shared("threads")
@options.shared("backend")
@options.shared("device")
@options.skip_bad
@options.shared("transcripts")
@options.shared("vectors")
@options.shared("encoder")
def export(
    model: str,
    out: Path,
    fold: int | None,
    repetition: int,
    onnx: bool,
    unverified: bool,
    **asked: Any,
) -> None:
    """Train MODEL and write a folder that `emobench predict` labels recordings with.

    The folder (a bundle) holds the weights, everything that was learnt from the training clips
    about features, and a model card that tells from stored results how well the model does.
    """
    from .. import runs
    from .counting import Counting

    wanted = runs.Export(out.expanduser(), fold, repetition, unverified, onnx)
    with Counting() as shown:
        observer = runs.Observer(
            listener=lambda event: _show(event, shown),
            feature_progress=lambda name, what, done, total: shown(f"{name}: {what}", done, total),
            notice=shown.line,
        )
        made = runs.export(Selection(model=(model,), **asked), wanted, observer)
    _conclude(made)


def _show(event: Event, shown: Counting) -> None:
    """Show what happens to the training."""
    if event.kind == "epoch":
        shown(f"training {event.work.experiment.title}", event.epoch, event.epochs, "epochs")
    elif event.kind == "retried":
        shown.line(event.message)


def _conclude(made: dict[str, Any]) -> None:
    """Say what was written, and how it compares with what is on file."""
    if made["fold"] is not None and made["verified"] is None:
        click.echo("no predictions of this fold are on file to compare with", err=True)
    elif made["fold"] is not None:
        largest = made["verified"]["largest_difference"]
        click.echo(f"predictions differ from those on file by {largest:.1e} at most")
    alone = made["alone"]
    if alone is not None and alone["other_labels"]:
        click.echo(
            f"caution: predicted by themselves, as the bundle does, {alone['other_labels']} clips "
            "get another label than in the batches of the protocol, where neighbours change a "
            "prediction",
            err=True,
        )
    click.echo(f"bundle in {made['bundle']}; read its README.md before you use it")
