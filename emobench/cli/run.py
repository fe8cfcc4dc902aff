"""`emobench run` and `emobench features`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..run_options import Selection
from . import options, signals

if TYPE_CHECKING:
    from ..runs import Plan, Summary
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
    _say_what_is_left_out(planned)
    if dry_run:
        _say_what_would_run(planned, places)
        return 0
    return _conclude(_watched(planned, places), places.results)


def _watched(planned: Plan, places: Places) -> Summary:
    """Run a plan under the eyes of who gave the command."""
    from .. import runs
    from .progress import Progress

    with signals.heeded() as interrupted, Progress() as progress:
        observer = runs.Observer(
            listener=progress.event,
            feature_progress=progress.features,
            begin=progress.begin,
            notice=lambda text: click.echo(text, err=True),
            stopping=lambda: bool(interrupted),
        )
        return runs.execute(planned, places, observer)


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
