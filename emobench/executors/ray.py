"""The executor of a Ray cluster: each worker is an actor with a process of its own beside it.

The actor holds what it asked Ray for, CPUs and perhaps a card, and does nothing but start, feed and
replace a worker process as `local` does. So a network is traced once for many folds, TensorFlow's
memory ends with its process, and a worker sees of its machine what it would see without Ray. Only
descriptions of jobs and their records pass through Ray.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayError

from .. import __version__
from ..environment import USABLE_SHARE
from ..errors import SpecError
from ..features.workers import Processes
from ..spec import Places
from .devices import OPTION, Wanted
from .portion import fits_cards
from .ray_crew import RayCrew
from .sharing import Inbox, Slot, share_out
from .work import Event, Lost, Outcome, Ready, Refused, Work

ANY = Wanted()
"""Cards where there are any."""

_LINGER_SECONDS = 5.0
"""What is cached is ready sooner than that; to extract anything, the room of workers is needed."""

_PATIENCE_SECONDS = 5
_ENGAGEMENTS = 3
"""Workers that may be lost in a row before they were ready for any job."""


@dataclass(frozen=True)
class Ray:
    """The executor of a Ray cluster; see `contract`.

    Attributes:
        places: where jobs read and write, on every node
        threads: CPUs of each worker
        workers: how many workers there are on CPUs
        workers_on_cards: how many there are on cards
        workers_per_card: how many of them divide a card
        encoders_on_cards: whether frozen encoders are computed on cards where there are any
        joined: whether this process became part of the cluster for the run
    """

    places: Places
    threads: int
    workers: int
    workers_on_cards: int = 0
    workers_per_card: int = 1
    encoders_on_cards: bool = True
    joined: bool = False

    @property
    def networks_at_once(self) -> int:
        """How many workers train networks on cards."""
        return self.workers_on_cards

    @property
    def others_at_once(self) -> int:
        """How many workers there are on CPUs; those that find no room wait."""
        return self.workers

    @property
    def workers_here(self) -> int:
        """None that matters: Ray itself finds room for whoever extracts."""
        return 0

    @property
    def tuning_processes(self) -> int:
        """One: jobs that tune are spread over the cluster."""
        return 1

    def crew(self, here: Processes) -> RayCrew:
        """Tasks on the nodes."""
        return RayCrew(self.places, self.encoders_on_cards and fits_cards(self.places))

    def run(
        self, work: Iterable[Work], stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[Event]:
        """Run jobs and tell what happens to them."""
        engage = _Engagement(_actor(), self.places)
        on_cpu = partial(engage, num_cpus=self.threads)
        place = partial(Slot, lingers=_LINGER_SECONDS)
        if not self.workers_on_cards:
            slots = [place(on_cpu, hint="--threads") for _ in range(self.workers)]
        else:
            share = 1 / self.workers_per_card
            on_card = partial(engage, num_cpus=self.threads, num_gpus=share)
            hint = "--workers-per-device or --together"
            slots = [place(on_card, lane=True, hint=hint) for _ in range(self.workers_on_cards)]
            slots += [place(on_cpu, lane=False, hint="--threads") for _ in range(self.workers)]
        return share_out(work, slots, stopping)

    def close(self) -> None:
        """Leave the cluster, and end it if it was started for the run."""
        if self.joined:
            ray.shutdown()


def connect(
    address: str | None,
    places: Places,
    *,
    jobs: int = 1,
    threads: int = 1,
    networks: bool = True,
    wanted: Wanted = ANY,
    workers_per_card: int = 1,
) -> Ray:
    """Return the executor of a cluster, or of one that is started on this machine.

    Args:
        address: of the cluster; None for what Ray's environment says, or a new one
        places: where jobs read and write, on every node
        jobs: how many workers there are at least on CPUs; those that find no room wait
        threads: of a worker's arithmetic
        networks: whether there are networks among the jobs
        wanted: what they are trained on
        workers_per_card: processes that divide each card

    Raises:
        SpecError: if there is no such cluster, or it lacks what is asked for
    """
    if wanted.numbers:
        raise SpecError(
            f"{OPTION}: expected auto, cpu or gpu, found cards by number. Ray itself chooses "
            "among the cards of its nodes."
        )
    known = ray.is_initialized()
    if known:
        _insist_on_cluster(address)
    else:
        _join(address)
    try:
        return _fitting(places, jobs, threads, networks, wanted.kind, workers_per_card, not known)
    except SpecError:
        if not known:
            ray.shutdown()
        raise


def _fitting(
    places: Places,
    jobs: int,
    threads: int,
    networks: bool,
    kind: str,
    workers_per_card: int,
    joined: bool,
) -> Ray:
    """Return the executor of the cluster that this process is part of."""
    cards = int(ray.cluster_resources().get("GPU", 0)) if networks else 0
    if kind == "gpu" and networks and not cards:
        raise SpecError(
            f"{OPTION} gpu: expected a Ray cluster with a graphics card, found none in "
            f"{_described()}. Start a node with `ray start --num-gpus`, or use --device cpu."
        )
    largest = max(int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])
    if largest < threads:
        raise SpecError(
            f"--threads {threads}: expected a node with so many CPUs, found {largest} at most in "
            f"{_described()}. Lower --threads."
        )
    room = int(ray.cluster_resources().get("CPU", 0)) // threads
    on_cards = 0 if kind == "cpu" else cards * workers_per_card
    workers = max(room, jobs)
    return Ray(places, threads, workers, on_cards, workers_per_card, kind != "cpu", joined)


def _insist_on_cluster(address: str | None) -> None:
    """Refuse another cluster than the one that this process is part of already."""
    own = ray.get_runtime_context().gcs_address
    if address not in (None, "auto", own):
        raise SpecError(
            f"--address {address}: expected the Ray cluster that this process is part of, {own}. "
            "Call ray.shutdown() first, or leave the address out."
        )


def _join(address: str | None) -> None:
    """Connect to a cluster, or start one."""
    if address is not None:
        _insist_on_answer(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told of what is run
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().split("\n")[0]
        raise SpecError(
            f"--address {address or ''}: expected a Ray cluster, found: {first} Start one with "
            "`ray start --head`, or leave --address out to have one started for the run."
        ) from error


def _insist_on_answer(address: str) -> None:
    """Refuse an address at which nothing listens; Ray itself would try for minutes."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not (colon and host and port.isdigit()):
        raise SpecError(f"--address: expected HOST:PORT or auto, found '{address}'.")
    try:
        socket.create_connection((host, int(port)), _PATIENCE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise SpecError(
            f"--address {address}: expected a Ray cluster, found that nothing answers there "
            f"({error}). Start one with `ray start --head`, which prints its address, or leave "
            "--address out to have one started for the run."
        ) from None


def _described() -> str:
    """Return the nodes of the cluster in a few words."""
    alive = [node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]]
    return f"a cluster of {len(alive)} ({', '.join(sorted(set(alive))[:5])})"


