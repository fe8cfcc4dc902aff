"""Speakers whom two parts tell together: a role in a dialogue, a number that begins anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

from .choice import HOLDERS, Choice, beside, determines
from .parts import Part, partition, shown
from .vocabulary import sexes

_MOST, _MOST_ROLES, _MOST_SPEAKERS = 6, 4, 100


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


def joints(choice: Choice) -> list[Joint]:
    """Return the pairs of parts that may tell the speaker, those with the fewest values first.

    Of a part that was chosen nothing is doubted but that it tells the speaker alone, unless roles
    share its values.
    """
    known = [part for part in choice.speakers if not _is_take(part)]
    parts = list(beside(choice.emotion, choice.ways))
    roles = [part for part in parts if _is_role(part)]
    holders = sorted(filter(_holds, parts), key=lambda part: part.before not in HOLDERS)
    holders += [
        Part(one.split, one.first, two.last)
        for one, two in pairwise(holders)
        if one.split is two.split
        and one.last < two.first
        and all(map(one.split.is_fixed, range(one.last + 1, two.first)))
    ]
    # Numbers and letters begin anew; two names may be roles, too.
    persons = [part for part in known if max(map(len, part.stems)) < 2 or len(part.counts) == 2]
    pairs = [pair for pair in product([*holders, *parts], persons) if _precedes(*pair, holders)]
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


def _holds(part: Part) -> bool:
    """Tell whether there are several speakers in each value."""
    return part.before in HOLDERS or part.stems <= HOLDERS


def _precedes(outer: Part, inner: Part, holders: Collection[Part]) -> bool:
    """Tell whether a part stands before another that may begin anew in each value of it."""
    if outer in holders or sexes(outer.counts):
        return (outer.level, -outer.first) > (inner.level, -inner.first)
    return outer.level == inner.level + 1 and outer.whole and inner.whole


def _is_take(part: Part) -> bool:
    return not part.level and part.at_end and part.is_number and not part.before


def _is_role(part: Part) -> bool:
    """Tell whether values are women and men, or few letters such as A and B that stand alone."""
    if sexes(part.counts):
        return True
    separators, before = part.split.separators, part.split.column(part.first - 1)
    follows = part.first == 0 or separators[part.first - 1] or all(map(str.isdecimal, before))
    letters = part.is_word and max(map(len, part.counts)) == 1 and len(part.counts) <= _MOST_ROLES
    return letters and follows and (bool(part.level) or separators[part.last + 1 :][:1] == (True,))


def _may_speak(joint: Joint, choice: Choice) -> bool:
    outer, inner, emotion = joint.outer, joint.inner, choice.emotion
    if outer.level == inner.level and (outer.split is not inner.split or outer.overlaps(inner)):
        return False
    if emotion and emotion.level in {part.level for part in (outer, inner) if part.level}:
        return False
    most = min(len(joint.values) / 2, _MOST_SPEAKERS)
    alone = max(len(outer.counts), len(inner.counts))
    return alone < len(joint.counts) <= most and not determines(joint.values, choice.labels)
