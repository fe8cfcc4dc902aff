"""Where jobs run: worker processes on this machine that live on from job to job.

A slot is one worker process. A slot keeps to one experiment as long as that has jobs, so that a
network is traced once; a worker that dies costs its own job only, which is tried once more; a
worker that has grown too large is replaced. Workers end when the process that started them ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Literal

from .errors import EmobenchError, StoreError
from .spec import Experiment, Job, Places

POLL_SECONDS = 0.1
ATTEMPTS = 2


@dataclass(frozen=True)
class Work:
    """A job with all that a worker needs to know, and nothing larger."""

    experiment: Experiment
    job: Job
    places: Places
    threads: int = 1
    tuning_jobs: int = 1


@dataclass(frozen=True)
class Event:
    """Something that happened to a job.

    Attributes:
        kind: "started", "epoch", "done", "retried", "failed" (recorded, others go on) or "fatal"
            (nothing more can be stored)
        work: which job
        epoch: finished epochs, with kind "epoch"
        epochs: epochs in all, with kind "epoch"
        message: why, with kind "retried", "failed" or "fatal"
        record: what was filed, with kind "done"
    """

    kind: Literal["started", "epoch", "done", "retried", "failed", "fatal"]
    work: Work
    epoch: int = 0
    epochs: int = 0
    message: str = ""
    record: dict = field(default_factory=dict)


@dataclass
class _Slot:
    """One worker process, once there is one, with what it is doing."""

    pool: ProcessPoolExecutor | None = None
    reports: Connection | None = None
    kind: tuple[str, int] | None = None
    future: Future | None = None
    work: Work | None = None
    attempt: int = 1


@dataclass(frozen=True)
class _Outcome:
    """What a worker sends back."""

    record: dict | None
    message: str
    fatal: bool
    own_bytes: int


def run_locally(
    work: Sequence[Work],
    *,
    jobs: int,
    stopping: Callable[[], bool] = lambda: False,
    memory_limit: int | None = None,
) -> Iterator[Event]:
    """Run jobs in worker processes and tell what happens to them.

    Args:
        work: jobs, those of one experiment behind each other
        jobs: number of worker processes
        stopping: once true, running jobs are finished and no other is begun
        memory_limit: bytes of its own at which a worker is replaced after its job; by default a
            share of the machine's memory

    Yields:
        events, in the order they become known
    """
    pending = deque(work)
    limit = memory_limit or _default_memory_limit(jobs)
    slots = [_Slot() for _ in range(min(jobs, len(pending)))]
    try:
        while pending or any(slot.future for slot in slots):
            if stopping():
                pending.clear()
            for slot in slots:
                if slot.future is None and pending:
                    yield from _assign(slot, _choose(slot, slots, pending))
            wait([slot.future for slot in slots if slot.future], POLL_SECONDS, FIRST_COMPLETED)
            for slot in slots:
                yield from _reported(slot)
                if slot.future is not None and slot.future.done():
                    yield from _finished(slot, limit)
    finally:
        for slot in slots:
            _close(slot)


def _choose(slot: _Slot, slots: Iterable[_Slot], pending: deque[Work]) -> Work:
    """Take the next job of the slot's experiment, else of one that no other slot is at."""
    busy = {other.work.experiment.fingerprint for other in slots if other.future}
    own = slot.work.experiment.fingerprint if slot.work else None
    chosen = next((item for item in pending if item.experiment.fingerprint == own), None)
    if chosen is None:
        free = (item for item in pending if item.experiment.fingerprint not in busy)
        chosen = next(free, pending[0])
    pending.remove(chosen)
    return chosen


def _assign(slot: _Slot, work: Work) -> Iterator[Event]:
    """Give a job to a slot's worker."""
    slot.work, slot.attempt = work, 1
    _submit(slot, work)
    yield Event("started", work)


def _submit(slot: _Slot, work: Work) -> None:
    """Hand a job to the slot's worker, starting one where there is none that fits."""
    if slot.kind != (work.experiment.backend, work.threads):
        _close(slot)
    for _ in range(ATTEMPTS):
        if slot.pool is None:
            _open(slot, work)
        try:
            with _spawning():
                slot.future = slot.pool.submit(_work, work)
            return
        except BrokenProcessPool:  # the worker died between two jobs
            _close(slot)
    raise EmobenchError(
        "expected to start a worker process, found that it dies at once. "
        "Free memory, or lower --jobs."
    )


