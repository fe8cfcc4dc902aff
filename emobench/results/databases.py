"""Stored predictions as tables of a database in audformat."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..corpora.exporting import Predictions
from .result import Result

Clip = tuple[str, float | None, float | None]
"""File of a clip, and where it begins and ends there in seconds."""


def probabilities(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of predictions that `tables` needs beside those of every figure."""
    return tuple(f"p_{label}" for label in labels)


def tables(result: Result, clips: Mapping[str, Clip]) -> list[Predictions]:
    """Return a table for each repetition of a result; clips that are not there are left out.

    Args:
        result: with the columns of `probabilities`
        clips: of the corpus, by id
    """
    found = result.predictions
    known = found[found["id"].astype(str).isin(list(clips))]
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", result.column.name)
    told = f"{result.column.name}, protocol {result.stored.experiment['protocol']}"
    return [
        Predictions(
            table=f"{name}.{repetition}",
            model=f"{told}, repetition {repetition}, fingerprint {result.fingerprint[:8]}: each "
            "clip by the model of the fold that did not train on it",
            labels=result.labels,
            clips=[clips[clip] for clip in own["id"].astype(str)],
            predicted=list(own["predicted"].astype(str)),
            probabilities={label: own[f"p_{label}"].to_list() for label in result.labels},
            more={"fold": list(own["fold"].astype(str))},
        )
        for repetition, own in known.groupby("repetition", sort=True)
    ]


def left_out(result: Result, clips: Mapping[str, Clip]) -> int:
    """Return how many clips of a result are not among some."""
    return len(set(result.predictions["id"].astype(str)) - set(clips))
