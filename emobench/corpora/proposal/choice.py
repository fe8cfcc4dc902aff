"""Which part of the names tells the emotion, and which the speaker."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..files import AudioFile
from . import legends
from .parts import Part, Split, splits
from .words import Meaning, emotion_of, meaning, plain, sexes

_SPEAKER_WORDS = frozenset(
    {
        *("speaker", "spk", "sp", "s", "actor", "act", "subject", "subj", "sub", "participant"),
        *("part", "person", "talker", "voice", "id", "p", "f", "m", "w", "female", "male", "man"),
        *("woman", "sprecher", "sprecherin", "vp", "vpn", "proband", "locuteur", "loc"),
        *("parlante", "hablante"),
    }
)
_EMOTION_WORDS = frozenset(("emotion", "emo", "e", "label", "class", "em", "gefuhl", "emozione"))
_LEAST_COVERAGE = 0.3
_LEAST_SPEAKER = 2.0
_MOST_SPEAKERS = 500


@dataclass(frozen=True)
class Chosen:
    """A part of the names with what speaks for it.

    Attributes:
        part: the stretch
        split: of the names of its level, that it belongs to
        score: how plausible it is
    """

    part: Part
    split: Split
    score: float


@dataclass(frozen=True)
class Choice:
    """What the names tell.

    Attributes:
        emotion: part that tells the emotion; None if none seems to
        meaning: of its values
        speaker: part that tells the speaker; None if none seems to
        rivals: other parts that might
        raw: words for codes, from a legend
        legend: where that stands
    """

    emotion: Chosen | None = None
    meaning: Meaning | None = None
    speaker: Chosen | None = None
    rivals: tuple[Part, ...] = ()
    raw: Mapping[str, str] = field(default_factory=dict)
    legend: str | None = None


def choose(
    files: Sequence[AudioFile],
    folder: Path,
    labels: Sequence[str | None] | None,
    needs_speaker: bool,
) -> Choice:
    """Return which parts of the names tell emotion and speaker.

    Args:
        files: audio files
        folder: that they lie in, for legends
        labels: emotions by file where a table tells them; names are then not asked
        needs_speaker: whether names must tell the speaker
    """
    ways = [way for level, names in _levels(files) for way in splits(names, level)]
    if labels is not None:
        speakers = _speakers(ways, None, labels) if needs_speaker else []
        return Choice(speaker=_first(speakers), rivals=_rivals(speakers))
    told = list(legends.texts(folder))
    options = sorted(_emotions(ways, told), key=lambda option: -option[0].score)
    if not options:
        return _without_labels(ways, needs_speaker)
    best: tuple[float, Choice] | None = None
    for emotion, read, raw, legend in options:
        if emotion.score < options[0][0].score - 0.01:
            break
        speakers = _speakers(ways, emotion, emotion.part.values) if needs_speaker else []
        score = speakers[0].score if speakers else 0.0
        if best is None or score > best[0]:
            choice = Choice(emotion, read, _first(speakers), _rivals(speakers), raw, legend)
            best = score, choice
    return best[1]


def _without_labels(ways: Sequence[Split], needs_speaker: bool) -> Choice:
    """Choose the part that looks most like labels, though none of them is known."""
    candidates = [
        Chosen(part, way, score)
        for way in ways
        for part in way.parts()
        if (score := _label_score(part)) is not None
    ]
    if not candidates:
        return Choice()
    emotion = max(candidates, key=lambda chosen: chosen.score)
    speakers = _speakers(ways, emotion, emotion.part.values) if needs_speaker else []
    unknown = Meaning({}, tuple(sorted(emotion.part.counts)))
    return Choice(emotion, unknown, _first(speakers), _rivals(speakers))


def _levels(files: Sequence[AudioFile]) -> Iterator[tuple[int, list[str | None]]]:
    """Yield names by level, from the files' own up to the folder that most lie in."""
    paths = [file.relative.split("/") for file in files]
    yield 0, [file.stem for file in files]
    for level in range(1, max(map(len, paths))):
        names = [path[-1 - level] if len(path) > level else None for path in paths]
        if sum(name is not None for name in names) < 0.9 * len(files):
            return
        yield level, names


