"""`emobench run` and `emobench features`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options, signals

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

if TYPE_CHECKING:
    from ..runs import Plan, Summary
    from ..spec import Places


@click.command()
@options.names("--model", "Models to train and test.")
@options.names("--corpus", "Corpora to do it on; all means every corpus that is on disk.")
@options.protocol
@options.data
@options.results
@options.cache
@options.datasets
@options.jobs
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Threads of a network's arithmetic; another number changes the last bits of a result.",
)
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "jax"]),
    default="tensorflow",
    show_default=True,
    help="What trains the networks.",
)
@options.device
@options.workers_per_device
@options.together
@click.option("--epochs", type=click.IntRange(min=1), help="Another number of epochs than usual.")
@click.option("--folds", callback=options.numbers, metavar="0,1,…", help="Only these folds.")
@click.option("--repetitions", type=click.IntRange(min=1), help="Only so many repetitions.")
@click.option("--skip-bad", is_flag=True, help="Leave out clips without usable audio.")
@click.option(
    "--condition",
    multiple=True,
    default=("none",),
    callback=options.words,
    metavar="NAME[,…]",
    help="What the sound goes through: mp3:64k (or 256, 192, 128, 96, 24, 16, 8), mp3:all for "
    "all of them and none, or none.",
)
@click.option(
    "--condition-on",
    "sides",
    type=click.Choice(["test", "training", "both"]),
    default="test",
    show_default=True,
    help="Which clips go through it.",
)
@click.option(
    "--transcripts",
    type=FILE,
    help="CSV with the columns id and text, such as a recogniser's; takes the place of the "
    "corpora's own transcripts.",
)
@click.option(
    "--embeddings",
    type=FILE,
    help="Word vectors as text (word2vec or GloVe) that models of texts begin from.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be run, and stop.")
def run(
    model: tuple[str, ...],
    corpus: tuple[str, ...],
    protocol: str,
    data: Path | None,
    results: Path,
    cache: Path | None,
    datasets: tuple[Path, ...],
    jobs: int,
    threads: int,
    backend: str,
    device: str,
    workers_per_device: int,
    together: int | str,
    epochs: int | None,
    folds: tuple[int, ...],
    repetitions: int | None,
    skip_bad: bool,
    condition: tuple[str, ...],
    sides: str,
    transcripts: Path | None,
    embeddings: Path | None,
    dry_run: bool,
) -> int:
    """Train and test models on corpora, and file predictions and scores.

    What has a record already is not computed again: to go on after an interruption, give the same
    command. Everything finished is on disk at any moment.
    """
    from .. import runs
    from .progress import Progress

    selection = runs.Selection(
        models=model,
        corpora=corpus,
        protocol=protocol,
        backend=backend,
        epochs=epochs,
        folds=folds,
        repetitions=repetitions,
        skip_bad=skip_bad,
        conditions=condition,
        sides=sides,
        device=device,
        workers_per_device=workers_per_device,
        together=together,
    )
    places = runs.find_places(
        data=data,
        results=results,
        cache=cache,
        datasets=datasets,
        transcripts=transcripts,
        vectors=embeddings,
    )
    planned = runs.plan(selection, places)
    _say_what_is_left_out(planned)
    if dry_run:
        _say_what_would_run(planned, places)
        return 0
    with signals.heeded() as interrupted, Progress() as progress:
        summary = runs.execute(
            planned,
            places,
            jobs=jobs,
            threads=threads,
            listener=progress.event,
            feature_progress=progress.features,
            begin=progress.begin,
            notice=lambda text: click.echo(text, err=True),
            stopping=lambda: bool(interrupted),
        )
    return _conclude(summary, places.results)


@click.command()
@click.argument("names", nargs=-1, required=True)
@options.names("--corpus", "Corpora to extract from.")
@options.data
@options.cache
@options.datasets
@options.jobs
@click.option("--skip-bad", is_flag=True, help="Leave out clips without usable audio.")
def features(
    names: tuple[str, ...],
    corpus: tuple[str, ...],
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
    jobs: int,
    skip_bad: bool,
) -> int:
    """Extract features ahead of a run.

    NAMES are front-ends, such as `logmel` or `logmel:bands=240`.
    """
    from .. import runs
    from .progress import Progress

    places = runs.find_places(data=data, cache=cache, datasets=datasets)
    with Progress() as progress:
        extracted = runs.extract_ahead(
            names, corpus, places, jobs=jobs, skip_bad=skip_bad, progress=progress.features
        )
        for line in extracted:
            click.echo(line)
    return 0


def _say_what_is_left_out(planned: Plan) -> None:
    """List what `all` does not cover, shortest way: one line a reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in planned.left_out.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        click.echo(f"left out ({reason}): {', '.join(names)}", err=True)


def _say_what_would_run(planned: Plan, places: Places) -> None:
    """Print each experiment with the number of its jobs."""
    from .. import runs

    for step in runs.preview(planned, places):
        experiment = step.experiment
        click.echo(
            f"{experiment.title}: protocol {experiment.protocol}, {experiment.n_folds} folds, "
            f"{len(step.missing)} jobs to do, {step.kept} done before"
        )


def _conclude(summary: Summary, results: Path) -> int:
    """Print what a run came to and return its exit status."""
    for corpus, clips in summary.skipped_clips.items():
        click.echo(f"{corpus}: left out {len(clips)} clips without usable audio", err=True)
    for name, doubts in summary.warnings.items():
        for doubt in doubts:
            click.echo(f"warning: {name}: {doubt}", err=True)
    for name, message in summary.failures.items():
        click.echo(f"failed: {name}: {message}", err=True)
    click.echo(
        f"{summary.done} jobs done, {summary.kept} were there already, "
        f"{len(summary.failures)} failed; records in {results}"
    )
    if summary.stopped:
        click.echo("interrupted; give the same command to go on", err=True)
        sys.exit(130)
    return 1 if summary.failures else 0
