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
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..reading.audio_files import AudioFile
from . import legends
from .parts import Part, Split, partition, splits
from .vocabulary import BEFORE, Meaning, emotion_of, meaning, plain, sexes

_SPEAKER_WORDS, _EMOTION_WORDS, HOLDERS, _OTHERS = (
    frozenset(word for word, meant in BEFORE.items() if meant == follows)
    for follows in ("speaker", "emotion", "holder", "neither")
)
_NO_SPEAKER = HOLDERS | _OTHERS

_TOLD, _NAMED, _COUNT = 2, 1, 0
"""What speaks for a part as speaker: a word for it, what it looks like, or nothing."""

_DETERMINES = 0.9
"""Share of clips whose label a part foretells, from which it is no speaker."""

_MOST_SPEAKERS = 500
_MANY_SPEAKERS, _MOST_RIVALS = 100, 4


@dataclass(frozen=True)
class Choice:
    """What the names tell.

    Attributes:
        emotion: part that tells the emotion; None if none seems to
        meaning: of its values
        sure: how surely it tells the emotion
        speaker: part that tells the speaker; None if none seems to
        rank: what speaks for it
        rivals: other parts that might as well
        ways: in which names are taken apart
        labels: emotion by file
        same: choices of the same emotion in names that are taken apart otherwise
        others: choices of other parts for the emotion that are as good
    """

    emotion: Part | None = None
    meaning: Meaning | None = None
    sure: float = 0.0
    speaker: Part | None = None
    rank: int = 0
    rivals: tuple[Part, ...] = ()
    ways: Sequence[Split] = ()
    labels: Sequence[str | None] = ()
    same: tuple[Choice, ...] = ()
    others: tuple[Choice, ...] = ()

    @property
    def groups(self) -> tuple[int, ...]:
        """Which files bear one emotion."""
        return partition(self.emotion.values) if self.emotion else ()

    @property
    def parts(self) -> list[Part]:
        """The parts that tell something, or might."""
        return [part for part in (self.emotion, self.speaker, *self.rivals) if part is not None]


def choose(
    files: Sequence[AudioFile],
    told: Sequence[tuple[str, str]],
    labels: Sequence[str | None] | None,
    needs_speaker: bool,
) -> Choice:
    """Return which parts of the names tell emotion and speaker.

    Args:
        files: audio files
        told: names and contents of texts that may explain codes
        labels: emotions by file where a table tells them; names are then not asked
        needs_speaker: whether names must tell the speaker
    """
    ways = [way for level, names in _levels(files) for way in splits(names, level)]
    if labels is not None:
        return _with_speaker(Choice(), ways, labels, needs_speaker)
    options = sorted(_emotions(ways, told), key=lambda option: -option.sure)
    options = options or list(_unknown_labels(ways))
    if not options:
        return Choice()
    first = options[0]
    every = [
        _with_speaker(option, ways, option.emotion.values, needs_speaker)
        for option in options
        # Folders and names may say the same.
        if option.sure >= first.sure - (0.1 if option.groups == first.groups else 0.01)
    ]
    best = max(every, key=_worth)
    same = tuple(one for one in every if one is not best and one.groups == best.groups)
    others = {one.groups: one for one in every if _is_as_good(one, best)}
    return replace(best, same=same, others=tuple(others.values()))


def _worth(choice: Choice) -> tuple[int, bool, int]:
    """Return what speaks for a choice: a speaker, or at least candidates, but few of them."""
    return choice.rank, bool(choice.speaker or choice.rivals), -len(choice.rivals)


def _levels(files: Sequence[AudioFile]) -> Iterator[tuple[int, list[str | None]]]:
    """Yield names by level, from the files' own up to the folder that most lie in."""
    paths = [file.relative.split("/") for file in files]
    yield 0, [file.stem for file in files]
    for level in range(1, max(map(len, paths))):
        names = [path[-1 - level] if len(path) > level else None for path in paths]
        if sum(name is not None for name in names) < 0.9 * len(files):
            return
        yield level, names


def _is_as_good(option: Choice, best: Choice) -> bool:
    """Tell whether another part tells the emotion; of two numbers in a row the last counts."""
    part, chosen = option.emotion, best.emotion
    beside = part.level == chosen.level and part.first == chosen.last + 2
    return option.groups != best.groups and not (beside and part.at_end and part.is_number)


