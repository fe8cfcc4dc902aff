"""A run from one corpus to another: what is said of it, kept of it, and refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .. import audit, corpora
from ..audit import Finding
from ..corpora import Corpus
from ..corpora.entries import across
from ..errors import CorpusError, count
from ..experiments.dataset import Dataset
from ..spec import Fold, Places, Protocol

_SHARED = "-on-both-sides"
_MOST_NAMED = 5


def foresee(corpus: Corpus, protocol: Protocol, places: Places) -> Iterator[Finding]:
    """Yield what is to be said before a corpus is run.

    Raises:
        CorpusError: if it cannot be read or split, or if something is trained on in one corpus and
            tested in another
    """
    for finding in audit.foresee(corpus, protocol, places.data, places.cache):
        if corpus.sides and finding.severity == "hard" and finding.kind.endswith(_SHARED):
            raise CorpusError(
                f"{corpus.name}: expected {finding.expected}, found {finding.found}. "
                "Name other corpora, or remove from one what the other holds."
            )
        yield finding


def insist_on_other_sounds(corpus: Corpus, data: Dataset, folds: Sequence[Fold]) -> None:
    """Refuse to test what was trained on under another name, whatever kind of file it is in.

    Raises:
        CorpusError: if a sound is on both sides
    """
    if not corpus.sides or not data.sounds:
        return
    for fold in folds:
        learnt = {data.sounds[clip]: clip for clip in fold.training}
        learnt.pop(None, None)
        shared = [clip for clip in fold.test if data.sounds[clip] in learnt]
        if shared:
            pairs = (f"{learnt[data.sounds[clip]]} = {clip}" for clip in shared[:_MOST_NAMED])
            raise CorpusError(
                f"{corpus.name}: expected other recordings to test than to train on, found "
                f"{count(len(shared), 'test clip')} whose sound is trained on: {', '.join(pairs)}. "
                "Name other corpora, or remove from one what the other holds."
            )


def facts(corpus: Corpus, places: Places) -> dict[str, Any]:
    """Return what `experiment.json` holds of two corpora, and nothing for one.

    That is `words`, what each corpus calls the common emotions, and `dropped`, how many clips are
    left out and why: the other side has no such emotion, or an entry drops them.
    """
    if not corpus.sides:
        return {}
    reading = corpora.open_corpus(corpus, places.data, places.cache)
    return {"words": across.words(corpus), "dropped": dict(sorted(reading.dropped.items()))}


def explained(corpus: Corpus, places: Places) -> Iterator[str]:
    """Yield lines that tell what two corpora have in common, and what is left out.

    Raises:
        CorpusError: if one of them is not there
    """
    if not corpus.sides:
        return
    known = facts(corpus, places)
    yield f"{corpus.name}: {count(len(corpus.labels), 'common emotion')}"
    for emotion, by_corpus in known["words"].items():
        told = (f"{', '.join(own)} in {name}" for name, own in by_corpus.items())
        yield f"  {emotion}: {'; '.join(told)}"
    for reason, clips in known["dropped"].items():
        yield f"  left out: {count(clips, 'clip')} ({reason})"
