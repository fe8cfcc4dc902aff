"""What results cost: clips a second of a whole fold, beside the UAR that it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..results.result import Result


@dataclass(frozen=True)
class Speed:
    """One result and what it cost.

    Attributes:
        model: name, with the files that it was given beside audio
        uar: between 0 and 1
        clips_per_second: training clips of a fold over the seconds of the fold, tuning, all epochs
            and prediction included; from features that were extracted before
        device: what trained it, as its records say
        done: number of folds, over all repetitions, that are there
        wanted: number of folds, over all repetitions, of a complete result
    """

    model: str
    uar: float
    clips_per_second: float
    device: str
    done: int
    wanted: int


def speeds(results: Sequence[Result]) -> tuple[Speed, ...]:
    """Return what results cost, in the order of their papers; those without times are left out."""
    found = []
    for one in sorted(results, key=lambda one: one.column.position):
        timed = [record for record in one.stored.records if _timed(record)]
        if timed and not one.condition:
            clips = sum(record["n_training"] for record in timed)
            devices = sorted({record.get("device") or "unknown" for record in timed})
            found.append(
                Speed(
                    model=one.column.name,
                    uar=one.scores["uar"],
                    clips_per_second=clips / sum(record["seconds"] for record in timed),
                    device=" and ".join(devices),
                    done=one.done,
                    wanted=one.wanted,
                )
            )
    return tuple(found)


def _timed(record: Mapping[str, Any]) -> bool:
    return (
        record["fold"] is not None
        and bool(record.get("n_training"))
        and isinstance(record.get("seconds"), (int, float))
        and record["seconds"] > 0
    )
