"""Experiments one after another: each is made ready when its turn comes, as those before it train.

Making ready is extracting features, for the most part. It happens in a thread of this process, one
experiment at a time, so that whoever runs the jobs goes on meanwhile. The first experiment is made
ready at once, every other once a job of an earlier one is over: results come as early as they can.
Where networks have workers of their own, those of the other lane wait for no job of theirs.
"""

from __future__ import annotations

import concurrent.futures
from collections import Counter, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from ..conditions import Condition
from ..corpora import Corpus
from ..executors import Event, Work
from ..experiments.dataset import Progress
from ..spec import Job, ModelSpec
from .handing_out import Step

_POLL_SECONDS = 0.1
_OVER = ("done", "failed", "elsewhere")


@dataclass
class Turn:
    """An experiment of a plan.

    Attributes:
        corpus: what is trained and tested on
        model: what is trained
        condition: what the sound goes through
        only: folds that are this machine's; None for all
        foreseen: what is to do, as far as that is known without features: all clips can be used
        step: what is to do; None until that is known, and where it cannot be done
        settled: whether that is known
    """

    corpus: Corpus
    model: ModelSpec
    condition: Condition
    only: frozenset[int] | None
    foreseen: Step
    step: Step | None = None
    settled: bool = False

    @property
    def is_network(self) -> bool:
        """Whether it trains networks, which a graphics card may do."""
        return self.model.kind == "network"

    def settle(self, step: Step | None) -> None:
        """Take down what is to do."""
        self.step, self.settled = step, True


@dataclass(frozen=True)
class Made:
    """An experiment that was made ready.

    Attributes:
        step: what is to do
        left_out: clips that cannot be used, with the reason
        known: what is filed beside the experiment
    """

    step: Step
    left_out: Mapping[str, str]
    known: Mapping[str, Any]


class StoppedError(Exception):
    """Nothing is made ready any more: the run is to stop."""


@dataclass(frozen=True)
class Workers:
    """Who runs jobs, as far as it matters to making others ready.

    Attributes:
        on_cards: how many train networks on cards; with none, networks are trained as all else
        others: how many do all else
        here: how many of all compute on this machine
        threads: processors that each of them takes
    """

    on_cards: int
    others: int
    here: int
    threads: int = 1

    def lane(self, is_network: bool) -> bool:
        """Tell whether cards do a job."""
        return is_network and self.on_cards > 0

    def spare(self, available: int, processes: int) -> int:
        """Return how many of some processes find a processor beside jobs, all workers being busy.

        Args:
            available: processors of this machine
            processes: that extract
        """
        return max(min(available - self.here * self.threads, processes), 0)

    def of(self, lane: bool) -> int:
        """Return how many there are in a lane: that of the cards, or that of all else."""
        return self.on_cards if lane else self.others


