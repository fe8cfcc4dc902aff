"""UAR against MP3 bitrate, from stored predictions."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..results.columns import Column
from ..results.gathering import Current, gather, protocol_name, protocols_on_disk
from ..results.lookup import Lookup
from ..results.result import Result
from .intervals import Interval, over_speakers

if TYPE_CHECKING:
    from ..corpora import Registry

_MP3 = re.compile(r"mp3:(\d+)k")
_COLUMNS = (
    *("protocol", "corpus", "model", "condition_on", "kbps", "uar", "low", "high"),
    *("speakers", "folds_done", "folds", "fingerprint"),
)


@dataclass(frozen=True)
class Point:
    """One result.

    Attributes:
        kbps: bitrate in kbit/s, as asked for; None for sound as it is
        uar: between 0 and 1
        interval: 95 % interval over speakers, or None for too few of them
        done: number of folds, over all repetitions, that are there
        wanted: number of folds, over all repetitions, of a complete result
        fingerprint: of the experiment
    """

    kbps: int | None
    uar: float
    interval: Interval | None
    done: int
    wanted: int
    fingerprint: str


@dataclass(frozen=True)
class Curve:
    """One model on one corpus.

    Attributes:
        protocol: canonical name
        corpus: canonical name
        title: the corpus' name for people
        model: name, with the files that it was given beside audio
        sides: which clips went through MP3: "test", "training" or "both"
        chance: UAR of guessing, between 0 and 1
        plain: result on sound as it is, or None if it was not run
        points: results from the lowest bitrate up
    """

    protocol: str
    corpus: str
    title: str
    model: str
    sides: str
    chance: float
    plain: Point | None
    points: tuple[Point, ...]


def curves(
    results: Path,
    *,
    protocol: str,
    current: Current,
    registry: Registry,
    corpora: Collection[str] = (),
    models: Collection[str] = (),
    partial: bool = False,
) -> tuple[Curve, ...]:
    """Return UAR against bitrate of what was run under MP3.

    Args:
        results: folder that runs wrote to
        protocol: whose results
        current: tells today's configuration fingerprint of an experiment
        registry: today's corpora
        corpora: canonical names; empty for all
        models: canonical names; empty for all
        partial: take incomplete results too

    Returns:
        a curve for each corpus, model and side, in the order of the leaderboard

    Raises:
        StoreError: if nothing of it was run under MP3
        SpecError: if there is no such protocol
    """
    name = protocol_name(protocol, protocols_on_disk(results))
    gathered = gather(results, protocol=name, current=current, partial=partial, registry=registry)

    def chosen(result: Result) -> bool:
        return (not corpora or result.corpus in corpora) and (not models or result.model in models)

    wanted = [result for result in gathered.shown if chosen(result)]
    found = of_results(name, wanted, Lookup(registry))
    if not found:
        waiting = any(_MP3.fullmatch(one.condition) for one in filter(chosen, gathered.others))
        raise StoreError(_nothing(results, name, corpora, models, waiting and not partial))
    return found


def of_results(protocol: str, results: Sequence[Result], lookup: Lookup) -> tuple[Curve, ...]:
    """Return UAR against bitrate of those results that were run under MP3, or nothing.

    Args:
        protocol: canonical name
        results: of that protocol
        lookup: what tells titles and the order of corpora
    """
    plain = {(one.corpus, one.column): one for one in results if not one.condition}
    by_curve: dict[tuple[str, Column, str], list[Result]] = {}
    for one in results:
        if _MP3.fullmatch(one.condition):
            by_curve.setdefault((one.corpus, one.column, one.sides), []).append(one)
    ordered = sorted(by_curve, key=lambda key: (lookup.position(key[0]), key[1].position, key[2]))
    return tuple(
        _curve(protocol, lookup.title(key[0]), by_curve[key], plain.get(key[:2])) for key in ordered
    )


def to_csv(drawn: Sequence[Curve]) -> str:
    """Return the points of curves as CSV, UAR in percent; sound as it is has no bitrate."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for curve in drawn:
        for point in (*([curve.plain] if curve.plain else []), *curve.points):
            held = point.interval
            values = (
                *(curve.protocol, curve.corpus, curve.model, curve.sides, point.kbps or ""),
                f"{100 * point.uar:.4f}",
                *((f"{100 * held.low:.4f}", f"{100 * held.high:.4f}") if held else ("", "")),
                *(held.speakers if held else "", point.done, point.wanted, point.fingerprint),
            )
            writer.writerow(dict(zip(_COLUMNS, values, strict=True)))
    return stream.getvalue()


def _curve(protocol: str, title: str, results: Sequence[Result], plain: Result | None) -> Curve:
    first = results[0]
    points = sorted(map(_point, results), key=lambda point: point.kbps or 0)
    return Curve(
        protocol=protocol,
        corpus=first.corpus,
        title=title,
        model=first.column.name,
        sides=first.sides,
        chance=1 / max(1, len(first.labels)),
        plain=_point(plain) if plain else None,
        points=tuple(points),
    )


def _point(result: Result) -> Point:
    bitrate = _MP3.fullmatch(result.condition)
    return Point(
        kbps=int(bitrate[1]) if bitrate else None,
        uar=result.scores["uar"],
        interval=over_speakers(result.by_speaker().values()),
        done=result.done,
        wanted=result.wanted,
        fingerprint=result.fingerprint,
    )


def _nothing(
    results: Path,
    protocol: str,
    corpora: Collection[str],
    models: Collection[str],
    incomplete: bool,
) -> str:
    where = f" on {', '.join(sorted(corpora))}" if corpora else ""
    who = f" of {', '.join(sorted(models))}" if models else ""
    found = "incomplete ones only" if incomplete else "none"
    advice = "Add --partial, or finish them with" if incomplete else "Make some with"
    command = (
        f"emobench run --model {','.join(sorted(models)) or 'librosa-svm'} "
        f"--corpus {','.join(sorted(corpora)) or 'emo-db'} --protocol {protocol} "
        "--condition mp3:all --condition-on test --data DIR"
    )
    return (
        f"{results}: expected results under MP3{who}{where} with the protocol {protocol}, "
        f"found {found}. {advice} `{command}`."
    )
