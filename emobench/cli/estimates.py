"""What `emobench run --dry-run` says: what would be run, and what that would take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..errors import count

if TYPE_CHECKING:
    from ..costs import Cost, Estimate, FeatureCost
    from ..runs import Plan
    from ..spec import Places


def say(planned: Plan, places: Places, measure: int | None, *, as_json: bool) -> None:
    """Print each experiment with the number of its jobs and what they take, then all together.

    Args:
        planned: what would be run
        places: where it reads and writes
        measure: seconds that each model without records is tried for; None to try none
        as_json: print JSON in place of lines
    """
    from .. import runs

    for corpus, _ in () if as_json else planned.pairs:
        for line in runs.explained(corpus, places):
            click.echo(line)
    found = runs.estimate(
        *(planned, places),
        try_seconds=measure,
        notice=lambda text: click.echo(text, err=as_json),
    )
    if as_json:
        click.echo(json.dumps(found.plain(), indent=1))
        return
    for cost in found.experiments:
        click.echo(_experiment(cost))
    for line in (*map(_feature, found.features), *_together(found, measured=measure is not None)):
        click.echo(line)


def _experiment(cost: Cost) -> str:
    from ..costs.figures import bytes_words, words

    experiment = cost.experiment
    line = (
        f"{experiment.title}: protocol {experiment.protocol}, {experiment.n_folds} folds, "
        f"{len(cost.jobs)} jobs to do, {cost.kept} done before"
    )
    if not cost.jobs:
        return line
    seconds, memory = "time unknown", "memory unknown"
    if cost.seconds is not None:
        seconds = f"{words(cost.seconds.value)} ({cost.seconds.source})"
    if cost.memory is not None:
        memory = f"{cost.memory.value:.0f} MiB a worker ({cost.memory.source})"
    disk = f"{bytes_words(cost.disk.value)} of results ({cost.disk.source})"
    return f"{line}; {seconds}, {memory}, {disk}"


def _feature(one: FeatureCost) -> str:
    from ..costs.figures import bytes_words, words

    through = f" through {one.through}" if one.through else ""
    line = f"{one.corpus}: {one.feature}{through} to be extracted"
    if one.seconds is None or one.disk is None:
        return f"{line}; time and size unknown"
    return f"{line}; {words(one.seconds.value)}, {bytes_words(one.disk.value)} ({one.disk.source})"


def _together(found: Estimate, *, measured: bool) -> Iterator[str]:
    """Yield what all experiments take together, and of which nobody knows."""
    from ..costs.figures import bytes_words, words

    to_do = sum(len(cost.jobs) for cost in found.experiments)
    if not to_do:
        yield "all: nothing to do"
        return
    unknown = found.unknown
    at_least = "more than " if unknown else "about "
    cards = f" and {count(found.cards, 'worker')} on cards" if found.cards else ""
    parts = []
    if found.seconds:
        parts.append(f"{at_least}{words(found.seconds)} with --jobs {found.processes}{cards}")
    if found.memory is not None:
        parts.append(f"up to {found.memory / 1024:.1f} GiB of memory")
    parts.append(f"{bytes_words(found.disk)} of disk")
    yield f"all: {count(to_do, 'job')}, {', '.join(parts)}"
    if unknown:
        names = list(dict.fromkeys(cost.experiment.model for cost in unknown))
        hint = "" if measured else "; --measure tries each for some seconds"
        yield f"time unknown, for want of records: {', '.join(names)}{hint}"
