"""Which part of the names tells the emotion, and which the speaker.

The emotion is the part whose values are words for emotions, or codes that a legend explains. The
speaker is found by exclusion: a part that says which emotion it is, a sex or a session cannot be
one. Of what is left, a part that stands behind a word such as "speaker", or is told by folders and
file names alike, is taken first, then names and codes. Numbers that count and what stands at the
end, which may be takes and texts, are only offered. Where several parts of one rank are left, none
is better founded than the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..reading.audio_files import AudioFile
from . import legends
from .parts import Part, Split, splits
from .vocabulary import BEFORE, Meaning, emotion_of, meaning, sexes

SPEAKERS, _EMOTION_WORDS, HOLDERS, _OTHERS = (
    frozenset(word for word, meant in BEFORE.items() if meant == follows)
    for follows in ("speaker", "emotion", "holder", "neither")
)
_NO_SPEAKER = HOLDERS | _OTHERS

_TOLD, _NAMED, _COUNT = 2, 1, 0
"""What speaks for a part as speaker: a word for it, what it looks like, or nothing."""

_DETERMINES = 0.9
"""Share of clips whose label a part foretells, from which it is no speaker."""

MOST_SPEAKERS, _MANY_SPEAKERS, _MOST_RIVALS = 500, 100, 6
_SURE = 0.6
"""How surely values must tell emotions to be nothing else."""


@dataclass(frozen=True)
class Choice:
    """What the names tell, or a table of the emotion.

    Attributes:
        emotion: part that tells the emotion; None if none seems to
        meaning: of the labels
        sure: how surely it tells the emotion
        ways: in which names are taken apart
        labels: emotion by file
        speakers: parts that may tell the speaker, the best founded first
        rank: what speaks for the first of them
        same: choices of the same emotion in names that are taken apart otherwise
        others: choices of other parts for the emotion that are as good
    """

    emotion: Part | None = None
    meaning: Meaning = field(default_factory=Meaning)
    sure: float = 0.0
    ways: Sequence[Split] = ()
    labels: Sequence[str | None] = ()
    speakers: tuple[Part, ...] = ()
    rank: int = 0
    same: tuple[Choice, ...] = ()
    others: tuple[Choice, ...] = ()

    @property
    def speaker(self) -> Part | None:
        """The part that tells the speaker; None if nothing speaks for any."""
        return self.speakers[0] if self.rank > _COUNT else None

    @property
    def rivals(self) -> tuple[Part, ...]:
        """Other parts that might as well."""
        return self.speakers[self.speaker is not None :]


def choose(
    files: Sequence[AudioFile], told: legends.Texts, table: Choice | None, needs_speaker: bool
) -> Choice:
    """Return which parts of the names tell emotion and speaker.

    Args:
        files: audio files
        told: texts that may explain codes
        table: what a table tells of emotions; names are then not asked
        needs_speaker: whether names must tell the speaker
    """
    ways = [way for level, names in _levels(files) for way in splits(names, level)]
    free = ways if needs_speaker else []
    if table is not None:
        return _with_speaker(table, free, table.labels)
    options = list(_emotions(ways, told)) or list(_unknown_labels(ways))
    if not options:
        return Choice()
    first = max(options, key=lambda option: option.sure)
    least = first.sure - 0.01
    same = [one for one in options if one.emotion.groups == first.emotion.groups]
    good = [
        one for one in options if one.sure >= least or (one in same and one.sure >= least - 0.1)
    ]
    every = [_with_speaker(option, free, option.emotion.values) for option in good]
    # A speaker speaks for a choice, or at least candidates, but few of them.
    best = max(every, key=lambda one: (one.rank, bool(one.speakers), -len(one.rivals)))
    twins = [one for one in every if one.emotion.groups == best.emotion.groups]
    best = replace(best, same=tuple(one for one in twins if one is not best))
    others = [one for one in options if _contradicts(one, best)]
    # Whole words for emotions mean some, however many other parts tell more surely.
    worded = [one for one in others if one.meaning.language is one.meaning.source is None]
    if all(one.sure < least for one in others) and all(one.sure <= _SURE for one in worded):
        return best
    apart = {one.emotion.groups: one for one in reversed(others)}.values()
    others = [_with_speaker(one, free, one.emotion.values) for one in apart]
    return replace(best, others=tuple(others))


def _levels(files: Sequence[AudioFile]) -> Iterator[tuple[int, list[str | None]]]:
    """Yield names by level, from the files' own up to the folder that most lie in."""
    paths = [[*file.relative.split("/")[:-1], file.stem] for file in files]
    for level in range(max(map(len, paths))):
        names = [path[-1 - level] if len(path) > level else None for path in paths]
        if sum(name is not None for name in names) < 0.9 * len(files):
            return
        yield level, names