def _emotions(ways: Sequence[Split], told: Sequence[tuple[str, str]]) -> Iterator[Choice]:
    """Yield the parts whose values are emotions, by themselves or by a legend."""
    for part in (part for way in ways for part in way.parts()):
        borrowed = [legends.RAVDESS] if _is_ravdess(part) else []
        explained = [legends.explained(texts, part.counts) for texts in (told, borrowed)]
        for read in (meaning(part.counts), explained[0] or explained[1]):
            if read and read.score > 0:
                yield Choice(part, read, read.score - 0.02 * part.level * (read.source is None))


def _unknown_labels(ways: Sequence[Split]) -> Iterator[Choice]:
    """Yield the part that looks most like labels, though none of them is known."""
    scores = {part: _label_score(part) for way in ways for part in way.parts()}
    best = max(scores, key=scores.__getitem__, default=None)
    if best and scores[best] > 0:
        yield Choice(best, Meaning({}, tuple(sorted(best.counts))), scores[best])


def _is_ravdess(part: Part) -> bool:
    names = ["".join(row) for row in part.split.tokens if row is not None]
    return (
        len(part.split.separators) == 13
        and (part.first, part.last) == (4, 4)
        and set(part.counts) <= {f"0{number}" for number in range(1, 9)}
        # There, what is neutral (01) is never intense (02).
        and all(re.fullmatch(r"\d\d-\d\d-(?!01-02)\d\d(?:-\d\d){4}", name) for name in names)
    )


def _label_score(part: Part) -> float:
    """Return how much the values of a part look like labels of a kind that we do not know."""
    counts = part.counts
    if not 2 <= len(counts) <= 12 or min(counts.values()) < 2 or sexes(counts):
        return 0.0
    stems = letters_of(part)
    hinted = plain(part.before) in _EMOTION_WORDS or (stems <= _EMOTION_WORDS and stems != {""})
    persons = _SPEAKER_WORDS | {"p", "s"}
    score = 4.0 * hinted + 1.0 * (3 <= len(counts) <= 10) + 1.0 * part.is_word
    score -= 3.0 * (part.before in persons or (stems <= persons and stems != {""}))
    score -= 1.0 * (part.at_end and part.is_number) + 0.5 * (part.first == 0 and part.level == 0)
    return score


def _with_speaker(
    choice: Choice, ways: Sequence[Split], labels: Sequence[str | None], needed: bool
) -> Choice:
    """Return a choice with the part that tells the speaker, and those that might as well."""
    choice = replace(choice, ways=ways if needed else (), labels=labels)
    candidates = _candidates(ways, choice.emotion, labels) if needed else []
    levels: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for part in candidates:
        levels[partition(part.values)].add(part.level)
    best: dict[tuple[int, ...], tuple[tuple[int, ...], Part]] = {}
    for part in candidates:
        groups, rank = partition(part.values), _rank(part, choice.emotion)
        # Names outlast folders; what stands for itself is better than a piece of something.
        told = _TOLD if len(levels[groups]) > 1 else rank
        order = (told, -part.level, rank, -part.first)
        if groups not in best or order > best[groups][0]:
            best[groups] = order, part
    ranked = [(order[0], part) for order, part in best.values()]
    ranked.sort(key=lambda one: (-one[0], one[1].level == 0, one[1].first))
    if not ranked:
        return choice
    highest, first = ranked[0]
    # Who is called 01 may as well be a take.
    speaker = first if highest > _COUNT else None
    rivals = [
        part
        for rank, part in ranked
        if part is not speaker
        and (speaker is None or rank == highest)
        and len(part.counts) <= _MANY_SPEAKERS
    ]
    return replace(choice, speaker=speaker, rank=highest, rivals=tuple(rivals[:_MOST_RIVALS]))


def beside(emotion: Part | None, ways: Sequence[Split]) -> Iterator[Part]:
    """Yield the parts that an expression may find beside that of the emotion."""
    for way in ways:
        if emotion is None or way.level != emotion.level or way is emotion.split:
            yield from (part for part in way.parts() if not emotion or not part.overlaps(emotion))


def _candidates(
    ways: Sequence[Split], emotion: Part | None, labels: Sequence[str | None]
) -> list[Part]:
    """Return the parts that may be speakers."""
    found = [
        part
        for part in beside(emotion, ways)
        # A folder is named after a person as a whole, or beside the emotion.
        if not part.level or part.whole or (emotion and part.level == emotion.level)
        if _may_be_speaker(part, labels)
    ]

    def stands_alone(part: Part) -> bool:
        wholes = [other for other in found if _is_piece(part, other)]
        return not wholes or any(_is_factor(part, whole) for whole in wholes)

    return [part for part in found if stands_alone(part)]


