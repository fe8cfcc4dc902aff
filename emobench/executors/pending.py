"""Jobs that wait for a worker, drawn from whoever plans them only as they are needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable

from .work import Coming, Group, Work

LOOKAHEAD = 20_000
"""How many jobs may wait in memory while one that a worker can take is sought behind them."""


class Pending:
    """Jobs by group, in the order of their coming; taking one costs the same however many wait.

    Args:
        work: jobs, those of one group behind each other
        lane: tells which workers a job is for; they look at no others

    Attributes:
        more: whether further jobs may come
    """

    def __init__(
        self, work: Iterable[Work], lane: Callable[[Work], Hashable] = lambda work: None
    ) -> None:
        self._coming = iter(work)
        self._is_ready = work.ready if isinstance(work, Coming) else lambda: True
        self.more = True
        self._lane = lane
        self._waiting: dict[Hashable, dict[Group, deque[Work]]] = {}
        self._last: Group | None = None
        self._count = 0

    def __bool__(self) -> bool:
        """Tell whether any job is left, or may come."""
        return self._count > 0 or self._draw() is not None or self.more

    def take(
        self, own: Group | None = None, kept: Collection[Group] = (), lane: Hashable = None
    ) -> Work | None:
        """Take the next job of a worker's own group, else of one that no other keeps to.

        Jobs that another worker trains along with its own are left to it, between two of them as
        well: it takes them itself, whatever becomes of its process. Others are shared where
        nothing else is left.

        Args:
            own: group that the worker keeps to
            kept: groups that others keep to
            lane: which jobs the worker takes

        Returns:
            a job, or None if there is none for this worker now
        """
        waiting = self._waiting.setdefault(lane, {})
        if own is not None and own not in waiting and own == self._last:
            self._draw()
        if own in waiting:
            return self._pop(waiting, own)
        for group in waiting:
            if group not in kept:
                return self._pop(waiting, group)
        while self._count < LOOKAHEAD and (drawn := self._draw()) is not None:
            if drawn in waiting and drawn not in kept:
                return self._pop(waiting, drawn)
        for group, jobs in waiting.items():
            if not jobs[0].siblings:
                return self._pop(waiting, group)
        return None

    def waits(self, lane: Hashable = None) -> bool:
        """Tell whether any job of a lane is left, as far as can be seen ahead."""
        while not self._waiting.get(lane) and self._count < LOOKAHEAD:
            if self._draw() is None:
                break
        return bool(self._waiting.get(lane))

    def put_back(self, work: Work) -> None:
        """Let a job wait again, before all others."""
        lane = self._lane(work)
        waiting = self._waiting.get(lane, {})
        jobs = waiting.pop(work.group, deque())
        jobs.appendleft(work)
        self._waiting[lane] = {work.group: jobs, **waiting}
        self._count += 1

    def keep_only(self, groups: Collection[Group]) -> None:
        """Give up all jobs but those of some groups."""
        while self._last in groups and self._draw() is not None:
            pass
        self._coming, self._is_ready, self.more = iter(()), lambda: True, False
        for lane, waiting in self._waiting.items():
            self._waiting[lane] = {group: waiting[group] for group in waiting if group in groups}
        self._count = sum(len(jobs) for each in self._waiting.values() for jobs in each.values())

    def _draw(self) -> Group | None:
        """Let one more job come, and return its group; None if there is none, or none yet."""
        if not self._is_ready():
            return None
        work = next(self._coming, None)
        if work is None:
            self._last, self.more = None, False
            return None
        waiting = self._waiting.setdefault(self._lane(work), {})
        waiting.setdefault(work.group, deque()).append(work)
        self._last = work.group
        self._count += 1
        return work.group

    def _pop(self, waiting: dict[Group, deque[Work]], group: Group) -> Work:
        """Take the first job of a group that waits."""
        work = waiting[group].popleft()
        if not waiting[group]:
            del waiting[group]
        self._count -= 1
        return work
