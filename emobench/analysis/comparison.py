"""Two results on the same speakers: is one better, or were these speakers kind to it?

The unit is the speaker: each gives one difference. Another corpus may say something else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import StoreError
from ..metric_table import UAR, Metric
from ..results import speakers
from ..results.gathering import Gathered
from ..results.result import Result
from . import paired_tests
from .intervals import FEWEST, mean_interval

_BOUNDS = (-1.0, 1.0)
"""Of a difference between two shares."""


@dataclass(frozen=True)
class Comparison:
    """How two results differ on the speakers that both were tested on.

    Attributes:
        speakers: who they are
        first: score of each in the first result, mean over repetitions, between 0 and 1
        second: the same in the second result
        clips: on how many clips
        left_out: clips that only one of the results was tested on
    """

    speakers: tuple[str, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]
    clips: int
    left_out: int

    @property
    def differences(self) -> np.ndarray:
        """Return first minus second of each speaker."""
        return np.subtract(self.first, self.second)

    @property
    def difference(self) -> float:
        """Return the mean over speakers of first minus second."""
        return float(self.differences.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the difference over speakers."""
        return mean_interval(self.differences, bounds=_BOUNDS)

    @property
    def p(self) -> float:
        """Return the p of the paired t-test, two-sided."""
        return paired_tests.t_test(self.differences)

    @property
    def p_permutation(self) -> float:
        """Return the p of the sign-flip permutation test of the difference, two-sided."""
        return paired_tests.sign_flips(self.differences)

    @property
    def p_sign(self) -> float:
        """Return the p of the sign test over speakers that differ, two-sided."""
        return paired_tests.sign_test(self.differences)

    @property
    def better(self) -> int:
        """Return for how many speakers the first result is better."""
        return paired_tests.better(self.differences)

    @property
    def worse(self) -> int:
        """Return for how many speakers the first result is worse."""
        return paired_tests.better(-self.differences)


def compare(first: Result, second: Result, metric: Metric = UAR) -> Comparison:
    """Compare two results, speaker by speaker, on the clips that both were tested on.

    Args:
        first: one result
        second: another one on the same corpus
        metric: what each speaker's clips are scored by

    Raises:
        StoreError: if they have fewer than two speakers in common, or disagree about a label
    """
    common, every = _clips(first, second)
    ours, theirs = (_by_speaker(one, common, metric) for one in (first, second))
    who = sorted(set(ours) & set(theirs))
    if len(who) < 2:
        raise StoreError(
            f"compare: expected two speakers or more that both were tested on, found {len(who)}. "
            "Run more folds of both."
        )
    return Comparison(
        speakers=tuple(who),
        first=tuple(ours[name] for name in who),
        second=tuple(theirs[name] for name in who),
        clips=len(common),
        left_out=len(every) - len(common),
    )


def told_by_speakers(first: Result, second: Result, metric: Metric = UAR) -> Comparison | None:
    """Return the comparison of two results, or None where there are too few speakers for one."""
    try:
        found = compare(first, second, metric)
    except StoreError:
        return None
    return found if len(found.speakers) >= FEWEST else None


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
    shown = (*gathered.shown, *gathered.across)
    every = [
        one
        for one in (*shown, *gathered.others)
        if (one.corpus, one.model) == (corpus, model) and one.done
    ]
    if fingerprint:
        found = [one for one in every if one.stored.folder.name.startswith(fingerprint[:8])]
    else:
        found = [one for one in shown if one in every and not one.condition]
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


def _by_speaker(result: Result, clips: set[str], metric: Metric) -> dict[str, float]:
    """Return a score of each speaker over some of the clips."""
    if len(clips) == len(result.truth):
        return result.by_speaker(metric)
    table = result.predictions
    kept = table[table["id"].astype(str).isin(clips)]
    return speakers.scores(speakers.confusions(kept, result.labels), metric.score)


def _clips(first: Result, second: Result) -> tuple[set[str], set[str]]:
    """Return the clips that both were tested on, and those of either.

    Raises:
        StoreError: if they do not mean the same by them
    """
    ours, theirs = first.truth, second.truth
    common = set(ours) & set(theirs)
    differing = sorted(clip for clip in common if ours[clip] != theirs[clip])
    if differing:
        raise StoreError(
            f"compare: expected the same labels, found {len(differing)} clips with others, such as "
            f"{differing[0]}. Run both models on the corpus as it is labelled now."
        )
    return common, set(ours) | set(theirs)