def _emotions(
    ways: Sequence[Split], told: Sequence[tuple[str, legends.Legend]]
) -> Iterator[tuple[Chosen, Meaning, Mapping[str, str], str | None]]:
    """Yield the parts whose values are emotions, by themselves or by a legend."""
    for way in ways:
        for part in way.parts():
            read = meaning(part.counts)
            if read.score > 0:
                yield Chosen(part, way, read.score - 0.02 * part.level), read, {}, None
            if not 2 <= len(part.counts) <= 16 or max(map(len, part.counts)) > 4:
                continue
            known = legends.legend_of(told, part.counts)
            if known is None and _is_ravdess(way, part):
                known = "the order of RAVDESS' names", legends.RAVDESS
            if known is not None:
                source, words = known
                raw = {code: words[code] for code in part.counts if code in words}
                emotions = {code: emotion_of(word) or "other" for code, word in raw.items()}
                unknown = tuple(code for code in part.counts if code not in raw)
                share = len(raw) / len(part.counts)
                kinds = len(set(emotions.values()))
                if kinds > 1:
                    read = Meaning(emotions, unknown)
                    score = 0.9 * share + 0.05 * min(6, kinds)
                    yield Chosen(part, way, score), read, raw, source


def _is_ravdess(way: Split, part: Part) -> bool:
    shape = [len(way.column(position)) for position in range(len(way.separators))]
    two_digits = re.compile(r"\d\d(?:-\d\d){6}")
    names = ("".join(row) for row in way.tokens if row is not None)
    return (
        len(shape) == 13
        and (part.first, part.last) == (4, 4)
        and set(part.counts) <= set(legends.RAVDESS)
        and all(two_digits.fullmatch(name) for name in names)
    )


def _speakers(
    ways: Sequence[Split], emotion: Chosen | None, labels: Sequence[str | None]
) -> list[Chosen]:
    """Return the parts that may be speakers, the most plausible first."""
    found: list[Chosen] = []
    for way in ways:
        if emotion and way.level == emotion.split.level and way is not emotion.split:
            continue
        for part in way.parts():
            if emotion and _overlap(part, emotion.part):
                continue
            score = _speaker_score(part, way, labels, emotion.part if emotion else None)
            if score is not None:
                found.append(Chosen(part, way, score))
    echoes = defaultdict(set)
    for chosen in found:
        echoes[_partition(chosen.part)].add(chosen.part.level)
    found = [
        Chosen(one.part, one.split, one.score + 2 * (len(echoes[_partition(one.part)]) > 1))
        for one in found
    ]
    found = [one for one in found if one.score >= _LEAST_SPEAKER]
    found.sort(key=lambda one: -one.score)
    if not found:
        return []
    same = [one for one in found if _partition(one.part) == _partition(found[0].part)]
    first = min(same, key=lambda one: (one.part.level, -one.score))  # names outlast folders
    rest = [one for one in found if not _nested(one.part, first.part)]
    return [replace(first, score=found[0].score), *rest]


