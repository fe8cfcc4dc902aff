"""The ledger: every published number, our number beside it, and a verdict by rule.

Nothing here is decided by hand. `NEAREST` tells which of our results stands beside a paper's,
`protocol_differences` what differs between the two protocols, `decide` what follows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from .. import metric_table, models, papers, protocols
from ..errors import SpecError
from ..results.columns import Column
from ..results.gathering import Current, gather, protocols_on_disk
from ..results.lookup import Lookup
from ..results.result import Result
from . import published
from .intervals import over_speakers
from .protocol_differences import Difference, differences

if TYPE_CHECKING:
    from ..corpora import Registry
    from ..spec import ModelSpec

Verdict = Literal[
    "reproduced",
    "not reproduced",
    "not comparable",
    "incomplete",
    "not run",
    "impossible here",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

SCORES = tuple(metric.key for metric in metric_table.PUBLISHED)
"""Scores of models that papers print, beside what they print of listeners."""

POINTS = 2.0
"""How far a published value may lie from ours, in points, and still count as reproduced."""

NEAREST: Mapping[str, tuple[str, ...]] = {
    "keesing2020": ("keesing2020", "losgo"),
    # The text says five folds; the code that gave the numbers drew clips and chose epochs on test.
    "wang2020": ("wang2020-random5", "wang2020", "losgo"),
    "mirsamadi2017": ("mirsamadi2017", "losgo"),
    "krishna2019": ("krishna2019", "losgo"),
    "yoon2018": ("yoon2018", "losgo"),
}
"""By paper, the protocol that its numbers were obtained with, then those nearest to it.

