"""Recordings that occur several times: what is said of them must not differ."""

from __future__ import annotations

from collections.abc import Iterator

from ..corpora.reading.clips import Clip
from ..errors import count, named
from .findings import Finding, Severity
from .material import Material, equal

_SEVERITY: dict[str, Severity] = {"label": "hard", "speaker": "soft"}


def findings(material: Material) -> Iterator[Finding]:
    """Yield recordings under two labels, else under two speakers, and those that count twice."""
    told: set[int] = set()
    for column, severity in _SEVERITY.items():
        differing = [
            number
            for number, group in enumerate(material.alike)
            if number not in told and len({clip.facts[column] for clip in group}) > 1
        ]
        told |= set(differing)
        groups = [material.alike[number] for number in differing]
        if groups:
            yield Finding(
                f"audio-with-two-{column}s",
                severity,
                f"the same sound under several {column}s, {count(len(groups), 'time')}: "
                f"{_shown(groups)}",
                f"one {column} for each recording",
                "One of them is wrong, and held-out clips may have been trained on: drop it.",
                evidence=_ids(groups),
            )
    others = [group for number, group in enumerate(material.alike) if number not in told]
    if others:
        yield Finding(
            "audio-repeated",
            "soft",
            f"the same sound more than once with one label and speaker, "
            f"{count(len(others), 'time')}: {_shown(others)}",
            "each recording once",
            "It weighs more than other clips: drop the copies.",
            evidence=_ids(others),
        )


def _shown(groups: list[tuple[Clip, ...]]) -> str:
    return named([equal(group) for group in groups])


def _ids(groups: list[tuple[Clip, ...]]) -> tuple[str, ...]:
    return tuple(clip.id for group in groups for clip in group)