def _contradicts(one: Choice, best: Choice) -> bool:
    """Tell whether a part says something else, and is not just the number behind another."""
    part, chosen = one.emotion, best.emotion
    beside = part.level == chosen.level and part.first == chosen.last + 2
    said = [list(map(each.meaning.emotions.get, each.emotion.values)) for each in (one, best)]
    differing = sum(None not in pair and len({*pair}) > 1 for pair in zip(*said, strict=True))
    return differing > 0.1 * len(part.values) and not (beside and part.at_end and part.is_number)


def _emotions(ways: Sequence[Split], told: legends.Texts) -> Iterator[Choice]:
    """Yield the parts whose values are emotions, by themselves or by a legend."""
    for part in (part for way in ways for part in way.parts()):
        read = legends.understood(part.counts, told)
        if not read.score and _is_ravdess(part):
            read = legends.understood(part.counts, [legends.RAVDESS])
        if read.score:
            yield Choice(part, read, read.score)


def _unknown_labels(ways: Sequence[Split]) -> Iterator[Choice]:
    """Yield the part that looks most like labels of a kind that we do not know.

    A word for them speaks for a part, then that they are several, and then its place.
    """
    scores = {
        part: (
            part.follows(_EMOTION_WORDS),
            len(part.counts) > 2,
            not (part.at_end and part.is_number),
            part.level + part.first > 0,
        )
        for part in (part for way in ways for part in way.parts())
        if 2 <= len(part.counts) <= 12 and min(part.counts.values()) > 1
        if not (sexes(part.counts) or part.follows(SPEAKERS | {"p", "s"}))
    }
    if scores:
        best = max(scores, key=scores.__getitem__)
        yield Choice(best, Meaning(unknown=tuple(sorted(best.counts))))


def _is_ravdess(part: Part) -> bool:
    # There, what is neutral (01) is never intense (02).
    form = re.compile(r"\d\d-\d\d-(?!01-02)0[1-8](-\d\d){4}")
    names = ("".join(row) for row in part.split.tokens if row is not None)
    return (part.first, part.last) == (4, 4) and all(map(form.fullmatch, names))


def _with_speaker(choice: Choice, ways: Sequence[Split], labels: Sequence[str | None]) -> Choice:
    """Return a choice with the parts that may tell the speaker."""
    emotion = choice.emotion
    found = [part for part in beside(emotion, ways) if _may_be_speaker(part, emotion, labels)]
    candidates = [part for part in found if all(_is_factor(part, whole) for whole in found)]
    levels = Counter(groups for groups, _ in {(part.groups, part.level) for part in candidates})
    # Folders and names that say the same confirm one another.
    rank = {part: _TOLD if levels[part.groups] > 1 else _rank(part, emotion) for part in candidates}
    # Names outlast folders, and of what is alike the way that takes names apart finest comes first.
    distinct: dict[tuple[int, ...], Part] = {}
    for part in sorted(candidates, key=lambda part: (-rank[part], part.level, part.first)):
        distinct.setdefault(part.groups, part)
    highest = max(rank.values(), default=_COUNT)
    ranked = list(distinct.values())
    rest = [part for part in ranked[1:] if len(part.counts) <= _MANY_SPEAKERS]
    # Who is called 01 may as well be a take. Whoever is asked may choose among all.
    meant = [part for part in rest if highest == _NAMED and _may_be_meant(part, ranked[0])]
    asked = meant or any(rank[part] == highest for part in rest)
    speakers = [*ranked[:1], *(rest[:_MOST_RIVALS] if asked else ())]
    return replace(choice, ways=ways, labels=labels, speakers=tuple(speakers), rank=highest)


