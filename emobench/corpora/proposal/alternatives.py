"""Other readings of the names: who else may speak, alone or told by two parts, and other emotions.

Two parts tell a speaker together where roles stand in a dialogue, or numbers begin anew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

from .choice import HOLDERS, Choice, beside, compound, determines
from .parts import Part, partition, shown
from .vocabulary import sexes

_MOST, _MOST_SPEAKERS = 6, 100
_SPEAKER = re.compile(r"\(\?P<speaker>[^)]*\)")
_TWO = "extra: [within, who], defaults: {speaker: '{within} {who}'}, "


@dataclass(frozen=True, eq=False)
class Joint:
    """Two parts that may tell the speaker together.

    Attributes:
        outer: a session, a dialogue, a folder, or somebody's number
        inner: who of those that occur in it
    """

    outer: Part
    inner: Part

    @cached_property
    def values(self) -> tuple[str | None, ...]:
        """Texts of both by file."""
        pairs = zip(self.outer.values, self.inner.values, strict=True)
        word = self.outer.before
        return tuple(None if None in pair else f"{word}{pair[0]} {pair[1]}" for pair in pairs)

    @cached_property
    def counts(self) -> Counter[str]:
        """Number of files by the texts of both."""
        return Counter(value for value in self.values if value is not None)

    def __str__(self) -> str:
        places = dict.fromkeys((self.outer.place, self.inner.place))
        return (
            f"{'two parts of ' * (len(places) == 1)}{' with '.join(places)} ({shown(self.counts)})"
        )


def alternatives(
    choice: Choice, joints: Sequence[Joint], write: Callable[[Mapping[str, Part], Choice], str]
) -> Iterator[tuple[str, str, str]]:
    """Yield what else a column may be, in words and as the keys that an entry needs for it.

    Args:
        choice: what the names tell
        joints: parts that may tell it together
        write: returns the key of the expression in which parts have names, and a choice's emotion
    """
    for part in choice.rivals:
        text = write({"speaker": part}, choice)
        yield "speaker", str(part), text
        if size := compound(part):
            heads, tails = {text[:size] for text in part.counts}, {t[size:] for t in part.counts}
            head, tail = f"(?P<speaker>.{{{size}}}).+?", f".{{{size}}}(?P<speaker>.+?)"
            yield "speaker", f"its beginning ({shown(heads)})", _SPEAKER.sub(head, text)
            yield "speaker", f"its end ({shown(tails)})", _SPEAKER.sub(tail, text)
    for joint in joints:
        text = write({"within": joint.outer, "who": joint.inner}, choice)
        yield "speaker", str(joint), _TWO + text
    for other in choice.others:
        for who in other.speakers or [None]:
            both = f"{other.emotion}{f', and the speaker {who}' if who else ''}"
            yield "emotion", both, write({"speaker": who} if who else {}, other)


def joints(choice: Choice) -> list[Joint]:
    """Return the pairs of parts that may tell the speaker, those with the fewest values first.

    Of a part that was chosen nothing is doubted but that it tells the speaker alone, unless roles
    share its values.
    """
    takes = [part for part in choice.speakers if not part.level and part.at_end and part.is_number]
    known = [part for part in choice.speakers if part not in takes or part.before]
    parts = list(beside(choice.emotion, choice.ways))
    roles = [part for part in parts if _is_role(part)]
    # In each value of these there are several speakers.
    holders = [part for part in parts if part.follows(HOLDERS)]
    holders.sort(key=lambda part: part.before not in HOLDERS)
    holders += [
        Part(one.split, one.first, two.last)
        for one, two in pairwise(holders)
        if one.split is two.split
        and one.last < two.first
        and all(map(one.split.is_fixed, range(one.last + 1, two.first)))
    ]
    # Numbers and letters begin anew; two names may be roles, too.
    persons = [part for part in known if max(map(len, part.stems)) < 2 or len(part.counts) == 2]
    pairs = [
        (outer, inner)
        for outer, inner in product([*holders, *filter(_is_sex, parts)], persons)
        if (outer.level, -outer.first) > (inner.level, -inner.first)
    ]
    found: dict[tuple[int, ...], Joint] = {}
    for pair in (*pairs, *product((*known, *holders), roles)):
        joint = Joint(*pair)
        if _may_speak(joint, choice):
            found.setdefault(partition(joint.values), joint)
    kept = sorted(found.values(), key=lambda joint: len(joint.counts))
    chosen = choice.speaker
    if chosen and not any(len(chosen.pairs(role)) > len(chosen.counts) for role in roles):
        kept = [one for one in kept if chosen.groups in (one.outer.groups, one.inner.groups)]
    return kept[:_MOST]


def _is_sex(part: Part) -> bool:
    return sexes(part.counts) is not None


def _is_role(part: Part) -> bool:
    """Tell whether values are women and men, or letters such as A and B before a separator."""
    ends = part.level or part.split.separators[part.last + 1 :][:1] == (True,)
    return _is_sex(part) or bool(ends and part.is_word and max(map(len, part.counts)) == 1)


def _may_speak(joint: Joint, choice: Choice) -> bool:
    outer, inner = joint.outer, joint.inner
    if outer.level == inner.level and (outer.split is not inner.split or outer.overlaps(inner)):
        return False
    most = min(len(joint.values) / 2, _MOST_SPEAKERS)
    alone = max(len(outer.counts), len(inner.counts))
    return alone < len(joint.counts) <= most and not determines(joint.values, choice.labels)
