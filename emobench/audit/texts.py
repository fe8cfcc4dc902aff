"""Transcripts and sentences that predict the label, so that a model need not use the voice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from ..corpora.reading.clips import Clip
from ..errors import count
from .findings import Finding
from .material import Material
from .predictability import beyond_chance, held_out

_PLAIN_NAMES = {
    "anger": ("angry",),
    "happiness": ("happy",),
    "sadness": ("sad",),
    "fear": ("afraid", "fearful"),
    "surprise": ("surprised",),
    "disgust": ("disgusted",),
}

_TELLS, _DETERMINES = 0.25, 0.9
"""Share of the way from chance to certainty from which texts are said to tell the label, or to
determine it."""

_SOME, _MOST = 0.1, 0.5
"""Share of the clips that it must be true of, for either."""


def findings(material: Material) -> Iterator[Finding]:
    """Yield that transcripts name their label, or that texts or sentences tell it."""
    naming = list(_naming(material.clips))
    yield from naming
    if not naming:
        yield from _telling(material.clips)


def _naming(clips: Sequence[Clip]) -> Iterator[Finding]:
    """Yield a finding if transcripts name their own label more often than others'."""
    names = _names(clips)
    known = [clip for clip in clips if clip.facts.get("transcript")]
    own, others = [], 0
    for clip in known:
        words = set(re.findall(r"[^\W\d_]+", clip.facts["transcript"].casefold()))
        own += [clip] if words & names[clip.facts["label"]] else []
        others += sum(bool(words & names[other]) for other in names if other != clip.facts["label"])
    if len(own) > 1 and len(own) * (len(names) - 1) > 2 * others:
        most = len(own) > _MOST * len(known) and len(own) > _DETERMINES * (len(own) + others)
        yield Finding(
            "text-names-label",
            "hard" if most else "soft",
            f"{len(own):,} of {len(known):,} transcripts name their own label, such as "
            f"'{own[0].facts['transcript']}'",
            "words that say nothing of the label, or of every label as often",
            "A model on transcripts learns the label from its name.",
            evidence=tuple(clip.id for clip in own),
        )


def _names(clips: Sequence[Clip]) -> Mapping[str, AbstractSet[str]]:
    """Return the words that name each label."""
    names: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        facts = clip.facts
        names[facts["label"]] |= {facts["label"].casefold(), facts["raw_emotion"].casefold()}
        names[facts["label"]].update(_PLAIN_NAMES.get(facts["emotion"], ()))
    return names


def _telling(clips: Sequence[Clip]) -> Iterator[Finding]:
    """Yield a finding if the same words mostly have the same label when others say them.

    Where only the number of the sentence is known no model is given it, but a model on audio may
    recognise the sentence.
    """
    texts = {clip.id: text for clip in clips if (text := text_of(clip)) is not None}
    said = texts or {
        clip.id: number for clip in clips if (number := clip.facts.get("sentence")) is not None
    }
    known = [clip for clip in clips if clip.id in said]
    guesses = held_out([(said[clip.id], clip.facts["label"], _group(clip)) for clip in known])
    told = [(clip, guess) for clip, guess in zip(known, guesses, strict=True) if guess is not None]
    certainty = beyond_chance([(clip.facts["label"], guess) for clip, guess in told])
    if certainty < _TELLS or len(told) < _SOME * len(known):
        return
    determined = certainty >= _DETERMINES and len(told) >= _MOST * len(known)
    right = [clip.id for clip, guess in told if clip.facts["label"] == guess]
    what = "transcript" if texts else "sentence"
    on_audio = "a model on audio may recognise the sentence instead of the emotion."
    on_text = "A model on transcripts needs no voice; " if texts else "No model is given it, but "
    yield Finding(
        f"{what}-{'determines' if determined else 'tells'}-label",
        "hard" if determined and texts else "soft",
        f"the label of {len(right):,} of {count(len(told), 'clip')} is the one that their {what} "
        "mostly has with other speakers",
        "the same words under every label",
        f"{on_text}{on_audio}",
        evidence=tuple(right),
    )


def _group(clip: Clip) -> str:
    """Return what a clip is held out with; where that is not known, who speaks."""
    return clip.facts.get("group") or clip.facts["speaker"]


def spoken(clip: Clip) -> str | None:
    """Return what is said in a clip: the number of its sentence, else its text; None if unknown."""
    number = clip.facts.get("sentence")
    return number if number is not None else text_of(clip)


def text_of(clip: Clip) -> str | None:
    """Return the words of a clip without regard to case, signs and blanks; None if unknown."""
    words = "".join(
        sign if sign.isalnum() or sign == "'" else " "
        for sign in (clip.facts.get("transcript") or "").casefold()
    ).split()
    return " ".join(words) or None
