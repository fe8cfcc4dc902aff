"""A worker process, seen from the process that started it.

Work goes in through the worker's standard input and its answers come out of its standard output,
so a worker needs no semaphore and no file, nothing of the caller's script is imported in it, and
the end of either side is seen by the other as the end of a pipe.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from queue import SimpleQueue
from typing import BinaryIO

from ..errors import EmobenchError
from .cores import ANY, Cores
from .work import Epoch, Outcome, Work

Message = Epoch | Outcome | None
"""What a worker tells; None once it is gone."""

_PATIENCE_SECONDS = 10


class WorkerProcess:
    """A process that does one job after another.

    Args:
        environment: its environment variables
        inbox: where its messages are put, each as `(this, message)`; the last is None
        kept_to: CPUs that it runs on; none for those that this process may use

    Raises:
        EmobenchError: if no process can be started
    """

    def __init__(
        self, environment: Mapping[str, str], inbox: SimpleQueue, kept_to: Cores = ANY
    ) -> None:
        code = f"from emobench.executors.worker import serve; serve({os.getpid()})"
        more = {}
        if sys.platform == "win32":
            more["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP  # no Ctrl-C for it
        try:
            with _interrupts_wait():
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", code],
                    env=dict(environment),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    **more,
                )
        except OSError as error:
            raise EmobenchError(
                f"expected to start a worker process, found: {error.strerror}. "
                "Free memory, or lower --jobs."
            ) from error
        if kept_to:
            with contextlib.suppress(OSError):  # it is gone, or these CPUs are taken away
                os.sched_setaffinity(self._process.pid, kept_to)
        self._inbox = inbox
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, work: Work) -> bool:
        """Hand over a job; False if the worker is gone."""
        try:
            pickle.dump(work, self._process.stdin)
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def close(self, *, at_once: bool) -> None:
        """End the process: at once in the middle of a job, else by telling it that all is done."""
        if at_once:
            self._process.kill()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        """Pass on what the worker tells until its pipe ends."""
        with self._process.stdout as pipe:
            while (message := _read(pipe)) is not None:
                self._inbox.put((self, message))
        self._inbox.put((self, None))


def _read(pipe: BinaryIO) -> Message:
    """Return the next message, or None where the pipe ends, in the middle of one as well."""
    try:
        return pickle.load(pipe)
    except (EOFError, OSError, pickle.UnpicklingError):
        return None


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Hold a Ctrl-C back, so that a new process is born deaf to it and the caller's is not lost."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
