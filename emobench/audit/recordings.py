"""How the files were recorded: at which rates, with how many channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..audio import SAMPLE_RATE
from ..errors import count
from .findings import Finding
from .material import Material
from .predictability import skill

_TELLS = 0.25


def findings(material: Material) -> Iterator[Finding]:
    """Yield that files are resampled or their channels averaged, and whether that tells labels."""
    known = material.report.headers.known
    formats = {
        path: (known[path].sample_rate, known[path].channels)
        for path in dict.fromkeys(clip.file.path for clip in material.clips)
    }
    changed = [path for path, found in formats.items() if found != (SAMPLE_RATE, 1)]
    if not changed:
        return
    each = ", ".join(
        f"{rate:,} Hz {'mono' if channels == 1 else f'with {channels} channels'} "
        f"({count(files, 'file')})"
        for (rate, channels), files in Counter(formats.values()).most_common(3)
    )
    advice = (
        f"Models are given {SAMPLE_RATE:,} Hz mono: the others are resampled and their channels "
        f"averaged{', or one is taken as the entry says' if _chosen(material) else ''}."
    )
    told = skill((formats[clip.file.path], clip.facts["label"]) for clip in material.clips)
    if told > _TELLS:
        advice += " The format tells the label better than chance: see which were recorded apart."
    yield Finding(
        "resampled",
        "soft",
        f"recorded at {each}",
        f"{SAMPLE_RATE:,} Hz mono, as models are given it",
        advice,
        evidence=tuple(clip.id for clip in material.clips if clip.file.path in changed),
    )


def _chosen(material: Material) -> bool:
    return any(clip.channel is not None for clip in material.clips)
