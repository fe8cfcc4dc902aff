"""What can be said of a plan's corpora before anything is extracted: once, and in good time."""

from __future__ import annotations

import logging
from collections.abc import Callable

from .. import controls
from ..corpora import Corpus
from ..errors import count
from ..experiments.dataset import Dataset
from ..spec import Places
from . import between
from .planning import Plan

_log = logging.getLogger(__name__)


class Foreseeing:
    """What is said of each corpus of a plan, once.

    Args:
        planned: what is run
        places: where the corpora are
        notice: told what two corpora have in common
    """

    def __init__(self, planned: Plan, places: Places, notice: Callable[[str], None]) -> None:
        self._planned, self._places, self._notice = planned, places, notice
        self._said: set[tuple[str, str]] = set()

    def say(self, corpus: Corpus) -> None:
        """Say what a corpus cannot teach, and what two have in common.

        Raises:
            CorpusError: if it cannot be read or split
        """
        if self._is_new("corpus", corpus):
            for finding in between.foresee(corpus, self._planned.protocol, self._places):
                _log.warning("%s: %s", corpus.name, finding.line)
            for line in between.explained(corpus, self._places):
                self._notice(line)
            self._said.add(("corpus", corpus.name))

    def warn_of_control(self, corpus: Corpus, data: Dataset) -> None:
        """Say of which speakers a control changes nothing."""
        is_controlled = self._planned.selection.control != "none"
        unmoved = controls.unmoved(data.table) if is_controlled else []
        if unmoved and self._is_new("control", corpus):
            _log.warning(
                "%s: %s of %d have clips of one label only, which permuting leaves as they are: "
                "the control says less of them, such as %s.",
                corpus.name,
                count(len(unmoved), "speaker"),
                data.table["speaker"].nunique(),
                unmoved[0],
            )
            self._said.add(("control", corpus.name))

    def _is_new(self, what: str, corpus: Corpus) -> bool:
        return (what, corpus.name) not in self._said
