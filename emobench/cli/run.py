"""`emobench run`."""

from __future__ import annotations

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
