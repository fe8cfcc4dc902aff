"""Speakers: whether their labels vary, whether each is one person, whether they are enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..errors import named
from .findings import Finding
from .material import Material, by, quoted

_FEW_SHARE = 0.1
"""Of the clips: less than this in speakers of one label is what a large corpus has anyway."""


def findings(material: Material) -> Iterator[Finding]:
    """Yield speakers of one label, speakers of two sexes, and that there are only one or two."""
    yield from _one_label(material)
    yield from _few(material)
    yield from _two_sexes(material)


def _one_label(material: Material) -> Iterator[Finding]:
    speakers = by(material.clips, "speaker")
    single = {
        speaker: len(held)
        for speaker, held in sorted(speakers.items())
        if len(held) > 1 and len({clip.facts["label"] for clip in held}) == 1
    }
    if single and sum(single.values()) >= _FEW_SHARE * len(material.clips):
        yield Finding(
            "speaker-tells-label",
            "soft",
            f"{len(single):,} of {len(speakers):,} speakers have clips of one label only "
            f"({named(quoted(single))}): standardising by speaker removes what tells their label",
            "clips of several labels by each speaker",
            "See whether these are persons; prefer models that standardise by the training fold.",
            evidence=tuple(single),
        )


def _few(material: Material) -> Iterator[Finding]:
    speakers, groups = (len(by(material.clips, column)) for column in ("speaker", "group"))
    if groups == 2:
        yield Finding(
            "few-speakers",
            "soft",
            "two groups to hold out: each fold trains on one, so that tuning and development split "
            "its clips (within-speaker), and differences between folds say little",
            "three groups or more",
            "Say so beside its results.",
        )
    elif material.clips and speakers <= 2:
        yield Finding(
            "few-speakers",
            "soft",
            f"{'two speakers' if speakers == 2 else 'one speaker'} in all",
            "several speakers",
            "Its results say little about other persons.",
        )


def _two_sexes(material: Material) -> Iterator[Finding]:
    told = {}
    for speaker, held in by(material.clips, "speaker").items():
        counts = Counter(clip.facts["sex"] for clip in held if clip.facts.get("sex"))
        if len(counts) > 1:
            each = " and ".join(f"{number:,} {sex}" for sex, number in counts.most_common())
            told[speaker] = f"speaker '{speaker}' has {each} clips"
    if told:
        yield Finding(
            "speaker-of-two-sexes",
            "soft",
            "; ".join(list(told.values())[:3])
            + (f"; and so on for {len(told) - 3:,} more" if len(told) > 3 else ""),
            "one sex for each speaker",
            "Two people may share the name, or a label is wrong.",
            evidence=tuple(told),
        )
