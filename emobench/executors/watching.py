"""What becomes of jobs that are in a scheduler's queue, told by what they file and by the queue."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import EmobenchError, StoreError
from ..store import Store
from ..store.reading import FAILURE
from .endings import explain
from .submissions import Key, Submission, key
from .work import Event, Work

_UNSAID = ("", "None")
"""Of jobs that run, and of those that the scheduler has not considered yet."""

_log = logging.getLogger(__name__)


class Watching:
    """Jobs whose fate is not known yet.

    Args:
        left: the jobs
        submissions: the scheduler's jobs that do them
        cluster: name of the scheduler
    """

    def __init__(self, left: dict[Key, Work], submissions: list[Submission], cluster: str) -> None:
        self.left = left
        self.submissions = submissions
        self._cluster = cluster
        self._gone: set[str] = set()
        self._said: set[str] = set()
        self._old = {name: _failure(item) for name, item in left.items()}

    def add(self, left: Mapping[Key, Work], submissions: Iterable[Submission] = ()) -> None:
        """Watch other jobs too, before anybody does them, and submissions, each of them once."""
        self.left.update(left)
        self._old.update((name, _failure(item)) for name, item in left.items())
        known = {one.id for one in self.submissions}
        self.submissions += (one for one in submissions if one.id not in known)

    def waits(self, queue: Mapping[str, str]) -> bool:
        """Tell whether any submission waits for a node.

        Args:
            queue: why the jobs in it wait, by id
        """
        return any(queue.get(one.id) for one in self.submissions)

    def filed(self) -> Iterator[Event]:
        """Yield what was filed since; failures from before are not news.

        What cannot be read is left for the next look: another run may be filing it anew.
        """
        by_experiment: dict[str, list[Work]] = {}
        for item in self.left.values():
            by_experiment.setdefault(item.experiment.fingerprint, []).append(item)
        for items in by_experiment.values():
            store = Store(items[0].places.results)
            names = _names(store.folder(items[0].experiment))
            for item in items:
                if f"{item.job.name}.json" in names:
                    record = _record(store, item)
                    if record is not None:
                        yield from self._told(Event("done", item, record=record))
                elif f"{item.job.name}{FAILURE}" in names:
                    failure = _failure(item)
                    if failure is not None and failure != self._old[key(item)]:
                        yield from self._told(Event("failed", item, message=failure[0]))

    def explain(self, queue: Mapping[str, str]) -> None:
        """Say why jobs wait, each reason once: some wait for ever.

        Args:
            queue: why the jobs in it wait, by id
        """
        for one in self.submissions:
            reason = queue.get(one.id, "")
            if reason not in self._said and reason not in _UNSAID:
                self._said.add(reason)
                _log.warning(
                    "the scheduler's job %s waits: %s (see the job reason codes in the manual of "
                    "squeue).",
                    one.id,
                    reason,
                )

    def ended(self, alive: Collection[str]) -> Iterator[Event]:
        """Yield what is to be said of jobs that are in no queue any more, and have no record.

        Raises:
            EmobenchError: if a node cannot do the jobs
        """
        for one in list(self.submissions):
            if one.refusal.exists():
                raise EmobenchError(one.refusal.read_text())
            if one.id in alive:
                self._gone.discard(one.id)
            elif one.id not in self._gone:
                self._gone.add(one.id)  # what it filed last may not be seen yet
            else:
                self.submissions.remove(one)
                names = sorted(one.jobs & self.left.keys())
                message = explain(one, self._cluster) if names else ""
                for name in names:
                    item = self.left[name]
                    failure = _failure(item)
                    again = failure is not None and failure != self._old[name]
                    yield from self._told(
                        Event("failed", item, message=failure[0] if again else message)
                    )

    def _told(self, event: Event) -> Iterator[Event]:
        del self.left[key(event.work)]
        yield Event("started", event.work)
        yield event


def _failure(item: Work) -> tuple[str, int] | None:
    """Return why a job failed last, and what tells that from an earlier time."""
    return Store(item.places.results).failure(item.experiment, item.job)


def _record(store: Store, item: Work) -> dict[str, Any] | None:
    """Return the record of a job; None unless it and the predictions are there, whole."""
    if store.done(item.experiment, [item.job]):
        with suppress(StoreError):
            return store.record(item.experiment, item.job)
    return None


def _names(folder: Path) -> set[str]:
    """Return what lies in a folder; nothing while it cannot be read."""
    with suppress(OSError):
        return {path.name for path in folder.iterdir()}
    return set()
