"""A corpus that is trained on and one that is tested on, as one set of clips with two sides.

Canonical emotions are what two corpora have in common, whatever each calls them and whatever its
entry trains on. `other` and `unknown` are no emotion: what falls under them differs from corpus to
corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import SpecError
from ...spec import BETWEEN, TESTED
from .fields import EMOTIONS, NO_EMOTION
from .items import Expect
from .schema import Corpus

JOIN = "+"
"""Stands between the names of corpora that are one side together."""

_FEWEST = 2


def across(trained: Corpus, tested: Corpus) -> Corpus:
    """Return the clips of two corpora, or pools, as a corpus whose one fold tests the second.

    Args:
        trained: all speakers of it are trained on
        tested: all speakers of it are tested

    Raises:
        SpecError: if they have recordings in common, or fewer than two emotions
    """
    name = f"{trained.name}{BETWEEN}{tested.name}"
    _insist_on_other_recordings(name, trained, tested)
    parts = parts_of(trained) + parts_of(tested)
    common = (trained.canonical & tested.canonical) - NO_EMOTION
    if len(common) < _FEWEST:
        raise SpecError(
            f"{name}: expected two common emotions or more, found "
            f"{', '.join(sorted(common)) or 'none'}: {trained.name} has {_listed(trained)}, "
            f"{tested.name} has {_listed(tested)}. Name other corpora."
        )
    return _joined(
        name,
        f"{trained.title} → {tested.title}",
        parts,
        f"{TESTED}{','.join(part.name for part in parts_of(tested))}",
        expect=_expected(parts, common),
        sides=(trained, tested),
    )


def together(corpora: Sequence[Corpus]) -> Corpus:
    """Return several corpora as one side, in the order of their names.

    Raises:
        SpecError: if two of them are one corpus or variants of one
    """
    parts = sorted((part for one in corpora for part in parts_of(one)), key=lambda one: one.name)
    name = JOIN.join(sorted(one.name for one in corpora))
    bases = [part.base for part in parts]
    twice = sorted({base for base in bases if bases.count(base) > 1})
    if twice:
        raise SpecError(
            f"{name}: expected corpora with recordings of their own, found {', '.join(twice)} "
            "several times, itself or a variant. Name each once."
        )
    title = " and ".join(part.title for part in parts)
    return _joined(name, title, tuple(parts), "speaker")


def parts_of(corpus: Corpus) -> tuple[Corpus, ...]:
    """Return the corpora with files of their own that one is made of."""
    return corpus.parts or (corpus,)


def words(corpus: Corpus) -> dict[str, dict[str, list[str]]]:
    """Return what each corpus calls the common emotions: its own words by emotion and corpus."""
    return {
        emotion: {
            part.name: list(dict.fromkeys(_words_of(part, emotion)))
            for part in corpus.parts
            if emotion in part.canonical
        }
        for emotion in corpus.labels
    }


def _words_of(part: Corpus, emotion: str) -> Iterator[str]:
    return (own for own, meant in part.meanings.values() if meant == emotion)


def _insist_on_other_recordings(name: str, trained: Corpus, tested: Corpus) -> None:
    """Refuse a corpus on both sides, as a variant or in a pool as well."""
    learnt = {part.base: part.name for part in parts_of(trained)}
    shared = [part for part in parts_of(tested) if part.base in learnt]
    if shared:
        each = "; ".join(
            f"trained on {learnt[part.base]} and tested on {part.name}" for part in shared
        )
        raise SpecError(
            f"{name}: expected other recordings and speakers to test than to train on, found "
            f"{shared[0].base} on both sides ({each}). Name other corpora, or leave out "
            "--test-corpus to hold out speakers of one."
        )


def _joined(
    name: str,
    title: str,
    parts: tuple[Corpus, ...],
    folds: str,
    *,
    expect: Expect | None = None,
    sides: tuple[Corpus, Corpus] | None = None,
) -> Corpus:
    keys: dict[str, Any] = {
        "title": title,
        "pool": tuple(part.name for part in parts),
        "folds": folds,
    }
    keys |= {"expect": expect} if expect else {}
    corpus = Corpus.model_construct(_fields_set={*keys, "name"}, **keys, name=name)
    return corpus.made_of(parts, sides)


def _expected(parts: Sequence[Corpus], common: frozenset[str]) -> Expect | None:
    """Return how many clips complete copies hold of the common emotions, if all entries say so."""
    told = [part.expect for part in parts if part.expect and part.expect.emotions]
    if len(told) < len(parts):
        return None
    return Expect(**{name: sum(one.emotions.get(name, 0) for one in told) for name in common})


def _listed(corpus: Corpus) -> str:
    return ", ".join(name for name in EMOTIONS if name in corpus.canonical)
