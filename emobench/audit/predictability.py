"""How well something about a clip tells its label, beyond chance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence


def skill(pairs: Iterable[tuple[Hashable, str]]) -> float:
    """Return how well a key tells the label, if each key stands for its most frequent label.

    Args:
        pairs: key and label of each clip

    Returns:
        mean recall over labels, moved so that 0 is chance and 1 is never wrong

    Examples:
        >>> skill([("a", "x"), ("a", "x"), ("b", "y")]), skill([("a", "x"), ("a", "y")])
        (1.0, 0.0)
    """
    every = list(pairs)
    labels: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for key, label in every:
        labels[key][label] += 1
    best = {key: counts.most_common(1)[0][0] for key, counts in labels.items()}
    return beyond_chance([(label, best[key]) for key, label in every])


def held_out(clips: Sequence[tuple[Hashable, str, str]]) -> list[str | None]:
    """Tell the label of each clip from what other groups have under the same key.

    Args:
        clips: key, label and group of each clip

    Returns:
        for each clip the label that most clips of other groups with its key have; "" where no
        label leads, None where no other group has the key
    """
    whole: dict[Hashable, Counter[str]] = defaultdict(Counter)
    own: dict[tuple[Hashable, str], Counter[str]] = defaultdict(Counter)
    for key, label, group in clips:
        whole[key][label] += 1
        own[key, group][label] += 1
    return [_leading(whole[key] - own[key, group]) for key, _, group in clips]


def _leading(counts: Counter[str]) -> str | None:
    first = counts.most_common(2)
    if not first:
        return None
    return "" if len(first) == 2 and first[0][1] == first[1][1] else first[0][0]


def beyond_chance(told: Sequence[tuple[str, str]]) -> float:
    """Return the mean recall over labels, moved so that 0 is chance and 1 is never wrong.

    Args:
        told: label of each clip, and what it was taken for
    """
    total = Counter(label for label, _ in told)
    right = Counter(label for label, guess in told if guess == label)
    if len(total) < 2:
        return 0.0
    recall = sum(right[label] / number for label, number in total.items()) / len(total)
    chance = 1 / len(total)
    return (recall - chance) / (1 - chance)
