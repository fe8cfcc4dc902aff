"""Writing a corpus, and what is on file of models on it, as a database in audformat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import stored

if TYPE_CHECKING:
    from ..corpora import Corpus
    from ..corpora.exporting import Predictions


def write(
    corpus: Corpus,
    columns: Mapping[str, Sequence[Any]],
    folder: Path,
    models: Sequence[str],
    asked: Mapping[str, Any],
) -> None:
    """Write a database, and say what it holds and where the sound is from there.

    Args:
        corpus: that is written
        columns: what is known of its clips
        folder: of the database
        models: whose stored predictions are written, as a user names them
        asked: where those are: `results`, `protocol`, `partial` and `datasets`
    """
    from ..corpora.exporting import insist_on_room, write_audformat

    insist_on_room(folder)  # before results are read, which may take a while
    predictions = _predictions(corpus, columns, models, asked) if models else []
    header, below = write_audformat(corpus, columns, folder, predictions)
    where = "relative to it" if below else "absolute, as the sound lies elsewhere"
    click.echo(f"{header}: {len(columns['id']):,} clips; paths are {where}")
    for each in predictions:
        click.echo(f"  {each.table}: what is predicted of {len(each.clips):,} of them")


def _predictions(
    corpus: Corpus,
    columns: Mapping[str, Sequence[Any]],
    models: Sequence[str],
    asked: Mapping[str, Any],
) -> list[Predictions]:
    """Return the tables of what is on file of the models."""
    from ..analysis.comparison import pick
    from ..results import databases

    gathered = stored.gathered(
        asked["results"],
        asked["protocol"],
        partial=asked["partial"],
        more=("fold", *databases.probabilities(corpus.labels)),
        **stored.reading(asked["datasets"]),
    )
    places = zip(columns["path"], columns["start"], columns["end"], strict=True)
    clips = dict(zip(columns["id"], places, strict=True))
    found = []
    for name in models:
        result = pick(gathered, corpus.name, *stored.named(name))
        if missing := databases.left_out(result, clips):
            click.echo(f"{name}: left out {missing:,} clips that are not on disk", err=True)
        found += databases.tables(result, clips)
    return found
