"""Other readings of the names: who else may speak, alone or told by two parts, and other emotions.

Two parts tell a speaker together where roles stand in a dialogue, or numbers begin anew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise, product

from .choice import HOLDERS, SPEAKERS, Choice, beside, compound, determines
from .parts import Part, partition, shown
from .vocabulary import sexes

_MOST, _MOST_SPEAKERS = 6, 100
_SPEAKER = re.compile(r"\(\?P<speaker>[^)]*\)")
_TWO = "extra: [within, who], defaults: {speaker: '{within} {who}'}, "

Joint = tuple[Part, Part, Counter[str], Choice]
"""A session or somebody's number; who occurs in it; files by both; the emotion beside them."""


def alternatives(
    choice: Choice, joints: Sequence[Joint], write: Callable[[Mapping[str, Part], Choice], str]
) -> Iterator[tuple[str, str, str]]:
    """Yield which column may be something else, what that is, and the keys that an entry needs.

    `write` returns the key of the expression in which parts have names, and a choice its emotion.
    """
    for part in choice.rivals:
        text = write({"speaker": part}, choice)
        yield "speaker", str(part), text
        if size := compound(part):
            heads, tails = {text[:size] for text in part.counts}, {t[size:] for t in part.counts}
            head, tail = f"(?P<speaker>.{{{size}}}).+?", f".{{{size}}}(?P<speaker>.+?)"
            yield "speaker", f"its beginning ({shown(heads)})", _SPEAKER.sub(head, text)
            yield "speaker", f"its end ({shown(tails)})", _SPEAKER.sub(tail, text)
    for outer, inner, counts, option in joints:
        places = " with ".join(dict.fromkeys((outer.place, inner.place)))
        what = f"{'two parts of ' if outer.level == inner.level else ''}{places} ({shown(counts)})"
        yield "speaker", what, _TWO + write({"within": outer, "who": inner}, option)
    for other in choice.others:
        for who in other.speakers or [None]:
            both = f"{other.emotion}{f', and the speaker {who}' if who else ''}"
            yield "emotion", both, write({"speaker": who} if who else {}, other)


def joints(choice: Choice) -> list[Joint]:
    """Return the pairs of parts that may tell the speaker, those with the fewest values first.

    Of a part that was chosen nothing is doubted but that it tells the speaker alone, unless roles
    share its values.
    """
    found: dict[tuple[int, ...], Joint] = {}
    options = (choice, *choice.same)
    for option, (outer, inner) in ((one, pair) for one in options for pair in _pairs(one)):
        if outer.level == inner.level and (outer.split is not inner.split or outer.overlaps(inner)):
            continue
        # A folder that tells the emotion holds what people feel, and not people.
        if option.emotion and 0 < option.emotion.level in (outer.level, inner.level):
            continue
        texts = zip(outer.values, inner.values, strict=True)
        both = [None if None in two else f"{outer.before}{' '.join(two)}" for two in texts]
        counts = Counter(text for text in both if text is not None)
        most = min(len(both) / 2, _MOST_SPEAKERS)
        alone = max(len(outer.counts), len(inner.counts))
        if alone < len(counts) <= most and not determines(both, option.labels):
            found.setdefault(partition(both), (outer, inner, counts, option))
    kept = sorted(found.values(), key=lambda joint: len(joint[2]))
    chosen, roles = choice.speaker, [role for option in options for role in _roles(option)]
    if chosen and not any(len(chosen.pairs(role)) > len(chosen.counts) for role in roles):
        kept = [one for one in kept if chosen.groups in (one[0].groups, one[1].groups)]
    return kept[:_MOST]


def _pairs(choice: Choice) -> Iterator[tuple[Part, Part]]:
    """Yield what may hold several speakers, and what may tell them apart in it."""
    known = [part for part in choice.speakers if part.before or not part.counts_takes]
    parts = list(beside(choice.emotion, choice.ways))
    holders = [part for part in parts if part.follows(HOLDERS)]
    holders.sort(key=lambda part: part.before not in HOLDERS)
    holders += [
        Part(one.split, one.first, two.last)
        for one, two in pairwise(holders)
        if one.split is two.split
        and one.last < two.first
        and all(map(one.split.is_fixed, range(one.last + 1, two.first)))
    ]
    persons = [part for part in known if _may_begin_anew(part)]
    for outer, inner in product([*holders, *parts], persons):
        if outer in holders or sexes(outer.counts):
            precedes = (outer.level, -outer.first) > (inner.level, -inner.first)
        else:
            precedes = outer.level == inner.level + 1 and outer.whole and inner.whole
        if precedes:
            yield outer, inner
    yield from product((*known, *holders), _roles(choice))


def _roles(choice: Choice) -> list[Part]:
    return [part for part in beside(choice.emotion, choice.ways) if _is_role(part)]


def _may_begin_anew(part: Part) -> bool:
    """Tell whether values are mere numbers or letters, or two that may be roles."""
    words = ({stem, stem[:-1]} & SPEAKERS for stem in part.stems if len(stem) > 1)
    return len(part.counts) == 2 or all(words)


def _is_role(part: Part) -> bool:
    """Tell whether values are women and men, or letters such as A and B that stand alone."""
    separators, before = part.split.separators, part.split.column(part.first - 1)
    begins = part.first == 0 or separators[part.first - 1] or all(map(str.isdecimal, before))
    ends = part.level or separators[part.last + 1 :][:1] == (True,)
    letters = part.is_word and max(map(len, part.counts)) == 1
    return bool(sexes(part.counts) or (letters and begins and ends))
