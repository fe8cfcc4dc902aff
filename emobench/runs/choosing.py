"""Which corpora a user means, by themselves and one against the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from .. import corpora
from ..corpora import Corpus, Registry
from ..errors import CorpusError, SpecError
from ..spec import ModelSpec, Places

_ALL = "all"

T = TypeVar("T", Corpus, ModelSpec)


def select(names: Sequence[str], registry: Registry, places: Places) -> list[Corpus]:
    """Return the corpora that were named, and for "all" every real corpus on disk.

    Raises:
        SpecError: if a name is wrong
        CorpusError: if "all" finds none
    """
    return _found("--corpus", names, registry, places, registry.get)


def between(
    trained: Sequence[str], tested: Sequence[str], registry: Registry, places: Places
) -> tuple[list[Corpus], dict[str, str]]:
    """Return each corpus that is trained on with each that is tested.

    Args:
        trained: names; "a+b" is both together, "all" every real corpus on disk
        tested: the same
        registry: of corpora
        places: where they are

    Returns:
        corpora of two sides, and what "all" or two lists do not cover, with the reason

    Raises:
        SpecError: if a name is wrong, or two that were named cannot be tried on each other
        CorpusError: if "all" finds none
    """
    learnt = _found("--corpus", trained, registry, places, registry.side)
    tried = _found("--test-corpus", tested, registry, places, registry.side)
    every = means_all((*trained, *tested))
    left_out = not_on_disk((*trained, *tested), registry, (*learnt, *tried))
    found: list[Corpus] = []
    refused: SpecError | None = None
    for one in learnt:
        for other in tried:
            try:
                found.append(corpora.across(one, other))
            except SpecError as error:
                refused = error
                matrix = one.name == other.name and len(learnt) > 1 and len(tried) > 1
                if not every and not matrix:
                    raise
                if one.name != other.name:
                    left_out[f"{one.name} to {other.name}"] = str(error)
    if not found and refused is not None:
        raise refused
    return found, left_out


def expand(
    option: str, words: Sequence[str], every: Callable[[], Sequence[str]], get: Callable[[str], T]
) -> list[T]:
    """Return what is named, each once, in the order first named; "all" stands for every one."""
    if not words:
        raise SpecError(f"{option}: expected a name or 'all', found nothing.")
    chosen: dict[str, T] = {}
    for word in words:
        for name in every() if means_all([word]) else [word]:
            item = get(name)
            chosen.setdefault(item.name, item)
    return list(chosen.values())


def means_all(words: Sequence[str]) -> bool:
    """Tell whether "all" is among some words, without regard to case."""
    return any(word.strip().lower() == _ALL for word in words)


def not_on_disk(
    words: Sequence[str], registry: Registry, chosen: Sequence[Corpus]
) -> dict[str, str]:
    """Return what "all" corpora does not cover, with the reason.

    Args:
        words: what was asked for
        registry: of corpora
        chosen: what it comes to
    """
    if not means_all(words):
        return {}
    present = {corpus.name for corpus in chosen}
    reasons = {}
    for name in registry.names():
        corpus = registry.get(name)
        if corpus.synthetic:
            reasons[name] = "synthetic; run it by name"
        elif corpus.pool:
            reasons[name] = "made of others; run it by name"
        elif name not in present:
            reasons[name] = "not found on disk"
    return {name: reason for name, reason in reasons.items() if name not in present}


def _found(
    option: str,
    names: Sequence[str],
    registry: Registry,
    places: Places,
    get: Callable[[str], Corpus],
) -> list[Corpus]:
    def on_disk() -> list[str]:
        every = [registry.get(name) for name in registry.names()]
        return [item.name for item in every if _own(item) and corpora.find(item, places.data)]

    found = expand(option, names, on_disk, get)
    if not found:
        where = f"under {places.data}" if places.data else "because --data was not given"
        raise CorpusError(
            f"{option} all: found none of the registered corpora {where}. Unpack a corpus into "
            "<data>/<name>, or try `--corpus demo`. `emobench corpora` tells where to get each."
        )
    return found


def _own(corpus: Corpus) -> bool:
    """Tell whether a corpus is made of recordings of its own, and so belongs to "all"."""
    return not corpus.synthetic and not corpus.pool
