"""Jobs that come one after another, as those of a run do while features are extracted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from emobench.executors import Event, Work


class InTurn:
    """Jobs, some of which come only once others are over; see `Coming`.

    Args:
        jobs: each with how many must be over before
    """

    def __init__(self, *jobs: tuple[int, Work]) -> None:
        self._jobs = list(jobs)
        self._over = 0

    def __iter__(self) -> Iterator[Work]:
        return self

    def __next__(self) -> Work:
        if not self._jobs:
            raise StopIteration
        return self._jobs.pop(0)[1]

    def ready(self) -> bool:
        return not self._jobs or self._jobs[0][0] <= self._over

    def run(
        self,
        run: Callable[[InTurn, Callable[[], bool]], Iterator[Event]],
        stopping: Callable[[], bool],
    ) -> list[Event]:
        """Have them run; return what is told."""
        heard = []
        for event in run(self, stopping):
            heard.append(event)
            self._over += event.kind in ("done", "failed")
        return heard
