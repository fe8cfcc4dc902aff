"""Paths taken apart: folders and file names as rows of words, numbers and what separates them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .vocabulary import EMOTION_WORDS

_LETTERS = r"[^\W\d_]"
_CAPITALS = rf"(?:(?![\W\d_a-zà-ÿ]){_LETTERS})"
_SMALL = rf"(?:(?![\W\d_A-ZÀ-Þ]){_LETTERS})"

_EMOTION = "|".join(sorted(EMOTION_WORDS, key=len, reverse=True))

SPLITTERS = {
    "runs": rf"{_LETTERS}+|\d+|[\W_]+",
    "capitals": rf"{_CAPITALS}?{_SMALL}+|{_CAPITALS}+(?!{_SMALL})|{_LETTERS}+|\d+|[\W_]+",
    "words": rf"(?i:{_EMOTION})|(?:(?!(?i:{_EMOTION})){_LETTERS})+|\d+|[\W_]+",
    "letters": rf"{_LETTERS}|\d+|[\W_]+",
    "fields": r"[^\W_]+|[\W_]+",
    "signs": r"(?:(?!\s*[-_()\[\]{}]).)+|\s*[-_()\[\]{}]+\s*",
    "brackets": r"(?:(?!\s*[()\[\]{}]).)+|\s*[()\[\]{}]+\s*",
    "underscores": r"[^_]+|_+",
    "hyphens": r"(?:(?!\s*-).)+|\s*-+\s*",
    "blanks": r"\S+|\s+",
    "whole": r".+",
}
"""Ways to take a name apart, the finest first. Each part is a value or a separator."""

_SEPARATOR = re.compile(r"[\W_]+")
_LEAST_SHARE = 0.9
_MOST_SHOWN = 8


def shown(values: Collection[str]) -> str:
    """Return how many values there are, and the first of them."""
    more = ", …" if len(values) > _MOST_SHOWN else ""
    return f"{len(values)} values: {', '.join(sorted(values)[:_MOST_SHOWN])}{more}"


def partition(values: Sequence[str | None]) -> tuple[int, ...]:
    """Return which files belong together by a value each, whatever that is."""
    first: dict[str | None, int] = {}
    return tuple(first.setdefault(value, len(first)) for value in values)


@dataclass(frozen=True, eq=False)
class Part:
    """A stretch of file or folder names that may mean something.

    Attributes:
        split: how the names that it belongs to are taken apart
        first: position of its first token in the name
        last: of its last token
    """

    split: Split
    first: int
    last: int

    @property
    def level(self) -> int:
        """0 for the file name, 1 for the folder that holds it, and so on."""
        return self.split.level

    @cached_property
    def values(self) -> tuple[str | None, ...]:
        """Text by file; None where a name is put together otherwise."""
        stretch = slice(self.first, self.last + 1)
        return tuple(None if row is None else "".join(row[stretch]) for row in self.split.tokens)

    @cached_property
    def before(self) -> str:
        """The word before it, in small letters, if that is always the same."""
        separators, position = self.split.separators, self.first - 1
        if position >= 0 and separators[position]:  # one separator may lie between
            position -= 1
        word = ""
        while position >= 0 and not separators[position] and self.split.is_fixed(position):
            word = next(iter(self.split.column(position))) + word
            position -= 1
        return word.casefold()

    def follows(self, words: Collection[str]) -> bool:
        """Return whether one of some words stands before it, or in each value."""
        return self.before in words or self.stems <= words

    @property
    def at_end(self) -> bool:
        """Whether nothing but separators follows."""
        return all(self.split.separators[self.last + 1 :])

    @property
    def whole(self) -> bool:
        """Whether it is all of the name."""
        return self.first == 0 and self.last == len(self.split.separators) - 1

    @property
    def counts_takes(self) -> bool:
        """Whether it is a number at the end of file names."""
        return not self.level and self.at_end and self.is_number

    @cached_property
    def counts(self) -> Counter[str]:
        """Number of files by value."""
        return Counter(value for value in self.values if value is not None)

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """Which files belong together by a value each, whatever that is."""
        return partition(self.values)

    @cached_property
    def stems(self) -> set[str]:
        """The values without digits and signs, in small letters."""
        return {re.sub(r"[\W\d_]+", "", value).casefold() for value in self.counts}

    @property
    def is_number(self) -> bool:
        """Whether every value is a number."""
        return all(value.isdecimal() for value in self.counts)

    @property
    def is_word(self) -> bool:
        """Whether every value is made of letters alone."""
        return all(value.isalpha() for value in self.counts)

    @property
    def counts_from_one(self) -> bool:
        """Whether values are 1, 2, 3 and so on."""
        return set(self.counts) == {str(1 + number) for number in range(len(self.counts))}

    @property
    def stands_alone(self) -> bool:
        """Whether separators lie on both sides, where anything does."""
        between = self.split.separators
        return all(between[max(0, self.first - 1) : self.first] + between[self.last + 1 :][:1])

    def pairs(self, other: Part) -> set[tuple[str, str]]:
        """Return the values that it and another part have in the same names."""
        return {pair for pair in zip(self.values, other.values, strict=True) if None not in pair}

    def overlaps(self, other: Part) -> bool:
        """Return whether the two share a token."""
        together = self.first <= other.last and other.first <= self.last
        return self.level == other.level and together

    @property
    def place(self) -> str:
        """Which name it is a part of."""
        names = ("the file name", "the folder", "the folder above")
        return names[self.level] if self.level < 3 else f"the folder {self.level} levels up"

    def __str__(self) -> str:
        return f"{self.place} ({shown(self.counts)})"


@dataclass(frozen=True, eq=False)
class Split:
    """The names of one level, taken apart in one way.

    Attributes:
        level: 0 for file names, 1 for the folders that hold them, and so on
        way: key of `SPLITTERS`
        tokens: by file; None for names that are put together otherwise than most
        separators: whether the token at a position separates others
    """

    level: int
    way: str
    tokens: tuple[tuple[str, ...] | None, ...]
    separators: tuple[bool, ...]

    def column(self, position: int) -> set[str]:
        """Return the texts that occur at a position."""
        return {row[position] for row in self.tokens if row is not None}

    def is_fixed(self, position: int) -> bool:
        """Return whether the same text stands at a position in all names."""
        return len(self.column(position)) == 1

    def parts(self) -> Iterator[Part]:
        """Yield every token that varies, and every word with the number that follows it."""
        for position, is_separator in enumerate(self.separators):
            part, longer = Part(self, position, position), Part(self, position, position + 1)
            if not is_separator and len(part.counts) > 1:
                yield part
            within_word = self.is_fixed(position) and Part(self, position - 1, position).is_word
            numbered = part.is_word and Part(self, position + 1, position + 1).is_number
            if numbered and not within_word and len(longer.counts) > 1:
                yield longer
        if len(self.separators) > 1 and self.level > 0:
            yield Part(self, 0, len(self.separators) - 1)


def splits(names: Sequence[str | None], level: int) -> list[Split]:
    """Return the ways to take the names of a level apart that put nearly all into one shape."""
    present = sum(name is not None for name in names)
    found: dict[tuple[tuple[str, ...] | None, ...], Split] = {}
    for way, expression in SPLITTERS.items():
        rows = {name: tuple(re.findall(expression, name)) for name in set(names) - {None}}
        shape_of = {name: _shape(row) for name, row in rows.items()}
        shapes = Counter(shape_of[name] for name in names if name is not None)
        shape, count = max(shapes.items(), key=lambda item: item[1], default=("", 0))
        if count < _LEAST_SHARE * present or not shape:
            continue
        kept = tuple(rows[name] if shape_of.get(name) == shape else None for name in names)
        separators = tuple(kind == "s" for kind in shape)
        found.setdefault(kept, Split(level, way, kept, separators))
    return list(found.values())


def _shape(row: Sequence[str]) -> str:
    """Return for each token of a name whether it is a separator, digits or a word."""
    kinds = ((token.isdecimal(), bool(_SEPARATOR.fullmatch(token))) for token in row)
    return "".join("s" if separates else "d" if counts else "w" for counts, separates in kinds)
