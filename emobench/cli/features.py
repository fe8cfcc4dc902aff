"""`emobench features`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import run_options
from ..errors import SpecError, count
from . import options, reports

if TYPE_CHECKING:
    from ..features.inventory import Criteria, Holding
    from ..run_options import Where
    from ..runs import Cached, Extracted, Pruned
    from ..spec import Places


@click.command()
@click.argument("names", nargs=-1)
@options.names("corpus", "Corpora to extract from.", required=False)
@options.data
@options.cache
@options.datasets
@options.jobs
@click.option(
    "--device",
    metavar=run_options.get("device").metavar,
    help="What computes a frozen encoder: cards, with a process each, or the CPU; by default every "
    "card that it can use, else the CPU. All else is computed on the CPU.",
)
@options.skip_bad
@options.shared("executor")
@options.shared("address")
@options.shared("slurm")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--prune", is_flag=True, help="Remove what is damaged or was left unfinished.")
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="With --prune: remove what was not used for so many days, too; below 1, also what another "
    "machine may use.",
)
@click.option(
    "--outdated",
    is_flag=True,
    help="With --prune: remove what no run on any machine would use any more, too.",
)
@click.option("--dry-run", is_flag=True, help="With --prune: say what would go, and stop.")
def features(
    names: tuple[str, ...],
    corpus: tuple[str, ...],
    data: Path | None,
    cache: Path | None,
    datasets: tuple[Path, ...],
    jobs: int,
    device: str | None,
    skip_bad: bool,
    executor: Where,
    address: str | None,
    slurm: str,
    as_json: bool,
    prune: bool,
    older_than: float | None,
    outdated: bool,
    dry_run: bool,
) -> int:
    """Extract features ahead of a run, or see what is cached.

    NAMES are front-ends, such as `logmel`, `logmel:bands=240` or `encoder:FOLDER`. Without any, the
    cache is listed: features by front-end, parameters, condition and the corpus that they were made
    for, how large they are, when they were used last, and whether a run would use them today.

    With --prune it becomes smaller. What a process reads or writes stays, and so does what any
    machine used in the last 24 hours, as not all file systems tell one of the locks of another:
    only --older-than with less than a day removes that. What was made with other libraries than
    this machine has is of use to others, and goes by age alone. With --json each way prints one
    object, whose "features" has a row for each.
    """
    from .. import runs
    from ..features.inventory import Criteria

    _insist_on_sense(
        names,
        corpus,
        prune=prune,
        only={"--older-than": older_than is not None, "--outdated": outdated, "--dry-run": dry_run},
        device=device,
    )
    places = runs.find_places(data=data, cache=cache, datasets=datasets)
    if names:
        where = {"executor": executor, "address": address, "slurm": slurm}
        how = {"jobs": jobs, "device": device or "auto", "skip_bad": skip_bad, **where}
        return _extract(names, corpus, places, as_json=as_json, **how)
    if prune:
        criteria = Criteria(older_than, outdated)
        return _prune(places, criteria, dry_run=dry_run, as_json=as_json)
    known = runs.cached(places)
    if as_json:
        others = [asdict(one) for one in known.others]
        rows = [_row(one) for one in known.features]
        _print_json(known.folder, rows, size=known.size, others=others)
    else:
        _list(known)
    return 0


def _insist_on_sense(
    names: tuple[str, ...],
    corpus: tuple[str, ...],
    *,
    prune: bool,
    only: dict[str, bool],
    device: str | None,
) -> None:
    """Refuse options that do not go together."""
    if bool(names) != bool(corpus):
        found = "no --corpus" if names else "no front-end"
        raise SpecError(
            f"features: expected front-ends and --corpus to extract from, or neither to list the "
            f"cache, found {found}. Add it."
        )
    if names and prune:
        raise SpecError(
            "--prune: expected no front-ends beside it, found "
            f"{', '.join(names)}. Choose what goes by --older-than DAYS or --outdated."
        )
    if device is not None and not names:
        raise SpecError("--device: expected encoder:FOLDER to compute on it, found no front-end.")
    for option, is_given in only.items():
        if is_given and not prune:
            raise SpecError(f"{option}: expected --prune beside it, found none. Add --prune.")


def _extract(
    names: tuple[str, ...],
    corpus: tuple[str, ...],
    places: Places,
    *,
    as_json: bool,
    **how: Any,
) -> int:
    """Fill the cache."""
    from .. import runs
    from .progress import Progress

    with Progress() as progress:
        extracted = runs.extract_ahead(names, corpus, places, progress=progress.features, **how)
        rows = []
        for one in extracted:
            rows.append(_extracted_row(one))
            if not as_json:
                click.echo(str(one))
    if as_json:
        _print_json(places.cache, rows)
    return 0


def _prune(places: Places, criteria: Criteria, *, dry_run: bool, as_json: bool) -> int:
    """Remove what is to go, and say what."""
    from .. import runs

    pruned = []
    for one in runs.prune(places, criteria, dry_run=dry_run):
        pruned.append(one)
        if not as_json:
            _tell(one, dry_run=dry_run)
    freed = sum(one.holding.size for one in pruned if not one.kept)
    if as_json:
        _print_json(
            places.cache, [_pruned_row(one) for one in pruned], freed=freed, dry_run=dry_run
        )
    else:
        click.echo(f"{_size(freed)} {'would be freed' if dry_run else 'freed'} in {places.cache}")
    return 0


def _tell(one: Pruned, *, dry_run: bool) -> None:
    """Say what became of something that was to go."""
    told = f"{_called(one.holding)}, {_size(one.holding.size)}: {one.reason}"
    if one.kept:
        click.echo(f"kept: {told}; {one.kept}", err=True)
    else:
        click.echo(f"{'would remove' if dry_run else 'removed'}: {told}")


def _called(holding: Holding) -> str:
    """Return what a person calls a pack of features."""
    through = f" with {holding.condition}" if holding.condition else ""
    corpus = f" of {holding.corpus}" if holding.corpus else ""
    clips = "" if holding.clips is None else f", {count(holding.clips, 'clip')}"
    version = f" v{holding.version}" if holding.front_end else ""
    return f"{holding.title}{version}{through}{corpus}{clips}"


def _list(known: Cached) -> None:
    """Print what is cached as tables."""
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for title in ("features", "version", "condition", "made for", "clips", "refused", "size"):
        right = title in ("version", "clips", "refused", "size")
        table.add_column(title, justify="right" if right else "left")
    table.add_column("last used")
    table.add_column("of use today")
    for one in known.features:
        whole = one.kind == "features"
        table.add_row(
            reports.printable(one.title),
            reports.number(one.version),
            one.condition or "none" if whole else "",
            reports.printable(one.corpus),
            reports.number(one.clips),
            reports.number(one.refused),
            _size(one.size),
            _day(one.used),
            _use(one),
        )
    if known.features:
        reports.console().print(table)
        click.echo()
    others = [
        (_size(one.size), reports.printable(one.name), one.what or "not known")
        for one in known.others
    ]
    for line in reports.aligned(others):
        click.echo(line)
    made = sum(one.size for one in known.features)
    click.echo(f"{_size(known.size)} in {known.folder}, {_size(made)} of it features")


def _use(one: Holding) -> str:
    """Return whether a run would use something today."""
    if one.kind != "features":
        return one.kind
    if one.outdated:
        return f"no: {one.outdated}"
    return f"not here: made with other libraries ({one.libraries})" if one.libraries else "yes"


def _print_json(folder: Path, rows: list[dict[str, Any]], **more: Any) -> None:
    """Print a folder of caches with a row for each pack of features that is spoken of."""
    known = {"folder": str(folder), **more, "features": rows}
    click.echo(json.dumps(known, indent=1, ensure_ascii=False))


def _row(one: Holding) -> dict[str, Any]:
    return {**asdict(one), "folder": str(one.folder), "used": _instant(one.used)}


def _pruned_row(one: Pruned) -> dict[str, Any]:
    return {**_row(one.holding), "reason": one.reason, "kept": one.kept}


def _extracted_row(one: Extracted) -> dict[str, Any]:
    return {
        "front_end": one.spec.name,
        "params": dict(one.spec.params),
        "corpus": one.corpus,
        "clips": one.clips,
        "refused": len(one.refused),
        "reasons": dict(one.refused),
    }


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _day(instant: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(instant))


def _instant(instant: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant))
