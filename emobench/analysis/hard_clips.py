"""Clips that most models get wrong: hard ones, or ones whose label may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..results.result import Result

MOST = 0.5
"""A clip is hard if more than this share of the models is wrong about it."""


@dataclass(frozen=True)
class HardClip:
    """A clip that most models get wrong.

    Attributes:
        clip: its id
        label: the true one
        taken_for: the wrong label that models chose most often; of several the first by name
        wrong: how many models get it wrong, in most of their repetitions
        models: how many were tested on it
        speaker: who speaks, or "" where that is unknown
    """

    clip: str
    label: str
    taken_for: str
    wrong: int
    models: int
    speaker: str

    @property
    def share(self) -> float:
        """Return the share of models that get it wrong."""
        return self.wrong / self.models


def hard_clips(results: Sequence[Result]) -> tuple[HardClip, ...]:
    """Return the clips that most models get wrong, those first that most do.

    A model is wrong about a clip if most of its repetitions are, or half of them.

    Args:
        results: of one corpus, each of another model; those that lack a clip do not count for it
    """
    truth: dict[str, tuple[str, str]] = {}
    wrong: Counter[str] = Counter()
    models: Counter[str] = Counter()
    taken: dict[str, Counter[str]] = {}
    for result in results:
        table = result.predictions
        if table.empty:
            continue
        ids, labels = table["id"].astype(str), table["label"].astype(str)
        predicted = table["predicted"].astype(str)
        shares = (labels != predicted).groupby(ids).mean()
        models.update(shares.index)
        wrong.update(shares.index[shares.to_numpy() >= MOST])
        speakers = table["speaker"].fillna("").astype(str)
        truth.update(zip(ids, zip(labels, speakers, strict=True), strict=True))
        missed = (labels != predicted).to_numpy()
        for clip, label in zip(ids[missed], predicted[missed], strict=True):
            taken.setdefault(clip, Counter())[label] += 1
    found = [
        HardClip(
            clip=clip,
            label=truth[clip][0],
            taken_for=min(taken[clip], key=lambda label: (-taken[clip][label], label)),
            wrong=wrong[clip],
            models=models[clip],
            speaker=truth[clip][1],
        )
        for clip in wrong
        if wrong[clip] > MOST * models[clip]
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, -one.models, one.clip)))


def said_of(result: Result, clip: str) -> str:
    """Return what a model took a clip for, the most frequent first, or "" where it lacks it."""
    table = result.predictions
    own = table["predicted"][(table["id"] == clip).to_numpy()].astype(str)
    names, counts = np.unique(own, return_counts=True)
    return ", ".join(names[np.lexsort((names, -counts))])
