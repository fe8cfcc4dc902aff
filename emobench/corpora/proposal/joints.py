"""Speakers whom two parts tell together: a role in a dialogue, a number that begins anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

from .choice import HOLDERS, Choice, beside, determines, is_generic, letters_of
from .parts import Part, partition, shown
from .vocabulary import sexes

_MOST, _MOST_ROLES, _MOST_SPEAKERS = 6, 4, 100


@dataclass(frozen=True, eq=False)
class Joint:
    """Two parts that may tell the speaker together.

    Attributes:
        outer: a session, a dialogue, a folder, or somebody's number
        inner: who of those that occur in it
        option: choice of the emotion beside which they stand
    """

    outer: Part
    inner: Part
    option: Choice

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

    @property
    def stretch(self) -> Part | None:
        """All from one part to the other, if it says nothing else."""
        first, last = sorted((self.outer, self.inner), key=lambda part: part.first)
        way = first.split
        between = range(first.last + 1, last.first)
        fixed = way is last.split and all(way.is_fixed(at) for at in between)
        return Part(way, first.first, last.last) if fixed else None

    @property
    def goes_on_from_folder(self) -> bool:
        """Whether one part is a folder, and the other what the next name begins with."""
        next_level = self.outer.level == self.inner.level + 1
        return next_level and self.outer.whole and self.inner.first == 0

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
    found: dict[tuple[int, ...], Joint] = {}
    doubted = choice.speaker is None
    for option in (choice, *choice.same):
        known = [part for part in (option.speaker, *option.rivals) if part and not _is_take(part)]
        parts = list(beside(option.emotion, option.ways))
        roles = [part for part in parts if _is_role(part)]
        holders = sorted(filter(_holds, parts), key=lambda part: part.before not in HOLDERS)
        together = [Joint(*two, option).stretch for two in pairwise(holders)]
        holders += filter(None, together)
        # Two names may be roles, too.
        persons = [part for part in known if is_generic(part) or len(part.counts) == 2]
        pairs = [
            (one, two)
            for one, two in product([*holders, *parts], persons)
            if _precedes(one, two, holders)
        ]
        for outer, inner in (*pairs, *product((*known, *holders), roles)):
            joint = Joint(outer, inner, option)
            if _may_speak(joint):
                found.setdefault(partition(joint.values), joint)
        doubted = doubted or any(
            len(choice.speaker.pairs(role)) > len(choice.speaker.counts) for role in roles
        )
    kept = sorted(found.values(), key=lambda joint: len(joint.counts))
    if not doubted:
        chosen = partition(choice.speaker.values)
        kept = [
            one for one in kept if chosen in map(partition, (one.outer.values, one.inner.values))
        ]
    return kept[:_MOST]


def _holds(part: Part) -> bool:
    """Tell whether there are several speakers in each value."""
    return part.before in HOLDERS or letters_of(part) <= HOLDERS


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


def _may_speak(joint: Joint) -> bool:
    outer, inner, emotion = joint.outer, joint.inner, joint.option.emotion
    if outer.level == inner.level and (outer.split is not inner.split or outer.overlaps(inner)):
        return False
    if emotion and emotion.level in {part.level for part in (outer, inner) if part.level}:
        return False
    most = min(len(joint.values) / 2, _MOST_SPEAKERS)
    alone = max(len(outer.counts), len(inner.counts))
    return alone < len(joint.counts) <= most and not determines(joint.values, joint.option.labels)
