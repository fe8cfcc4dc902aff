"""Two models on the same speakers: is one better, or were these speakers kind to it?

The unit is the speaker: each gives one difference of UAR. Nothing is corrected for how many pairs
of models are looked at, and another corpus may say something else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import StoreError
from ..results.gathering import Gathered
from ..results.result import Result
from . import speakers

if TYPE_CHECKING:
    import pandas as pd

_DRAWS = 10_000
_FLIPS = 100_000
_EXACT_UP_TO = 16
_SEED = 0
_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Comparison:
    """How two models differ on the speakers that both were tested on.

    Attributes:
        speakers: who they are
        first: UAR of each with the first model, mean over repetitions, between 0 and 1
        second: the same with the second model
        difference: mean over speakers of first minus second
        low: lower end of the 95 % percentile bootstrap interval of the difference
        high: upper end
        p_permutation: of the sign-flip permutation test of the difference, two-sided
        p_sign: of the sign test over speakers that differ, two-sided
        clips: on how many clips
        left_out: clips that only one of the models was tested on
    """

    speakers: tuple[str, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]
    difference: float
    low: float
    high: float
    p_permutation: float
    p_sign: float
    clips: int
    left_out: int

    @property
    def differences(self) -> np.ndarray:
        """Return first minus second of each speaker."""
        return np.subtract(self.first, self.second)

    @property
    def better(self) -> int:
        """Return for how many speakers the first model is better."""
        return int((self.differences > _TOLERANCE).sum())

    @property
    def worse(self) -> int:
        """Return for how many speakers the first model is worse."""
        return int((self.differences < -_TOLERANCE).sum())


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Comparison:
    """Compare the predictions of two models, speaker by speaker.

    Args:
        first: columns `fold`, `repetition` and `results.gathering.COLUMNS`
        second: the same of the other model

    Raises:
        StoreError: if they have fewer than two speakers in common, or disagree about a label
    """
    common = _common(first, second)
    one, other = (table[table["id"].isin(common)] for table in (first, second))
    ours, theirs = speakers.by_speaker(one), speakers.by_speaker(other)
    who = sorted(set(ours) & set(theirs))
    if len(who) < 2:
        raise StoreError(
            f"compare: expected two speakers or more that both were tested on, found {len(who)}. "
            "Run more folds of both."
        )
    differences = np.array([ours[name] - theirs[name] for name in who])
    low, high = interval(differences)
    return Comparison(
        speakers=tuple(who),
        first=tuple(ours[name] for name in who),
        second=tuple(theirs[name] for name in who),
        difference=float(differences.mean()),
        low=low,
        high=high,
        p_permutation=sign_flips(differences),
        p_sign=sign_test(differences),
        clips=len(common),
        left_out=len({*first["id"], *second["id"]} - common),
    )


def pick(gathered: Gathered, corpus: str, model: str, fingerprint: str = "") -> Result:
    """Return the stored result that a user means.

    Args:
        gathered: results of a protocol
        corpus: canonical name
        model: canonical name
        fingerprint: how the result's fingerprint begins; without it, the result on sound as it is
            and without files, as the leaderboard shows it

    Raises:
        StoreError: if there is no such result, or several
    """
    every = [
        one
        for one in (*gathered.shown, *gathered.others)
        if (one.corpus, one.model) == (corpus, model) and one.done
    ]
    if fingerprint:
        found = [one for one in every if one.stored.folder.name.startswith(fingerprint[:8])]
    else:
        found = [one for one in gathered.shown if one in every and not one.condition]
        found = [one for one in found if not one.column.files]
    if len(found) == 1:
        return found[0]
    asked = f"{model}/{fingerprint}" if fingerprint else model
    known = [f"{one.name} ({one.done} of {one.wanted} folds)" for one in every]
    there = f"found {'several' if found else 'none'}" + (
        f", but {'; '.join(known)}" if known else ""
    )
    advice = (
        f"Add --partial for an incomplete one, or name one as {model}/<fingerprint>."
        if known
        else f"Run `emobench run --model {model} --corpus {corpus}` with this protocol first."
    )
    raise StoreError(f"{asked} on {corpus}: expected a complete result, {there}. {advice}")


def interval(differences: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a mean."""
    values = np.asarray(differences)
    drawn = np.random.default_rng(_SEED).integers(len(values), size=(_DRAWS, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def sign_flips(differences: Sequence[float] | np.ndarray) -> float:
    """Return how often a mean is as far from 0 as this one when each sign is left to chance.

    All combinations of signs are tried up to 16 speakers; beyond, a hundred thousand random ones
    and the one that was observed.
    """
    values = np.asarray(differences)
    if len(values) <= _EXACT_UP_TO:
        bits = np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1
        signs = 2 * bits - 1
    else:
        generator = np.random.default_rng(_SEED)
        signs = 2 * generator.integers(2, size=(_FLIPS, len(values)), dtype=np.int8) - 1
        signs = np.vstack([signs, np.ones(len(values), np.int8)])
    return float(np.mean(abs(signs @ values) >= abs(values.sum()) - _TOLERANCE))


def sign_test(differences: Sequence[float] | np.ndarray) -> float:
    """Return how likely so uneven a split into better and worse is when either is as likely."""
    values = np.asarray(differences)
    better, worse = int((values > _TOLERANCE).sum()), int((values < -_TOLERANCE).sum())
    tosses = better + worse
    tail = sum(math.comb(tosses, count) for count in range(min(better, worse) + 1))
    return min(1.0, 2 * tail / 2**tosses)


def _common(first: pd.DataFrame, second: pd.DataFrame) -> set[str]:
    """Return the clips that both were tested on, and make sure that they mean the same by them."""
    truths = [
        dict(zip(table["id"].astype(str), table["label"].astype(str), strict=True))
        for table in (first, second)
    ]
    common = set(truths[0]) & set(truths[1])
    differing = sorted(clip for clip in common if truths[0][clip] != truths[1][clip])
    if differing:
        raise StoreError(
            f"compare: expected the same labels, found {len(differing)} clips with others, such as "
            f"{differing[0]}. Run both models on the corpus as it is labelled now."
        )
    return common