Ours is the first complete result in this order that may be compared, else the first incomplete one
that could be, else the first of all.
"""


@dataclass(frozen=True)
class Ours:
    """Our result that stands beside a published number.

    Attributes:
        protocol: its canonical name
        column: model, with the files that it was given beside audio
        value: the published number's score, in percent
        interval: 95 % interval over speakers in percent; None for fewer than `intervals.FEWEST`
            speakers, where it would hold nearly everything, and for incomplete results
        speakers: how many were tested
        done: number of folds, over all repetitions, that are there
        wanted: number of folds, over all repetitions, of a complete result
        other: what makes it a result on something else than the published one, or ""
        fingerprint: of the experiment
    """

    protocol: str
    column: str
    value: float
    interval: tuple[float, float] | None
    speakers: int
    done: int
    wanted: int
    other: str
    fingerprint: str


@dataclass(frozen=True)
class Line:
    """One published number and what became of it.

    Attributes:
        paper: what it is filed under, such as "keesing2020"
        model: as registered here, "human" for listeners, or who published it
        corpus: canonical name
        title: the corpus' name for people
        metric: one of `metric_table.PUBLISHED`, or "recognition" of listeners
        published: as printed, in percent
        sd: standard deviation as printed, or ""
        protocol: that the number was obtained with; as printed if it is none of ours, or ""
        chance: UAR of guessing on the corpus in percent, or None if it is not known
        ours: the result that stands beside it, or None
        differences: between the two protocols
        verdict: by rule
        reason: what decided, in a few words; may be ""
    """

    paper: str
    model: str
    corpus: str
    title: str
    metric: str
    published: str
    sd: str
    protocol: str
    chance: float | None
    ours: Ours | None
    differences: tuple[Difference, ...]
    verdict: Verdict
    reason: str


def build(results: Path, *, current: Current, registry: Registry) -> tuple[Line, ...]:
    """Return a line for every published number.

    Args:
        results: folder that runs wrote to
        current: tells today's configuration fingerprint of an experiment; other results are stale
            and count as not run
        registry: today's corpora

    Returns:
        lines by paper, corpus and model, in the order of the leaderboard

    Raises:
        StoreError: if there is no such folder
    """
    wanted = {name for order in NEAREST.values() for name in order}
    stored = {
        name: gather(
            results,
            protocol=name,
            current=current,
            partial=True,
            registry=registry,
        ).shown
        for name in protocols_on_disk(results)
        if name in wanted
    }
    lookup = Lookup(registry)
    return tuple(sorted((_line(row, stored, lookup) for row in published.rows()), key=_key(lookup)))


def decide(
    value: float,
    ours: Ours | None,
    unlike: Sequence[Difference],
    *,
    metric: str,
    known: bool,
    access: str,
) -> tuple[Verdict, str]:
    """Return the verdict on a published number, and what decided.

    Args:
        value: published, in percent
        ours: result that stands beside it, or None
        unlike: differences between the two protocols
        metric: of the published number
        known: whether its model is registered
        access: of the corpus, as the registry has it
    """
    if metric not in SCORES:
        return "not comparable", "listeners, not a model"
    if not known:
        return "not comparable", "not a model of emobench"
    if ours is None:
        if access == "licence":
            return "impossible here", "the corpus needs a licence"
        return "not run", ""
    if ours.done < ours.wanted:
        return "incomplete", f"{ours.done} of {ours.wanted} folds"
    apart = [str(one) for one in unlike if one.apart]
    if apart or ours.other:
        return "not comparable", "; ".join([*apart, *filter(None, [ours.other])])
    away = f"{value - ours.value:+.1f} points from ours"
    if ours.interval and ours.interval[0] <= value <= ours.interval[1]:
        return "reproduced", f"{away}, inside the interval"
    if abs(value - ours.value) <= POINTS:
        return "reproduced", away
    return "not reproduced", away


def counts(lines: Iterable[Line]) -> dict[Verdict, int]:
    """Return how many numbers got each verdict, in the order of `VERDICTS`."""
    found = [line.verdict for line in lines]
    return {verdict: found.count(verdict) for verdict in VERDICTS}


def _line(row: Mapping[str, str], stored: Mapping[str, Sequence[Result]], lookup: Lookup) -> Line:
    corpus, model = lookup.known(row["corpus"]), _model(row["model"])
    order = NEAREST.get(row["paper"], ())
    found = [
        (one, differences(protocols.get(order[0]), one.protocol, model, corpus))
        for one in _beside(row, order, stored)
        if model and corpus and one.protocol
    ]
    beside, unlike = min(found, key=lambda pair: _distance(*pair, row), default=(None, ()))
    ours = _ours(beside, row) if beside else None
    verdict, reason = decide(
        float(row["value"]),
        ours,
        unlike,
        metric=row["metric"],
        known=model is not None,
        access=corpus.access if corpus else "",
    )
    return Line(
        paper=row["paper"],
        model=row["model"],
        corpus=row["corpus"],
        title=lookup.title(row["corpus"]),
        metric=row["metric"],
        published=row["value"],
        sd=row["sd"],
        protocol=order[0] if order and row["protocol"] else row["protocol"],
        chance=_chance(corpus.expect.emotions if corpus and corpus.expect else {}),
        ours=ours,
        differences=unlike,
        verdict=verdict,
        reason=reason,
    )


def _model(name: str) -> ModelSpec | None:
    """Return the registered model that a number was published for, or None."""
    try:
        return models.get(published.registered(name))
    except SpecError:
        return None


def _beside(
    row: Mapping[str, str], order: Sequence[str], stored: Mapping[str, Sequence[Result]]
) -> list[Result]:
    """Return our results that may stand beside a published one, the nearest protocol first."""
    return [
        one
        for protocol in order
        for one in sorted(stored.get(protocol, ()), key=lambda one: (one.corpus, one.column.name))
        if published.name_of(one.column) == row["model"]
        and one.corpus.partition(":")[0] == row["corpus"]
        and one.done
        and not one.condition
    ]


def _distance(
    one: Result, unlike: Sequence[Difference], row: Mapping[str, str]
) -> tuple[bool, bool]:
    """Return a key by which the result to show is the smallest; equals stay in their order."""
    apart = bool(_other(one, row)) or any(difference.apart for difference in unlike)
    return (apart, not one.complete)


def _other(one: Result, row: Mapping[str, str]) -> str:
    """Return what makes a result one on something else than the published one, or ""."""
    if one.corpus != row["corpus"]:
        return f"on {one.corpus}"
    if one.epochs is not None:
        return f"trained for another number of epochs ({one.epochs})"
    if one.other_clips:
        return f"on {one.clips} of {one.expected} clips"
    return ""


def _ours(one: Result, row: Mapping[str, str]) -> Ours:
    metric = metric_table.get(row["metric"])
    values = one.by_speaker(metric).values()
    held = over_speakers(values) if one.complete else None
    return Ours(
        protocol=one.stored.experiment["protocol"],
        column=one.column.name,
        value=100 * one.scores[metric.key],
        interval=(100 * held.low, 100 * held.high) if held else None,
        speakers=len(values),
        done=one.done,
        wanted=one.wanted,
        other=_other(one, row),
        fingerprint=one.fingerprint,
    )


def _chance(emotions: Mapping[str, int]) -> float | None:
    classes = sum(count > 0 for count in emotions.values())
    return 100 / classes if classes else None


def _key(lookup: Lookup) -> Callable[[Line], tuple]:
    """Return a sorting key of lines; listeners come last of a corpus."""
    names = [paper.name for paper in papers.PAPERS]

    def key(line: Line) -> tuple:
        paper = names.index(line.paper) if line.paper in names else math.inf
        listeners = line.model == published.HUMAN
        place = () if listeners else Column.named(published.registered(line.model)).position
        return (
            paper,
            lookup.position(line.corpus),
            listeners,
            place,
            line.model,
            line.metric != "uar",
        )

    return key
