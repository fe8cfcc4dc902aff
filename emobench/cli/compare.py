"""`emobench compare`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, stored

if TYPE_CHECKING:
    from ..analysis.comparison import Comparison
    from ..corpora import Registry
    from ..results.gathering import Gathered
    from ..results.result import Result


@click.command()
@click.argument("names", nargs=-1, metavar="[MODEL_A MODEL_B]")
@click.option("--all", "every", is_flag=True, help="Compare all models, each with each.")
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    callback=options.words,
    metavar="NAME[,…]",
    help="Corpus that both were run on; with --all, several. [default with --all: all]",
)
@options.protocol
@options.results
@stored.partial
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print one line a pair as CSV, with --all.")
@options.datasets
def compare(
    names: tuple[str, ...],
    every: bool,
    corpora: tuple[str, ...],
    protocol: str,
    results: Path,
    partial: bool,
    as_json: bool,
    as_csv: bool,
    datasets: tuple[Path, ...],
) -> int:
    """Compare two models on the same speakers, or with --all every model with every other.

    The UAR of each speaker is paired: the mean difference is given with its 95 % interval over
    speakers and the p of a paired t-test, beside those of a sign-flip permutation test and a sign
    test. A model may be written with the fingerprint of a result, MODEL/1a2b3c4d, to name one run
    under a condition or with files.

    With --all, p is corrected by Holm's method for the pairs of a corpus, models may be named to
    leave others out, and over five corpora or more mean ranks are given with Friedman's and
    Nemenyi's tests.
    """
    from ..analysis import comparison

    _check(names, every, corpora, as_json, as_csv)
    reading = stored.reading(datasets)
    known = [reading["registry"].get(corpus) for corpus in corpora]
    gathered = stored.gathered(results, protocol, partial=partial, **reading)
    if every:
        wanted = [corpus.name for corpus in known]
        text = _all(gathered, names, wanted, protocol, reading["registry"], as_json, as_csv)
        click.echo(text, nl=False)
        return 0
    (corpus,) = known
    pair = [comparison.pick(gathered, corpus.name, *stored.named(text)) for text in names]
    found = comparison.compare(*pair)
    if as_json:
        click.echo(json.dumps(_facts(found, pair), indent=1, ensure_ascii=False))
        return 0
    for line in _lines(found, pair, corpus.title, protocol):
        click.echo(line)
    return 0


def _check(
    names: Sequence[str], every: bool, corpora: Sequence[str], as_json: bool, as_csv: bool
) -> None:
    if not every and (len(names), len(corpora)) != (2, 1):
        raise click.UsageError(
            f"expected two models and one --corpus, found {len(names)} and {len(corpora)}. "
            "Name them, or compare all models with --all."
        )
    if as_csv and (as_json or not every):
        raise click.UsageError(
            "expected --csv with --all and without --json. Leave out one of them."
        )


def _all(
    gathered: Gathered,
    names: Sequence[str],
    corpora: Sequence[str],
    protocol: str,
    registry: Registry,
    as_json: bool,
    as_csv: bool,
) -> str:
    from .. import models
    from ..analysis import pairwise, ranks
    from ..leaderboard import pairs
    from ..results.lookup import Lookup

    lookup = Lookup(registry)
    wanted = [models.get(name).name for name in names]
    held = pairwise.by_corpus(gathered, lookup, corpora, wanted)
    matrices = [pairwise.matrix(name, lookup.title(name), own) for name, own in held.items()]
    if as_csv:
        return pairs.to_csv(protocol, matrices)
    table = ranks.score_table(held)
    ranking = None if table.lacking else ranks.ranking(table)
    write = pairs.to_json if as_json else pairs.to_text
    return write(protocol, matrices, table, ranking)


def _lines(found: Comparison, pair: list[Result], title: str, protocol: str) -> list[str]:
    lines = [f"{title}, protocol {protocol}, {found.clips} clips of {len(found.speakers)} speakers"]
    width = max(len(one.name) for one in pair)
    for one, uars in zip(pair, (found.first, found.second), strict=True):
        done = "" if one.complete else f"; incomplete: {one.done} of {one.wanted} folds"
        lines.append(
            f"  {one.name:<{width}}  UAR {100 * one.scores['uar']:.1f}, "
            f"mean over speakers {100 * sum(uars) / len(uars):.1f}{done}"
        )
    equal = len(found.speakers) - found.better - found.worse
    low, high = found.interval
    lines += [
        f"difference {100 * found.difference:+.1f} points of UAR a speaker, "
        f"95 % interval over speakers [{100 * low:+.1f}, {100 * high:+.1f}]",
        f"the first is better for {found.better} speakers, worse for {found.worse}, "
        f"equal for {equal}",
        f"p = {found.p:.3g} (paired t-test), p = {found.p_permutation:.3g} (sign-flip permutation "
        f"test), p = {found.p_sign:.3g} (sign test); not corrected for other comparisons",
    ]
    if found.left_out:
        lines.append(f"left out: {found.left_out} clips that only one of them was tested on")
    return lines


def _facts(found: Comparison, pair: list[Result]) -> dict[str, Any]:
    """Return everything as JSON, UAR in percent."""
    return {
        "unit": "percent",
        "results": [
            {
                "model": one.column.name,
                "condition": one.condition or None,
                "fingerprint": one.fingerprint,
                "complete": one.complete,
                "uar_by_speaker": {
                    name: round(100 * value, 4)
                    for name, value in zip(found.speakers, uars, strict=True)
                },
            }
            for one, uars in zip(pair, (found.first, found.second), strict=True)
        ],
        "difference": round(100 * found.difference, 4),
        "interval": [round(100 * end, 4) for end in found.interval],
        "better": found.better,
        "worse": found.worse,
        "p": found.p,
        "p_permutation": found.p_permutation,
        "p_sign": found.p_sign,
        "clips": found.clips,
        "left_out": found.left_out,
    }