def _may_be_speaker(part: Part, labels: Sequence[str | None]) -> bool:
    counts, files = part.counts, sum(part.counts.values())
    if not 2 <= len(counts) <= min(files / 2, _MOST_SPEAKERS) or files < 0.9 * len(part.values):
        return False
    if sexes(counts) or meaning(counts).score > 0.6 or part.before in _NO_SPEAKER:
        return False
    # Of the folders Strong, Weak and Neutral none is a person.
    if part.level and (set(counts) & set(labels) or any(map(emotion_of, counts))):
        return False
    if not part.level and any(re.search(r"[-_()\[\]{}]", value) for value in counts):
        return False  # several parts at once
    return not (letters_of(part) <= _NO_SPEAKER or determines(part.values, labels))


def determines(values: Sequence[str | None], labels: Sequence[str | None]) -> bool:
    """Tell whether values foretell the labels."""
    pairs = Counter(pair for pair in zip(values, labels, strict=True) if None not in pair)
    often: dict[str | None, int] = defaultdict(int)
    for (value, _), files in pairs.items():
        often[value] = max(often[value], files)
    return sum(often.values()) >= _DETERMINES * pairs.total()


def _rank(part: Part, emotion: Part | None) -> int:
    """Return what speaks for a part; a step less where other letters or digits stick to it."""
    numbered = all(re.search(r"\d", value) for value in part.counts)
    stems = letters_of(part)
    by_sex = len(stems) == 2 and sexes({stem[-1:] for stem in stems})  # F1, M1 or SF1, SM1
    if part.before in _SPEAKER_WORDS or (numbered and (by_sex or stems <= _SPEAKER_WORDS)):
        return _TOLD
    stuck = _is_fragment(part, emotion)
    if compound(part):
        return _COUNT
    longest = max(map(len, part.counts))
    if part.at_end and not part.level:  # more often a take or a text
        return _COUNT
    if not numbered and longest > 1:
        return _NAMED - stuck
    way = part.split
    first = all(way.separators[at] or way.is_fixed(at) for at in range(part.first))
    plain_count = set(part.counts) == {str(1 + number) for number in range(len(part.counts))}
    if part.is_number and not part.level and (not first or plain_count):
        return _COUNT
    return _COUNT if longest == 1 and not part.level else _NAMED - stuck


def compound(part: Part) -> int:
    """Return after how many signs a code falls into two, such as Xa, Xb, Ya and Yb; else 0."""
    lengths = {len(text) for text in part.counts}
    if len(lengths) == 1 and not (part.is_number and lengths < {1, 2, 3}):
        for size in range(1, *lengths):
            heads, tails = {text[:size] for text in part.counts}, {t[size:] for t in part.counts}
            if 1 < len(heads) < len(part.counts) == len(heads) * len(tails):
                return size
    return 0


def is_generic(part: Part) -> bool:
    """Tell whether values are mere numbers or letters, which others may bear too."""
    return all(len(stem) < 2 or {stem, stem[:-1]} & _SPEAKER_WORDS for stem in letters_of(part))


def letters_of(part: Part) -> set[str]:
    """Return the values without digits and signs, in small letters."""
    return {re.sub(r"[\W\d_]+", "", value).casefold() for value in part.counts}


def _is_fragment(part: Part, emotion: Part | None) -> bool:
    """Tell whether varying letters or digits stick to a part, other than the emotion's."""
    way = part.split
    return any(
        0 <= position < len(way.separators)
        and not way.separators[position]
        and len(way.column(position)) > 1
        and not (emotion and emotion.overlaps(Part(way, position, position)))
        for position in (part.first - 1, part.last + 1)
    )


def _is_piece(part: Part, whole: Part) -> bool:
    """Tell whether a part is a piece of another, or one of its words between blanks."""
    if part.level != whole.level or part is whole:
        return False
    if part.split is whole.split and whole.first <= part.first and part.last <= whole.last:
        return (part.first, part.last) != (whole.first, whole.last)
    pairs = part.pairs(whole)
    return bool(pairs) and all(word != text and f" {word} " in f" {text} " for word, text in pairs)


def _is_factor(part: Part, whole: Part) -> bool:
    """Tell whether a whole is each value of a part with each of what stands beside it.

    Of anna1, anna2, ben1 and ben2 the numbers are more likely takes than parts of names.
    """
    rests = {text.removeprefix(piece).removesuffix(piece) for piece, text in part.pairs(whole)}
    return len(rests) > 1 and len(whole.counts) == len(part.counts) * len(rests)
