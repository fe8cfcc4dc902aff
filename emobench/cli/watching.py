"""What every command that trains shows while it does, and says at the end."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import EmobenchError
from . import signals

if TYPE_CHECKING:
    from ..costs import Forecast
    from ..runs import Observer, Plan, Summary
    from ..spec import Places


@contextlib.contextmanager
def observed(plans: Sequence[Plan], places: Places) -> Iterator[Observer]:
    """Let a run show how far it is, and stop when who gave the command wants it to.

    Args:
        plans: all that is run, which is estimated first
        places: where it reads and writes
    """
    from .. import runs
    from .progress import Progress

    with signals.heeded() as interrupted, Progress() as progress:
        observer = runs.Observer(
            listener=progress.event,
            feature_progress=progress.features,
            begin=progress.begin,
            revise=progress.revise,
            notice=lambda text: click.echo(text, err=True),
            stopping=lambda: bool(interrupted),
        )
        progress.forecast = _forecast(plans, places, observer)
        yield observer


def _forecast(plans: Sequence[Plan], places: Places, observer: Observer) -> Forecast | None:
    """Return what tells when all plans will be done; None where they cannot be estimated.

    The run itself says why, of each experiment that is concerned.
    """
    from .. import runs
    from ..costs import Forecast, together

    with contextlib.suppress(EmobenchError):
        found = [
            runs.estimate(each, places, passing_over=True, watched=observer.extracting)
            for each in plans
        ]
        return Forecast(together(found)) if found else None
    return None


def say_what_is_left_out(left_out: Mapping[str, str]) -> None:
    """List what `all` does not cover, shortest way: one line a reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        click.echo(f"left out ({reason}): {', '.join(names)}", err=True)


def conclude(summary: Summary, results: Path) -> int:
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