class Readying:
    """Makes experiments ready, one at a time; to be closed.

    Whether a worker has nothing to do is told by what was handed out and is not over: a job that
    waits is begun by the next worker of its lane, and by no other. What is trained at once is one
    worker's, however many jobs it is.

    Args:
        make: makes one ready, in so many processes
        processes: for that, where nothing else needs them
        available: processors of this machine
        workers: who runs jobs; where none of them is on this machine, nothing is waited for
        tell: called, in the thread of who waits, with the corpus and how far it is
        stopping: once true, nothing is made ready any more

    Attributes:
        spare: processors that workers leave, all of which are busy: where there is none, an
            experiment is made ready only once a worker has nothing to do
    """

    def __init__(
        self,
        make: Callable[[Turn, int, Progress], Made],
        *,
        processes: int,
        available: int,
        workers: Workers,
        tell: Callable[[str, str, int, int], None],
        stopping: Callable[[], bool],
    ) -> None:
        self.spare = workers.spare(available, processes)
        self._make, self._processes, self._workers = make, processes, workers
        self._tell, self._stopping = tell, stopping
        self._told: SimpleQueue[tuple[str, str, int, int]] = SimpleQueue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="features")
        self._future: Future[Made] | None = None
        self._handed: dict[tuple[str, Job], tuple[bool, Hashable]] = {}  # and not over
        self._busy: dict[bool, Counter[Hashable]] = {True: Counter(), False: Counter()}
        self._is_first, self._is_over = True, False  # since an experiment was made ready
        self._closed = False

    def close(self) -> None:
        """Give up what is being made ready."""
        self._closed = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def poll(self, turn: Turn, networks: Collection[bool], *, beside: bool = False) -> bool:
        """Tell whether an experiment is ready; see that it will be, if its turn has come.

        Args:
            turn: the experiment
            networks: whether those that are still to come train networks; both where some do
            beside: whether jobs are run meanwhile, of those that are still to be handed out too
        """
        self._deliver()
        if self._stopping():
            return True  # which `wait` tells
        if self._future is None:
            lanes = {self._workers.lane(each) for each in networks}
            idle = sum(map(self._idle, lanes))
            if self._has_come(lanes, idle):
                self._begin(turn, self._free(0 if beside else idle, beside))
        return self._future is not None and self._future.done()

    def wait(self, turn: Turn) -> Made:
        """Return an experiment once it is ready.

        Raises:
            StoppedError: if the run is to stop
            EmobenchError: whatever goes wrong
        """
        if self._stopping():  # what is under way may be another experiment
            raise StoppedError
        if self._future is None:
            self._begin(turn, self._processes)
        while not self._future.done():
            concurrent.futures.wait([self._future], timeout=_POLL_SECONDS)
            self._deliver()
        self._deliver()
        future, self._future = self._future, None
        self._is_first, self._is_over = True, False
        return future.result()

    def handed_out(self, work: Work) -> None:
        """Take down that a job is handed out."""
        name = work.experiment.fingerprint, work.job
        lane = self._workers.lane(work.is_network)
        unit = work.group if work.siblings else name
        self._handed[name] = lane, unit
        self._busy[lane][unit] += 1
        self._is_first = False

    def heard(self, event: Event) -> None:
        """Take down what becomes of a job."""
        if event.kind not in _OVER:
            return
        self._is_over = True
        found = self._handed.pop((event.work.experiment.fingerprint, event.work.job), None)
        if found is not None:
            lane, unit = found
            self._busy[lane][unit] -= 1
            if not self._busy[lane][unit]:
                del self._busy[lane][unit]

    def _idle(self, lane: bool) -> int:
        """Return how many workers of a lane have nothing to do."""
        return max(self._workers.of(lane) - len(self._busy[lane]), 0)

    def _has_come(self, lanes: Collection[bool], idle: int) -> bool:
        """Tell whether an experiment may be made ready beside those that train.

        Args:
            lanes: those of experiments that are still to come
            idle: workers of theirs that have nothing to do
        """
        if self._is_first or not self._workers.here:
            return True
        if not self._is_over:
            return any(self._workers.of(lane) and not self._busy[lane] for lane in lanes)
        return self.spare > 0 or idle > 0

    def _free(self, idle: int, beside: bool) -> int:
        """Return how many processes may make an experiment ready, so many workers being idle."""
        if not (beside or self._handed):
            return self._processes
        free = self.spare + min(idle, self._workers.here) * self._workers.threads
        return min(max(free, 1), self._processes)

    def _begin(self, turn: Turn, processes: int) -> None:
        def progress(what: str, done: int, total: int) -> None:
            self._told.put((turn.corpus.name, what, done, total))
            if self._closed or self._stopping():
                raise StoppedError  # a half-made cache is discarded

        self._future = self._thread.submit(self._make, turn, processes, progress)

    def _deliver(self) -> None:
        """Pass on how far it is."""
        while True:
            try:
                self._tell(*self._told.get_nowait())
            except Empty:
                return


class Feed:
    """Jobs of experiments in turn; see `executors.Coming`.

    Args:
        turns: the experiments
        readying: makes them ready
        settle: settles a turn; called in the thread of who draws
        jobs: of an experiment that is ready
    """

    def __init__(
        self,
        turns: Iterable[Turn],
        readying: Readying,
        settle: Callable[[Turn, Readying], None],
        jobs: Callable[[Step], Iterator[Work]],
    ) -> None:
        self._turns = deque(turns)
        self._kinds = Counter(turn.is_network for turn in self._turns)
        self._readying, self._settle, self._jobs_of = readying, settle, jobs
        self._jobs: Iterator[Work] = iter(())
        self._next: Work | None = None

    def __iter__(self) -> Feed:
        return self

    def __next__(self) -> Work:
        self._arrive(wait=True)
        if self._next is None:
            raise StopIteration
        work, self._next = self._next, None
        self._readying.handed_out(work)
        return work

    def ready(self) -> bool:
        """Tell whether the next job, or that there is none, is known without waiting."""
        return self._arrive(wait=False)

    def heard(self, event: Event) -> None:
        """Take in what becomes of a job: another experiment's turn may have come."""
        self._readying.heard(event)
        if self._readying.spare > 0 and self._turns and not self._turns[0].settled:
            self._readying.poll(self._turns[0], +self._kinds, beside=True)

    def _arrive(self, *, wait: bool) -> bool:
        """Go on to the next job; False if that would take waiting, and it is not to."""
        while self._next is None:
            self._next = next(self._jobs, None)
            if self._next is not None or not self._turns:
                break
            turn = self._turns[0]
            if not turn.settled:
                if not wait and not self._readying.poll(turn, +self._kinds):
                    return False
                try:
                    self._settle(turn, self._readying)
                except StoppedError:
                    self._turns.clear()
                    break
            self._turns.popleft()
            self._kinds[turn.is_network] -= 1
            if turn.step is not None:
                self._jobs = self._jobs_of(turn.step)
        return True