def _may_be_meant(part: Part, chosen: Part) -> bool:
    """Tell whether a part of the file names may be the speaker in place of a better founded one.

    What takes are usually called may not: few values, and at the end letters, numbers from 1 on
    (but behind fewer codes such as t1, or two values), and codes behind names.
    """
    if part.level or chosen.level or not part.stands_alone or len(part.counts) < 3:
        return False
    if part.at_end:
        if part.is_number and min(map(int, part.counts)) < 2 and not part.before:
            coded = all(not code.isdecimal() and code[-1].isdecimal() for code in chosen.counts)
            return len(part.counts) >= len(chosen.counts) and (coded or len(chosen.counts) == 2)
        weak = not chosen.is_word or chosen.first > 0 or len(chosen.counts) == 2
        return max(map(len, part.counts)) > 1 and (part.is_word or weak)
    return not (part.counts_from_one and chosen.is_word)


def beside(emotion: Part | None, ways: Sequence[Split]) -> Iterator[Part]:
    """Yield the parts that an expression may find beside that of the emotion."""
    for way in ways:
        if emotion is None or way.level != emotion.level or way is emotion.split:
            yield from (part for part in way.parts() if not emotion or not part.overlaps(emotion))


def _may_be_speaker(part: Part, emotion: Part | None, labels: Sequence[str | None]) -> bool:
    counts, files = part.counts, sum(part.counts.values())
    if not 2 <= len(counts) <= min(files / 2, MOST_SPEAKERS) or part.follows(_NO_SPEAKER):
        return False
    if sexes(counts) or meaning(counts).score > _SURE:
        return False
    if part.level:
        # A folder is named after a person as a whole, or beside the emotion.
        if not (part.whole or (emotion and part.level == emotion.level)):
            return False
        # Of the folders Strong, Weak and Neutral none is a person.
        if set(counts) & set(labels) or any(map(emotion_of, counts)):
            return False
    elif any(re.search(r"[-_()\[\]{}]", value) for value in counts):
        return False  # several parts at once
    return not determines(part.values, labels)


def determines(values: Sequence[str | None], labels: Sequence[str | None]) -> bool:
    """Tell whether values foretell the labels."""
    pairs = Counter(pair for pair in zip(values, labels, strict=True) if None not in pair)
    often = {value: files for (value, _), files in reversed(pairs.most_common())}
    return sum(often.values()) >= _DETERMINES * pairs.total()


def _rank(part: Part, emotion: Part | None) -> int:
    """Return what speaks for a part; a step less where other letters or digits stick to it."""
    numbered = all(value.isalnum() and re.search(r"\d", value) for value in part.counts)
    by_sex = len(part.stems) == 2 and sexes({stem[-1:] for stem in part.stems})  # F1, M1
    if part.follows(SPEAKERS) or (numbered and by_sex):
        return _TOLD
    if compound(part):
        return _COUNT
    if not part.level:
        way = part.split
        first = all(way.separators[at] or way.is_fixed(at) for at in range(part.first))
        counts = part.is_number and (not first or part.counts_from_one)
        if part.at_end or counts or max(map(len, part.counts)) == 1:  # a take or a text
            return _COUNT
    separators = dict(enumerate(part.split.separators))
    sides = [at for at in (part.first - 1, part.last + 1) if separators.get(at) is False]
    varying = [Part(part.split, at, at) for at in sides if not part.split.is_fixed(at)]
    return _NAMED - any(not (emotion and emotion.overlaps(side)) for side in varying)


def compound(part: Part) -> int:
    """Return after how many signs a code falls into two, such as Xa, Xb, Ya and Yb; else 0."""
    texts, lengths = part.counts, {len(text) for text in part.counts}
    if len(lengths) == 1 and not (part.is_number and lengths < {1, 2, 3}):
        for size in range(1, *lengths):
            heads, tails = {text[:size] for text in texts}, {text[size:] for text in texts}
            if 1 < len(heads) < len(texts) == len(heads) * len(tails):
                return size
    return 0


def _is_factor(part: Part, whole: Part) -> bool:
    """Tell whether a part is no piece of another, or one that stands beside each of some others.

    Of anna1, anna2, ben1 and ben2 the numbers are more likely takes than parts of names.
    """
    within = part.split is whole.split and whole.first <= part.first and part.last <= whole.last
    if not within or part.last - part.first == whole.last - whole.first:
        return True
    rests = {text.removeprefix(piece).removesuffix(piece) for piece, text in part.pairs(whole)}
    return 1 < len(rests) == len(whole.counts) / len(part.counts)
