"""`emobench run` and `emobench features`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..run_options import Selection
from . import options, watching

if TYPE_CHECKING:
    from ..runs import Plan
    from ..spec import Places


@click.command()
@options.of(Selection)
@click.option("--dry-run", is_flag=True, help="Say what would be run, and stop.")
def run(dry_run: bool, **asked: Any) -> int:
    """Train and test models on corpora, and file predictions and scores.

    What has a record already is not computed again: to go on after an interruption, give the same
    command. Everything finished is on disk at any moment.
    """
    from .. import runs

    selection = Selection(**asked)
    places = runs.find_places(**selection.places)
    planned = runs.plan(selection, places)
    watching.say_what_is_left_out(planned.left_out)
    if dry_run:
        _say_what_would_run(planned, places)
        return 0
    with watching.observed() as observer:
        summary = runs.execute(planned, places, observer)
    return watching.conclude(summary, places.results)


@click.command()
@click.argument("names", nargs=-1, required=True)
@options.names("corpus", "Corpora to extract from.")
@options.data
@options.cache
@options.datasets
@options.jobs
@options.skip_bad
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

    NAMES are front-ends, such as `logmel`, `logmel:bands=240` or `encoder:FOLDER`.
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


def _say_what_would_run(planned: Plan, places: Places) -> None:
    """Print each experiment with the number of its jobs."""
    from .. import runs

    for corpus, _ in planned.pairs:
        for line in runs.explained(corpus, places):
            click.echo(line)
    for step in runs.preview(planned, places):
        experiment = step.experiment
        click.echo(
            f"{experiment.title}: protocol {experiment.protocol}, {experiment.n_folds} folds, "
            f"{len(step.missing)} jobs to do, {step.kept} done before"
        )
