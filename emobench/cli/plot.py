"""`emobench plot`: pictures of stored results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, stored
from .attention import Asked, draw, which_repetition
from .bitrates import draw_curves, read_curves

if TYPE_CHECKING:
    from ..analysis.speaker_scores import SpeakerScore
    from ..corpora import Corpus
    from ..pictures import Tested
    from ..pictures.drawing import Drawing
    from ..results.gathering import Gathered
    from ..results.lookup import Lookup
    from ..results.result import Result

_WIDE, _NARROW = 620, 360
"""Pixels of a picture of speakers: alone, and beside others."""


def _figure(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    """Refuse a name that tells no kind of figure, before anything is read."""
    from .. import pictures

    pictures.check(value)
    return value


out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    callback=_figure,
    metavar="FILE",
    help="Figure to write: .svg, .pdf or .png.",
)
model = click.option(
    "--model",
    required=True,
    metavar="NAME",
    help="Whose result; NAME/1a2b3c4d is the one of this fingerprint.",
)
several = click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    callback=options.words,
    metavar="NAME[,…]",
    help="Whose results, a panel each.",
)
corpus = click.option("--corpus", required=True, metavar="NAME", help="Corpus of the result.")


def _of_results(command: Callable) -> Callable:
    """Give a command the options of all that draw stored results."""
    for option in (out, options.datasets, stored.partial, options.results, options.protocol):
        command = option(command)
    return command


@click.group()
def plot() -> None:
    """Draw stored results as SVG, PDF or PNG, the same file whenever it is made again."""


@plot.command()
@model
@corpus
@_of_results
def confusion(model: str, corpus: str, out: Path, **asked: Any) -> None:
    """Draw which class was taken for which: shares of each true class, and counts."""
    import numpy as np

    from .. import pictures

    gathered, known = _gathered(corpus, asked)
    one = _picked(gathered, known, model)
    title = f"{_title(known, one, asked['protocol'])}\nUAR {100 * one.scores['uar']:.1f} %"
    several = one.scores["repetitions"]
    told = "percent of the row, and clips"
    note = f"{told} over {several} repetitions" if several > 1 else told
    drawn = pictures.confusion(np.array(one.scores["confusion"]), one.labels, title)
    pictures.save(pictures.framed(drawn, note=note), out)


@plot.command()
@several
@corpus
@_of_results
def speakers(models: tuple[str, ...], corpus: str, out: Path, **asked: Any) -> None:
    """Draw the UAR of each speaker as a dot, sex marked, with the mean and its interval."""
    from .. import pictures
    from ..analysis import speaker_scores

    gathered, known = _gathered(corpus, asked)
    results = [_picked(gathered, known, name) for name in models]
    scores = [speaker_scores.by_speaker(one.predictions) for one in results]
    order = pictures.ranked(scores[0])
    order += sorted({one.name for own in scores for one in own} - set(order))
    panels = [
        _panel(one, own, order, _WIDE if len(results) == 1 else _NARROW)
        for one, own in zip(results, scores, strict=True)
    ]
    ordered = f", in the order of {panels[0].title}" if len(panels) > 1 else ""
    title = f"UAR by speaker, {known.title}, protocol {asked['protocol']}{ordered}"
    pictures.save(pictures.framed(pictures.beside(title, panels, in_a_row=len(panels))), out)


@plot.command()
@model
@corpus
@_of_results
def curves(model: str, corpus: str, out: Path, **asked: Any) -> None:
    """Draw the losses of a network while it was trained, a panel a fold."""
    from .. import pictures
    from ..analysis.learning_curves import learning_curves

    gathered, known = _gathered(corpus, asked)
    one = _picked(gathered, known, model)
    title = _title(known, one, asked["protocol"])
    drawn = pictures.curves(learning_curves(one.stored), title)
    pictures.save(pictures.framed(drawn, note="across: epochs; up: loss"), out)


@plot.command()
@model
@_of_results
def across(model: str, out: Path, **asked: Any) -> None:
    """Draw the UAR on each corpus after training on each other one, as a heat map.

    `emobench run --corpus all --test-corpus all` makes the results.
    """
    from .. import pictures
    from ..errors import StoreError
    from ..results.lookup import Lookup

    protocol, results = asked["protocol"], asked["results"]
    reading = stored.reading(asked["datasets"])
    lookup = Lookup(reading["registry"])
    gathered = stored.gathered(results, protocol, partial=asked["partial"], **reading)
    configured, fingerprint = stored.named(model)
    found = [
        one
        for one in gathered.across
        if one.model == configured and one.fingerprint.startswith(fingerprint)
        if not one.condition and not one.column.files
    ]
    if not found:
        raise StoreError(
            f"{results}: expected results of {configured} across corpora under {protocol}, found "
            f"none. Make some: `emobench run --model {configured} --corpus A --test-corpus B`."
        )
    found.sort(key=lambda one: (lookup.position(one.trained_on), lookup.position(one.tested_on)))
    title = f"{configured} across corpora, protocol {protocol}: UAR in percent"
    drawn = pictures.across([_tested(one, lookup) for one in found], title)
    note = "the darker, the nearer to 100 on the way from chance"
    pictures.save(pictures.framed(drawn, note=note), out)


@plot.command()
@corpus
@stored.models
@_of_results
def speed(models: tuple[str, ...], corpus: str, out: Path, **asked: Any) -> None:
    """Draw UAR against clips a second, on a corpus."""
    from .. import models as zoo
    from .. import pictures
    from ..analysis.speed import speeds
    from ..errors import StoreError

    gathered, known = _gathered(corpus, asked)
    wanted = {zoo.get(name).name for name in models}
    shown = [
        one
        for one in gathered.shown
        if one.corpus == known.name and (not wanted or one.model in wanted)
    ]
    found = speeds(shown)
    if not found:
        raise StoreError(
            f"{asked['results']}: expected results on {known.name} under {asked['protocol']} with "
            "their times, found none. Add --partial for incomplete ones, or run some."
        )
    title = f"UAR and speed, {known.title}, protocol {asked['protocol']}"
    drawn = pictures.speed(found, 1 / len(shown[0].labels), title)
    pictures.save(pictures.framed(drawn), out)


@plot.command()
@stored.corpora
@stored.models
@_of_results
def ranks(corpora: tuple[str, ...], models: tuple[str, ...], out: Path, **asked: Any) -> None:
    """Draw mean ranks of models over corpora, joined where they are not told apart.

    It takes five corpora or more on which the same three models or more have comparable results.
    """
    from .. import models as zoo
    from .. import pictures
    from ..analysis import pairwise
    from ..analysis.ranks import ranking, score_table
    from ..errors import StoreError
    from ..results.lookup import Lookup

    protocol, results = asked["protocol"], asked["results"]
    reading = stored.reading(asked["datasets"])
    registry = reading["registry"]
    gathered = stored.gathered(results, protocol, partial=asked["partial"], **reading)
    known = [registry.get(name).name for name in corpora]
    wanted = [zoo.get(name).name for name in models]
    table = score_table(pairwise.by_corpus(gathered, Lookup(registry), known, wanted))
    if table.lacking:
        raise StoreError(f"{results}: {table.lacking}. Run more of them under {protocol}.")
    found = ranking(table)
    title = (
        f"Mean ranks over {len(table.corpora)} corpora, protocol {protocol}\n"
        f"Friedman's test: p = {found.p:.2g}"
    )
    pictures.save(pictures.framed(pictures.ranks(found, title)), out)


@plot.command()
@stored.corpora
@stored.models
@_of_results
def bitrates(corpora: tuple[str, ...], models: tuple[str, ...], out: Path, **asked: Any) -> None:
    """Draw UAR against MP3 bitrate.

    A line is a model, solid where test clips went through MP3; the band is its interval over
    speakers. `emobench run --condition mp3:all` makes the results.
    """
    draw_curves(read_curves(corpora=corpora, models=models, **asked), out)


@plot.command()
@click.argument("clip")
@click.option("--model", required=True, metavar="NAME", help="A network that attends over time.")
@corpus
@options.protocol
@options.data
@options.results
@options.cache
@options.datasets
@which_repetition
@out
def attention(clip: str, repetition: int, out: Path, **asked: Any) -> None:
    """Draw what a network attends to in test clip CLIP, below its waveform."""
    draw(Asked(**asked), clip, repetition, out)


def _gathered(corpus: str, asked: dict[str, Any]) -> tuple[Gathered, Corpus]:
    """Return the results of a protocol, and the corpus that a user means."""
    from ..analysis import speaker_scores

    reading = stored.reading(asked["datasets"])
    known = reading["registry"].get(corpus)
    found = stored.gathered(
        asked["results"],
        asked["protocol"],
        partial=asked["partial"],
        more=speaker_scores.COLUMNS,
        **reading,
    )
    return found, known


def _picked(gathered: Gathered, known: Corpus, text: str) -> Result:
    from ..analysis.comparison import pick

    return pick(gathered, known.name, *stored.named(text))


def _title(known: Corpus, one: Result, protocol: str) -> str:
    heard_through = f" with {one.condition} on {one.sides}" if one.condition else ""
    title = f"{known.title}, {one.column.name}{heard_through}, protocol {protocol}"
    return title + _unfinished(one)


def _unfinished(one: Result) -> str:
    return "" if one.complete else f" ({one.done} of {one.wanted} folds)"


def _panel(
    one: Result, scores: Sequence[SpeakerScore], order: Sequence[str], width: float
) -> Drawing:
    """Return the speakers of a result as a picture."""
    from .. import pictures
    from ..analysis import intervals

    held = intervals.over_speakers([score.uar for score in scores])
    chance = 1 / len(one.labels)
    title = one.column.name + _unfinished(one)
    return pictures.speakers(scores, held, chance, title, order=order, width=width)


def _tested(one: Result, lookup: Lookup) -> Tested:
    from .. import pictures
    from ..analysis import intervals

    held = intervals.of_result(one)
    return pictures.Tested(
        lookup.title(one.trained_on),
        lookup.title(one.tested_on),
        one.scores["uar"],
        1 / len(one.labels),
        (held.low, held.high) if held else None,
    )
