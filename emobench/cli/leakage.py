"""`emobench leakage`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..run_options import Selection
from . import options, stored, watching

if TYPE_CHECKING:
    from ..leaderboard.price_list import PriceList

_FIXED = (
    *("model", "corpus", "protocol", "folds", "repetitions", "epochs"),
    *("test_corpus", "condition", "sides", "control"),
    *("transcripts", "vectors", "encoder"),
)
"""Options of a run that a price list leaves no choice of, or asks for in its own way."""
_FORMATS = {"table": "text", "markdown": "markdown", "json": "json"}


@click.command()
@options.names("model", "Models to price it for.", required=False)
@options.names("corpus", "Corpora to price it on.", required=False)
@click.option("--stored", "only_stored", is_flag=True, help="Run nothing: show what is on disk.")
@options.of(Selection, without=_FIXED)
@stored.written_as(*_FORMATS)
@stored.out
@stored.readme
def leakage(
    model: tuple[str, ...],
    corpus: tuple[str, ...],
    only_stored: bool,
    format_: str,
    out: Path | None,
    readme: Path | None,
    **asked: Any,
) -> int:
    """Show what each leaky practice adds to a result.

    One model on one corpus with the same seed, evaluated as it should be and with one flaw each:
    on random clips whoever speaks, tuned on the test clips, its epoch chosen by them, its class
    weights or its standardisation from all clips, copies of test clips in training. What is missing
    is run first, as experiments of protocols of their own, which no other table shows.
    """
    if not only_stored and not (model and corpus):
        raise click.UsageError(
            "expected --model and --corpus to run what is missing, or --stored to show what is "
            "on disk."
        )
    from ..leaderboard import price_tables

    status = 0 if only_stored else _run(Selection(model, corpus, **asked))
    lists = _lists(asked, model, corpus)
    text = getattr(price_tables, f"to_{_FORMATS[format_]}")(lists)
    if out is None:
        click.echo(text, nl=False)
    else:
        stored.write(out, text, "--out")
    if readme is not None:
        stored.embed(readme, price_tables.to_markdown(lists), "leakage")
    return status


cheating = copy.copy(leakage)
cheating.hidden = True
"""The same under its plain name."""


def _run(selection: Selection) -> int:
    """Run what is missing; return the exit status."""
    from .. import runs

    places = runs.find_places(**selection.places)
    plans = list(runs.variants_of(selection, places))
    with watching.observed(plans, places) as observer:
        summary = runs.run_variants(selection, places, observer)
    watching.say_what_is_left_out(summary.left_out)
    return watching.conclude(summary, places.results)


def _lists(
    asked: Mapping[str, Any], wanted: Sequence[str], corpora: Sequence[str]
) -> list[PriceList]:
    """Return the price lists of what is on disk, for the models and corpora that were named."""
    from .. import leaderboard, models

    reading = stored.reading(asked["datasets"])
    return leaderboard.build_price_lists(
        asked["results"],
        chosen={models.get(name).name for name in wanted if name.lower() != "all"},
        corpora={reading["registry"].get(name).name for name in corpora if name.lower() != "all"},
        **reading,
    )