def _speaker_score(
    part: Part, way: Split, labels: Sequence[str | None], emotion: Part | None
) -> float | None:
    """Return how plausible a part is as speaker; None if it cannot be."""
    counts, files = part.counts, sum(part.counts.values())
    if not 2 <= len(counts) <= min(files / 2, _MOST_SPEAKERS) or files < 0.9 * len(part.values):
        return None
    if sexes(counts) or meaning(counts).score > 0.6:
        return None
    coverage = _coverage(part, labels)
    if coverage < _LEAST_COVERAGE:
        return None
    stems = {re.sub(r"[\W\d_]+", "", value).casefold() for value in counts}
    numbered = all(re.search(r"\d", value) for value in counts)
    hinted = part.before in _SPEAKER_WORDS or (numbered and stems <= _SPEAKER_WORDS)
    first = all(way.separators[: part.first])
    score = 2 * coverage + 4 * hinted + 1.0 * (4 <= len(counts) <= 100)
    score += 1.0 if part.level else 0.0
    score += 1.5 if first and not part.at_end else 0.0
    score -= 1.0 * (part.at_end and not part.level) + 1.0 * (part.at_end and part.is_number)
    score += 1.0 * (not part.is_number)
    score += 0.5 * (part.is_number and {len(value) for value in counts} in ({2}, {3}, {4}))
    score -= 1.0 * (not hinted and _counts_up(counts))
    score -= 100 * (1 - files / len(part.values))  # files that are named otherwise
    return score - 1.5 * _is_fragment(part, way, emotion)


def _counts_up(values: Iterable[str]) -> bool:
    """Return whether values are 1, 2, 3 …, as recordings are counted."""
    return set(values) == {str(number + 1) for number in range(len(set(values)))}


def _coverage(part: Part, labels: Sequence[str | None]) -> float:
    """Return which share of the labels the clips of a value bear, on average."""
    found = defaultdict(set)
    for value, label in zip(part.values, labels, strict=True):
        if value is not None and label is not None:
            found[value].add(label)
    every = len({label for label in labels if label is not None})
    return sum(map(len, found.values())) / (len(found) * every) if found and every else 0.0


def _is_fragment(part: Part, way: Split, emotion: Part | None) -> bool:
    """Return whether letters or digits stick to a part, other than the emotion's."""
    beside = [part.first - 1, part.last + 1]
    return any(
        0 <= position < len(way.separators)
        and not way.separators[position]
        and not (
            emotion is not None
            and emotion.level == way.level
            and emotion.first <= position <= emotion.last
        )
        for position in beside
    )


def _label_score(part: Part) -> float | None:
    """Return how much the values of a part look like labels of a kind that we do not know."""
    counts = part.counts
    if not 2 <= len(counts) <= 12 or min(counts.values()) < 2 or sexes(counts):
        return None
    stems = {re.sub(r"[\W\d_]+", "", value).casefold() for value in counts}
    hinted = plain(part.before) in _EMOTION_WORDS or (stems <= _EMOTION_WORDS and stems != {""})
    score = 4.0 * hinted + 1.0 * (3 <= len(counts) <= 10) + 1.0 * part.is_word
    score -= 3.0 * (part.before in _SPEAKER_WORDS or (stems <= _SPEAKER_WORDS and stems != {""}))
    score -= 1.0 * (part.at_end and part.is_number) + 0.5 * (part.first == 0 and part.level == 0)
    return score if score > 0 else None


def _overlap(one: Part, other: Part) -> bool:
    return one.level == other.level and one.first <= other.last and other.first <= one.last


def _partition(part: Part) -> tuple[int, ...]:
    """Return which files belong together by a part, whatever it calls them."""
    numbers: dict[str | None, int] = {}
    return tuple(numbers.setdefault(value, len(numbers)) for value in part.values)


def _nested(one: Part, other: Part) -> bool:
    """Return whether one part only splits what the other holds together, or is the same."""
    both = zip(one.values, other.values, strict=True)
    pairs = {pair for pair in both if None not in pair}
    finer = len(pairs) == max(len(one.counts), len(other.counts))
    return finer and (one.level == other.level or len(one.counts) == len(other.counts))


def _first(found: Sequence[Chosen]) -> Chosen | None:
    return found[0] if found else None


def _rivals(found: Sequence[Chosen]) -> tuple[Part, ...]:
    """Return the other candidates that come close to the first."""
    close = [one.part for one in found[1:] if one.score > found[0].score - 2.0]
    different = {part.values: part for part in reversed(close)}  # one may be split in many ways
    return tuple(reversed(different.values()))[:3]
