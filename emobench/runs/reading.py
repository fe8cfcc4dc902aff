"""Corpora that a plan reads, as often as it must and no more."""

from __future__ import annotations

from ..corpora import Corpus
from ..experiments import dataset
from ..spec import Places


class Reading:
    """Reads corpora: whoever comes for one that was read last is given the clips of then.

    One is held at a time: experiments on a corpus stand together in a plan, and all corpora at once
    may be more than the memory holds.

    Args:
        places: where the corpora are
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._last: tuple[str, dataset.Clips] | None = None

    def clips(
        self, corpus: Corpus, progress: dataset.Progress = lambda what, done, total: None
    ) -> dataset.Clips:
        """Return the clips of a corpus.

        Args:
            corpus: which
            progress: told how far it is; what was read last goes on to tell whom it told then
        """
        if self._last is None or self._last[0] != corpus.name:
            self._last = corpus.name, dataset.Clips(corpus, self._places, progress)
        return self._last[1]
