"""Jobs that are gathered until they are handed to a scheduler, while others are made ready."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from .submissions import Key, key
from .work import Coming, Work

_log = logging.getLogger(__name__)


class Gathered:
    """Jobs that are there, and whether others may come.

    Args:
        work: jobs; see `contract.Executor.run`

    Attributes:
        there: those that the scheduler did not take yet
        more: whether others may come
    """

    def __init__(self, work: Iterable[Work]) -> None:
        self._work = iter(work)
        self._is_ready = work.ready if isinstance(work, Coming) else lambda: True
        self._refused: set[Key] = set()
        self._why = ""
        self.there: list[Work] = []
        self.more = True

    @property
    def is_complete(self) -> bool:
        """Whether all jobs are there, and there is no reason to wait with them."""
        return bool(self.there) and not (self.more or self._refused)

    def draw(self) -> bool:
        """Let all jobs come for which nobody need wait, and tell whether any are there."""
        while self.more and self._is_ready():
            item = next(self._work, None)
            if item is None:
                self.more = False
            else:
                self.there.append(item)
        return bool(self.there)

    def take(self, left: Collection[Key]) -> list[Work]:
        """Return the jobs that are there, once.

        Args:
            left: those of the jobs given back that nobody has done meanwhile
        """
        gone = self._refused.difference(left)
        taken = [item for item in self.there if key(item) not in gone]
        self.there, self._refused = [], set()
        return taken

    def give_back(self, jobs: Collection[Work], why: str) -> None:
        """Keep jobs for another time, and say why, once as long as it is the same."""
        self.there = [*jobs, *self.there]
        self._refused.update(map(key, jobs))
        if why != self._why:
            self._why = why
            _log.warning("%s; %d jobs wait here, and are handed over later.", why, len(jobs))