class _Engagement:
    """Gets workers, and gives up where none lives.

    Args:
        actor: class of the actors
        places: what each must see
    """

    def __init__(self, actor: Any, places: Places) -> None:
        self._actor = actor
        self._places = places
        self._lost = 0

    def __call__(self, inbox: Inbox, **resources: float) -> _RayWorker:
        """Ask Ray for room for a worker."""
        share = USABLE_SHARE * resources.get("num_gpus", 0)
        handle = self._actor.options(**resources).remote(share, resources["num_cpus"])
        return _RayWorker(inbox, handle, self, self._places)

    def heard(self, error: RayError | None) -> Refused | None:
        """Take down whether a worker came to be; return a message when too many did not."""
        self._lost = 0 if error is None else self._lost + 1
        if self._lost < _ENGAGEMENTS:
            return None
        last = str(error).strip().split("\n")[-1]
        return Refused(
            f"expected Ray to start workers, found that {_ENGAGEMENTS} in a row were lost before "
            f"they were ready: {last}"
        )


class _RayWorker:
    """A worker of a cluster, seen from who hands out jobs."""

    def __init__(self, inbox: Inbox, handle: Any, engagement: _Engagement, places: Places) -> None:
        self.ready = False
        self._inbox = inbox
        self._handle = handle
        self._engagement = engagement
        self._node = "a node"
        looked = handle.look.remote(__version__, pickle.dumps(places))
        looked.future().add_done_callback(self._looked)

    def send(self, work: Work) -> None:
        """Hand over a job."""
        done = self._handle.perform.remote(pickle.dumps(work))
        done.future().add_done_callback(self._done)

    def close(self, *, at_once: bool) -> None:
        """End the actor; its process ends with it."""
        self._inbox = None
        with contextlib.suppress(RayError):
            ray.kill(self._handle)

    def _looked(self, future: Future) -> None:
        """Hear whether the worker's node has all that is needed."""
        try:
            self._node, problem = future.result()
        except RayError as error:
            self._tell(self._engagement.heard(error) or Lost("a worker was lost"))
            return
        self._engagement.heard(None)
        self.ready = not problem
        self._tell(Refused(problem) if problem else Ready())

    def _done(self, future: Future) -> None:
        """Hear what became of a job."""
        try:
            self._tell(pickle.loads(future.result()))
        except RayError:
            self._tell(Lost(f"the worker on {self._node} was lost"))

    def _tell(self, message: Ready | Outcome | Lost | Refused) -> None:
        inbox = self._inbox  # None once it was closed
        if inbox is not None:
            inbox.put((self, message))


def _actor() -> Any:
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
            except ImportError as error:
                return node, (
                    f"{node}: expected emobench {version}, as where the run was planned, found: "
                    f"{error}. Install the same version on every node."
                )
            self.remote = remote.Remote(node, self.share, self.cpus)
            return node, self.remote.look(version, places)

        def perform(self, work: bytes) -> bytes:
            return self.remote.perform(work)

    return ray.remote(max_restarts=0)(RemoteWorker)
