"""How each speaker fares: UAR, clips and sex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..results import speakers

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = "unknown"
COLUMNS = ("sex",)
"""What is needed of the predictions beside what figures are computed from."""


@dataclass(frozen=True)
class SpeakerScore:
    """One speaker's result.

    Attributes:
        name: of the speaker, or of the group where that is unknown
        sex: "female", "male" or "unknown"; also unknown where the corpus contradicts itself
        uar: mean over repetitions, between 0 and 1
        clips: how many were tested, in one repetition
    """

    name: str
    sex: str
    uar: float
    clips: int


def by_speaker(predictions: pd.DataFrame) -> tuple[SpeakerScore, ...]:
    """Return the result of each speaker, in the order of their names.

    Args:
        predictions: columns `fold`, `repetition`, `gathering.COLUMNS` and `COLUMNS`
    """
    who = speakers.names(predictions)
    sexes = predictions["sex"].groupby(who).agg(lambda found: _sex(found.dropna().unique()))
    clips = predictions["id"].groupby(who).nunique()
    return tuple(
        SpeakerScore(name, sexes[name], uar, int(clips[name]))
        for name, uar in speakers.by_speaker(predictions).items()
    )


def _sex(found: list[str]) -> str:
    return str(found[0]) if len(found) == 1 else UNKNOWN
