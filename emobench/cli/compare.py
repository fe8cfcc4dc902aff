"""`emobench compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, stored

if TYPE_CHECKING:
    from ..analysis.comparison import Comparison
    from ..results.result import Result

_FEW = 20


@click.command()
@click.argument("first", metavar="MODEL_A")
@click.argument("second", metavar="MODEL_B")
@click.option("--corpus", required=True, metavar="NAME", help="Corpus that both were run on.")
@options.protocol
@options.results
@stored.partial
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@options.datasets
def compare(
    first: str,
    second: str,
    corpus: str,
    protocol: str,
    results: Path,
    partial: bool,
    as_json: bool,
    datasets: tuple[Path, ...],
) -> int:
    """Compare two models on the same speakers.

    The UAR of each speaker is paired: the mean difference is given with a bootstrap interval over
    speakers, a sign-flip permutation test and a sign test. A model may be written with the
    fingerprint of a result, MODEL/1a2b3c4d, to name one run under a condition or with files.
    """
    from ..analysis import comparison

    reading = stored.reading(datasets)
    known = reading["registry"].get(corpus)
    gathered = stored.gathered(results, protocol, partial=partial, **reading)
    pair = [comparison.pick(gathered, known.name, *stored.named(text)) for text in (first, second)]
    found = comparison.compare(pair[0].predictions, pair[1].predictions)
    if as_json:
        click.echo(json.dumps(_facts(found, pair), indent=1, ensure_ascii=False))
        return 0
    for line in _lines(found, pair, known.title, protocol):
        click.echo(line)
    return 0


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
    lines += [
        f"difference {100 * found.difference:+.1f} points of UAR a speaker, "
        f"95 % of bootstrap draws between {100 * found.low:+.1f} and {100 * found.high:+.1f}",
        f"the first is better for {found.better} speakers, worse for {found.worse}, "
        f"equal for {equal}",
        f"p = {found.p_permutation:.3g} (sign-flip permutation test), "
        f"p = {found.p_sign:.3g} (sign test); not corrected for other comparisons",
    ]
    if found.left_out:
        lines.append(f"left out: {found.left_out} clips that only one of them was tested on")
    if len(found.speakers) < _FEW:
        lines.append("with so few speakers the interval is rather too short")
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
        "interval": [round(100 * found.low, 4), round(100 * found.high, 4)],
        "better": found.better,
        "worse": found.worse,
        "p_permutation": found.p_permutation,
        "p_sign": found.p_sign,
        "clips": found.clips,
        "left_out": found.left_out,
    }
