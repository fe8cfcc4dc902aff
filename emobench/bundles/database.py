"""Answers as a database in audformat, which is written once every clip was labelled.

Until then they are in a file beside it, so that a labelling that was stopped can go on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..corpora import exporting
from ..corpora.exporting import Predictions
from .answers import Told
from .contents import Contents
from .wanted import Key, Wanted

KEPT = "answers.csv"
"""File in the folder of the database that answers are kept in until all are there."""

TABLE = "predictions"


def insist_on_room(folder: Path, clips: Sequence[Wanted]) -> None:
    """Check, before anything is labelled, that answers can be written as a database.

    Raises:
        SpecError: if there is a database already, audformat is not installed, or a name of a file
            is not text
    """
    exporting.insist_on_room(folder)
    exporting.insist_on_text(str(clip.path) for clip in clips)


def write(
    folder: Path,
    contents: Contents,
    signature: str,
    clips: Sequence[Wanted],
    answers: Mapping[Key, Told],
) -> Path:
    """Write what is known of clips as a database; return its header.

    Args:
        folder: where to write
        contents: of the bundle that answered
        signature: model and digest of the bundle
        clips: files, or parts of them, that have an answer; a file that goes by several names is
            written once
        answers: by clip

    Raises:
        SpecError: if the database cannot be written
    """
    told: dict[tuple[str, float, float | None], tuple[Wanted, Told]] = {}
    for clip in clips:
        place = os.path.realpath(clip.path), clip.start or 0.0, clip.end
        told.setdefault(place, (clip, answers[clip.key]))
    rows = list(told.values())
    found = Predictions(
        table=TABLE,
        model=signature,
        labels=contents.labels,
        clips=[(str(clip.path), clip.start, clip.end) for clip, _ in rows],
        predicted=[answer.predicted for _, answer in rows],
        probabilities={
            label: [answer.probabilities[label] for _, answer in rows] for label in contents.labels
        },
        more={"speaker": [answer.speaker for _, answer in rows]},
    )
    trained = " and ".join(corpus["title"] for corpus in contents.training["corpora"])
    said = f"What emobench predicts with {signature}, trained on {trained}; no listener's labels."
    return exporting.write_predictions("predictions", said, found, folder)
