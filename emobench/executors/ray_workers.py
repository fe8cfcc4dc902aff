"""Workers of a Ray cluster: each is an actor with a process of its own beside it.

The actor holds what it asked Ray for, CPUs and perhaps a card, and does nothing but start, feed and
replace a worker process as `local` does. So a network is traced once for many folds, TensorFlow's
memory ends with its process, and a worker sees of its machine what it would see without Ray. Only
descriptions of jobs and their records pass through Ray.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
from concurrent.futures import Future
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from .. import __version__
from ..environment import USABLE_SHARE
from ..spec import Places
from .ray_cluster import Head
from .sharing import Inbox
from .work import Lost, Outcome, Ready, Refused, Work

_ENGAGEMENTS = 3
"""How many workers may be lost, each asked for after the one before was lost, with none ready."""


class Engagement:
    """Gets workers, and gives up where none comes to be, however often it is tried.

    Args:
        actor: class of the actors
        places: what each must see
        head: of the cluster
    """

    def __init__(self, actor: Any, places: Places, head: Head) -> None:
        self._actor = actor
        self._head = head
        self._places = places
        self._lock = threading.Lock()  # Ray tells what happens in threads of its own
        self._ready: set[RayWorker] = set()
        self._asked = 0
        self._asked_before = 0  # when a loss was last counted
        self._losses = 0

    def __call__(self, inbox: Inbox, **resources: float) -> RayWorker:
        """Ask Ray for room for a worker."""
        share = USABLE_SHARE * resources.get("num_gpus", 0)
        handle = self._actor.options(**resources).remote(share, resources["num_cpus"])
        with self._lock:
            self._asked += 1
        return RayWorker(inbox, handle, self, self._places, self._asked)

    def came(self, worker: RayWorker) -> None:
        """Take down that a worker is ready."""
        with self._lock:
            self._losses = 0
            if worker.engaged:
                self._ready.add(worker)

    def left(self, worker: RayWorker, handle: Any) -> None:
        """Take down that a worker is let go, and end its actor."""
        with self._lock:
            self._ready.discard(worker)
        if self._head.is_away:
            return  # which an actor that it does not know yet would wait for; it ends by itself
        with contextlib.suppress(RayError):
            ray.kill(handle)

    def lost(self, worker: RayWorker, error: RayError) -> Refused | None:
        """Take down that a worker did not come to be; return a message when too many did not.

        A node that dies takes all with it that are about to start there, which counts once. Nothing
        counts while others are at work: jobs go on.
        """
        with self._lock:
            if self._ready or worker.number <= self._asked_before:
                return None
            self._asked_before = self._asked
            self._losses += 1
            if self._losses < _ENGAGEMENTS:
                return None
        last = str(error).strip().split("\n")[-1].strip()
        return Refused(
            f"expected Ray to start workers, found that {_ENGAGEMENTS} in a row were lost before "
            f"they were ready: {last}. See Ray's logs on its nodes, below /tmp/ray/session_latest, "
            "and run the same command again."
        )


class RayWorker:
    """A worker of a cluster, seen from who hands out jobs.

    Args:
        inbox: where it tells what happens
        handle: of its actor
        engagement: told whether it came to be
        places: what it must see
        number: how many were asked for until now
    """

    def __init__(
        self, inbox: Inbox, handle: Any, engagement: Engagement, places: Places, number: int
    ) -> None:
        self.ready = False
        self.number = number
        self._inbox = inbox
        self._handle = handle
        self._engagement = engagement
        self._node = "a node"
        looked = handle.look.remote(__version__, pickle.dumps(places))
        looked.future().add_done_callback(self._looked)

    @property
    def engaged(self) -> bool:
        """Whether it was not let go."""
        return self._inbox is not None

    def send(self, work: Work) -> None:
        """Hand over a job."""
        done = self._handle.perform.remote(pickle.dumps(work))
        done.future().add_done_callback(self._done)

    def close(self, *, at_once: bool) -> None:
        """End the actor; its process ends with it."""
        self._inbox = None
        self._engagement.left(self, self._handle)

    def _looked(self, future: Future) -> None:
        """Hear whether the worker's node has all that is needed."""
        try:
            self._node, problem = future.result()
        except RayTaskError as error:  # the next would fail as this one
            self._tell(Refused(f"expected a worker to start on a node, found {_fault(error)}"))
        except RayError as error:
            self._tell(self._engagement.lost(self, error) or Lost("a worker was lost"))
        else:
            self._engagement.came(self)
            self.ready = not problem
            self._tell(Refused(problem) if problem else Ready())

    def _done(self, future: Future) -> None:
        """Hear what became of a job."""
        try:
            told = pickle.loads(future.result())
        except RayTaskError as error:  # the actor lives on, and fails again
            told = Outcome(None, f"{_fault(error)} (on {self._node})", broken=True)
        except RayError:
            told = Lost(f"the worker on {self._node} was lost")
        self._tell(told)

    def _tell(self, message: Ready | Outcome | Lost | Refused) -> None:
        inbox = self._inbox  # None once it was closed
        if inbox is not None:
            inbox.put((self, message))


def _fault(error: RayTaskError) -> str:
    """Return what went wrong in an actor itself."""
    cause = error.cause
    said = f"{type(cause).__name__}: {cause}" if cause else str(error).strip().split("\n")[-1]
    return f"{said}. This is a fault of emobench or of a package it uses; please report it."


def actor() -> Any:
    """Return the class of the actors.

    It is defined in here so that Ray sends it along: a node that lacks emobench, or has another
    version, can then say so.
    """

    class RemoteWorker:
        def __init__(self, share: float, cpus: float) -> None:
            self.share, self.cpus = share, cpus
            self.remote = None

        def look(self, version: str, places: bytes) -> tuple[str, str]:
            import platform

            import ray

            node = f"{platform.node()} (Ray node {ray.get_runtime_context().get_node_id()[:8]})"
            try:
                from emobench.executors import remote

                self.remote = remote.Remote(node, self.share, self.cpus)
            except ImportError as error:
                return node, (
                    f"{node}: expected emobench {version}, as where the run was planned, found: "
                    f"{error}. Install the same version on every node."
                )
            return node, self.remote.look(version, places)

        def perform(self, work: bytes) -> bytes:
            return self.remote.perform(work)

    return ray.remote(max_restarts=0)(RemoteWorker)
