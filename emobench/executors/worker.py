"""What runs in a worker process: jobs, one after another, until nobody hands it more."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from ..backend import wants_memory
from ..errors import EmobenchError, StoreError
from ..spec import Job
from ..storage import storing
from ..storage.claims import CLAIMS
from ..storage.claims import SUFFIX as CLAIM
from ..store import Store
from ..store.filing import RESULTS
from .work import Epoch, Outcome, Work

REPORT_SECONDS = 0.1


def serve(parent: int) -> None:
    """Do the jobs that come through standard input and answer through standard output.

    Args:
        parent: process that this one belongs to and ends with
    """
    _heed_no_interrupt()
    _die_with(parent)
    incoming, outgoing = _take_pipes()
    waiting: SimpleQueue[Work] = SimpleQueue()
    threading.Thread(target=_receive, args=(incoming, waiting), daemon=True).start()

    def tell(message: Epoch | Outcome) -> None:
        pickle.dump(message, outgoing)
        outgoing.flush()

    while True:  # until `_receive` sees the end of the pipe, and ends the process
        tell(perform(waiting.get(), tell))


def perform(work: Work, tell: Callable[[Epoch], None]) -> Outcome:
    """Run a job and file its record or write its bundle; whatever goes wrong becomes a message.

    Args:
        work: the job
        tell: called with the epochs that are done, not more often than anyone could read
    """
    import psutil

    record, message, fatal, broken, elsewhere = None, "", False, False, False
    folder = Store(work.places.results).folder(work.experiment)
    try:
        siblings = _claimed(work, folder)
        if siblings is None:
            elsewhere = True
        else:
            record = _record(work, siblings, tell)
    except StoreError as error:
        message, fatal = str(error), True
    except EmobenchError as error:
        message = str(error)
    except Exception as error:
        message, broken = _explained(error), True
    finally:
        CLAIMS.release(_claim(folder, work.job))
    memory = psutil.Process().memory_info()
    # Pages of the feature cache are shared and given back on demand: they are not counted.
    own_bytes = memory.rss - getattr(memory, "shared", 0)
    return Outcome(record, message, fatal, own_bytes, broken, elsewhere)


def _claimed(work: Work, folder: Path) -> tuple[Job, ...] | None:
    """Return those of a job's siblings that nobody else is at; None if someone is at the job."""
    with storing(folder, RESULTS):
        if work.order is not None or not folder.is_dir():  # nobody can be at it
            return work.siblings
        if not CLAIMS.take(_claim(folder, work.job), work.run):
            return None
        return tuple(job for job in work.siblings if CLAIMS.take(_claim(folder, job), work.run))


def _claim(folder: Path, job: Job) -> Path:
    return folder / f"{job.name}{CLAIM}"


def _record(work: Work, siblings: tuple[Job, ...], tell: Callable[[Epoch], None]) -> dict[str, Any]:
    """Run a job and return the record that was filed."""
    from ..training import jobs

    last = 0.0

    def report(done: int, total: int, loss: float) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > REPORT_SECONDS:
            last = time.monotonic()
            tell(Epoch(done, total))

    if work.is_network:
        from ..backend import start_backend

        start_backend()
    settings = jobs.Settings(work.threads, work.tuning_jobs)
    what = (work.experiment, work.job, work.places, settings)
    if work.order is not None:
        from ..bundles.making import make

        return make(*what, work.order, report)
    return jobs.run(*what, report, siblings)


def _explained(error: Exception) -> str:
    """Return what to tell of an error that nobody foresaw."""
    text = str(error)
    if wants_memory(error):
        first = text.strip().split("\n")[0][:200]
        return (
            f"the memory of the device was not enough: {first}. Close what else computes on it, "
            "lower --workers-per-device or --together, or use --device cpu."
        )
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__}: {error} ({place.filename}:{place.lineno}). "
        "This is a fault of emobench or of a package it uses; please report it."
    )


def _heed_no_interrupt() -> None:
    """Leave it to the parent what an interrupt means; it was held back until here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _die_with(parent: int) -> None:
    """Make this process end when its parent does, in the middle of compiled code as well.

    Elsewhere than on Linux the end of the pipe does it, as soon as the interpreter is free.
    """
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for messages; what libraries print goes where errors go."""
    # Standard input and output are the pipes. They are moved to other descriptors, out of reach of
    # compiled code that prints or reads; 0 then leads nowhere, and 1 to where errors go.
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return incoming, outgoing


def _receive(incoming: BinaryIO, waiting: SimpleQueue) -> None:
    """Take in jobs; once there can be no more, end, without backends that tidy up and hang."""
    try:
        while True:
            waiting.put(pickle.load(incoming))
    except (EOFError, OSError, pickle.UnpicklingError):
        CLAIMS.release_all()
        os._exit(0)
    except Exception:  # whatever unpickling meets; nobody else would end this process
        traceback.print_exc()
        os._exit(1)
