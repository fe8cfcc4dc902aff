"""`emobench run`."""

from __future__ import annotations

from typing import Any

import click

from ..run_options import Selection
from . import estimates, options, watching


@click.command()
@options.of(Selection)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be run and what that would take, and stop."
)
@click.option(
    "--measure",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=10,
    metavar="[SECONDS]",
    help="With --dry-run: try each model that has no records for so many seconds (10), beside the "
    "time that its process needs to start.",
)
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: print JSON.")
def run(dry_run: bool, measure: int | None, as_json: bool, **asked: Any) -> int:
    """Train and test models on corpora, and file predictions and scores.

    What has a record already is not computed again: to go on after an interruption, give the same
    command. Everything finished is on disk at any moment.
    """
    from .. import runs

    if not dry_run and (measure or as_json):
        option = "--measure" if measure else "--json"
        raise click.UsageError(f"{option}: expected --dry-run beside it. Add it, or leave it out.")
    selection = Selection(**asked)
    places = runs.find_places(**selection.places)
    planned = runs.plan(selection, places)
    watching.say_what_is_left_out(planned.left_out)
    if dry_run:
        estimates.say(planned, places, measure, as_json=as_json)
        return 0
    with watching.observed([planned], places) as observer:
        summary = runs.execute(planned, places, observer)
    return watching.conclude(summary, places.results)
