"""Work on many things, in processes and in order.

Who does the work is given: `Processes` are those of this machine, and executors of several machines
have crews of their own. Who gives it takes the results in, here, and alone writes them.

A process that opens a network keeps what its libraries take, memory of each card that it sees
first of all, until it ends. So networks are opened in processes of their own, be it only one:
whoever hands out the work has none of it, and a card is free again before anything trains there.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .. import environment
from ..errors import FeatureError

T, R = TypeVar("T"), TypeVar("R")

_TASKS_AHEAD = 3
"""Per worker: what is finished but not written yet is bounded by this."""

_WATCH_SECONDS = 1.0


class Crew(Protocol):
    """Who works on many things."""

    def in_order(
        self,
        work: Callable[[T], Sequence[R]],
        tasks: Sequence[T],
        what: str,
        *,
        network: bool = False,
        waiting: Callable[[], None] = lambda: None,
    ) -> Iterator[R]:
        """Yield what becomes of tasks, in the order given, with one thread for each process.

        Args:
            work: from a task to results; both can be pickled
            tasks: are small
            what: is computed, for messages
            network: whether the work opens a network
            waiting: called again and again while others take their time; what it raises ends all

        Raises:
            FeatureError: if a worker dies
        """


@dataclass(frozen=True)
class Processes:
    """Processes of this machine.

    Attributes:
        jobs: how many; one works in this process, unless a network is opened
        cards: that a network is computed on, by one process each, as CUDA_VISIBLE_DEVICES names
            them; with none the processes are so many as there are jobs, and see no card
    """

    jobs: int = 1
    cards: tuple[str, ...] = ()

    def in_order(
        self,
        work: Callable[[T], Sequence[R]],
        tasks: Iterable[T],
        what: str,
        *,
        network: bool = False,
        waiting: Callable[[], None] = lambda: None,
    ) -> Iterator[R]:
        """Yield what becomes of tasks, taken up a few for each process ahead; see `Crew`."""
        coming = iter(tasks)
        first = list(itertools.islice(coming, max(self.jobs, len(self.cards))))
        coming, jobs = itertools.chain(first, coming), min(self.jobs, len(first))
        if network:
            seen = [environment.of_encoder(card) for card in self.cards[: len(first)]]
            crews = [(1, each) for each in seen] or [(max(jobs, 1), environment.of_encoder(None))]
            yield from _in_workers(work, coming, crews, what)
            return
        if jobs > 1:
            yield from _in_workers(work, coming, [(jobs, None)], what)
            return
        from threadpoolctl import threadpool_limits

        for task in coming:
            # The last bits of a matrix product depend on the number of threads.
            with threadpool_limits(1):
                found = work(task)
            yield from found


ALONE = Processes()


def _in_workers(
    work: Callable[[T], Sequence[R]],
    tasks: Iterator[T],
    crews: Sequence[tuple[int, dict[str, str] | None]],
    what: str,
) -> Iterator[R]:
    """Yield what becomes of tasks, done by crews: so many processes in such an environment."""
    from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

    pools = [
        ProcessPoolExecutor(size, initializer=_prepare_worker, initargs=(os.getpid(),), env=seen)
        for size, seen in crews
    ]
    processes = sum(size for size, _ in crews)
    waiting: deque[Any] = deque()
    try:
        for task, pool in zip(tasks, itertools.cycle(pools), strict=False):
            waiting.append(pool.submit(work, task))
            if len(waiting) >= processes * _TASKS_AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        remedy = "Run again with fewer --jobs" if processes > 1 else "Free memory, and run again"
        raise FeatureError(
            f"{what}: a process that extracted features was killed, most likely because "
            f"memory ran out. {remedy}."
        ) from None
    finally:
        for pool in pools:
            pool.shutdown(wait=True, kill_workers=bool(waiting))


def _prepare_worker(parent: int) -> None:
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process once its parent is gone: nobody would ever tell it to."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)