@contextlib.contextmanager
def _spawning() -> Iterator[None]:
    """Start a process that neither imports the caller's script nor heeds an early interrupt.

    A spawned process imports the main module of its parent; a worker needs nothing of it, and a
    script that is not guarded by `if __name__ == "__main__"` would run a second time.
    """
    main = sys.modules["__main__"].__dict__
    hidden = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        main.update(hidden)


def _reported(slot: _Slot) -> Iterator[Event]:
    """Yield the epochs that a worker has told of."""
    if slot.future is None:
        return
    with contextlib.suppress(EOFError, OSError):
        while slot.reports.poll():
            epoch, epochs, _ = slot.reports.recv()
            yield Event("epoch", slot.work, epoch=epoch, epochs=epochs)


def _finished(slot: _Slot, limit: int) -> Iterator[Event]:
    """Take in the outcome of a slot's job."""
    work, future = slot.work, slot.future
    slot.future = None
    try:
        outcome = future.result()
    except BrokenProcessPool:
        _close(slot)
        if slot.attempt < ATTEMPTS:
            slot.attempt += 1
            _submit(slot, work)
            yield Event("retried", work, message="the worker process died; trying once more")
            return
        message = (
            f"the worker process died {ATTEMPTS} times (killed, or out of memory). "
            "Free memory or lower --jobs, and run the same command again."
        )
        yield Event("failed", work, message=message)
        return
    if outcome.record is not None:
        yield Event("done", work, record=outcome.record)
    else:
        yield Event("fatal" if outcome.fatal else "failed", work, message=outcome.message)
    if outcome.own_bytes > limit:
        _close(slot)


def _open(slot: _Slot, work: Work) -> None:
    """Prepare a worker for jobs like this one; it starts with the first."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        1,
        mp_context=context,
        initializer=_start_worker,
        initargs=(os.getpid(), work.experiment.backend, work.threads, sender),
    )
    slot.pool, slot.reports = pool, receiver
    slot.kind = (work.experiment.backend, work.threads)


def _close(slot: _Slot) -> None:
    """End a slot's worker; one that is at a job is killed, what it has filed stays."""
    if slot.pool is None:
        return
    if slot.future is not None and not slot.future.done():
        for process in list((slot.pool._processes or {}).values()):
            process.kill()
    slot.pool.shutdown(wait=True, cancel_futures=True)
    slot.reports.close()
    slot.pool, slot.reports, slot.kind, slot.future = None, None, None, None


def _default_memory_limit(jobs: int) -> int:
    """Return the memory of its own at which a worker is replaced, in bytes."""
    import psutil

    return int(0.6 * psutil.virtual_memory().total / jobs)


# What follows runs in the worker processes.

_reports: Connection | None = None


def _start_worker(parent: int, backend: str, threads: int, reports: Connection) -> None:
    """Prepare a new worker process before anything heavy is imported in it."""
    global _reports
    _reports = reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    _die_with(parent)
    number = str(threads)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = number
    os.environ["TF_NUM_INTRAOP_THREADS"] = number
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if backend != "scikit-learn":
        os.environ["KERAS_BACKEND"] = backend
    if backend == "jax":
        several = "true" if threads > 1 else "false"
        own = f"--xla_cpu_multi_thread_eigen={several}"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {own}".strip()


def _die_with(parent: int) -> None:
    """Make this process end when its parent does, however the parent ends."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _work(work: Work) -> _Outcome:
    """Run a job in a worker process; whatever goes wrong becomes a message."""
    import psutil

    from .backend import start_backend
    from .training import jobs

    last = 0.0

    def report(done: int, total: int, loss: float) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > POLL_SECONDS:
            last = time.monotonic()
            _reports.send((done, total, loss))

    settings = jobs.Settings(work.threads, work.tuning_jobs)
    record, message, fatal = None, "", False
    try:
        if work.experiment.backend != "scikit-learn":
            start_backend()
        record = jobs.run(work.experiment, work.job, work.places, settings, report)
    except StoreError as error:
        message, fatal = str(error), True
    except EmobenchError as error:
        message = str(error)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = (
            f"{type(error).__name__}: {error} ({place.filename}:{place.lineno}). "
            "This is a fault of emobench or of a package it uses; please report it."
        )
    memory = psutil.Process().memory_info()
    # Pages of the feature cache are shared and given back on demand: they are not counted.
    return _Outcome(record, message, fatal, memory.rss - getattr(memory, "shared", 0))
