"""The executor of a Ray cluster: how many workers it has room for, and what they ask for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import ray

from ..errors import SpecError
from ..spec import Places
from . import ray_cluster
from .devices import OPTION, Wanted
from .ray_workers import Engagement, actor
from .sharing import Slot, share_out
from .work import Event, Work

ANY = Wanted()
"""Cards where there are any."""


@dataclass(frozen=True)
class Ray:
    """The executor of a Ray cluster; see `contract`.

    Attributes:
        places: where jobs read and write, on every node
        threads: CPUs of each worker
        workers: how many workers there are on CPUs
        workers_on_cards: how many there are on cards
        workers_per_card: how many of them divide a card
        workers_here: how many of all may be on the node of this process
        joined: whether this process became part of the cluster for the run
    """

    places: Places
    threads: int
    workers: int
    workers_on_cards: int = 0
    workers_per_card: int = 1
    workers_here: int = 0
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
    def tuning_processes(self) -> int:
        """One: jobs that tune are spread over the cluster."""
        return 1

    def run(
        self, work: Iterable[Work], stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[Event]:
        """Run jobs and tell what happens to them."""
        with contextlib.closing(ray_cluster.head()) as head:

            def heeding() -> bool:
                head.insist()
                return stopping()

            slots = self._slots(Engagement(actor(), self.places, head))
            yield from share_out(work, slots, heeding)

    def close(self) -> None:
        """Leave the cluster, and end it if it was started for the run."""
        if self.joined:
            ray.shutdown()

    def _slots(self, engage: Engagement) -> list[Slot]:
        """Return slots on CPUs, and on cards."""
        on_cpu = partial(engage, num_cpus=self.threads)
        if not self.workers_on_cards:
            return [Slot(on_cpu, hint="--threads") for _ in range(self.workers)]
        share = 1 / self.workers_per_card
        on_card = partial(engage, num_cpus=self.threads, num_gpus=share)
        hint = "--workers-per-device or --together"
        slots = [Slot(on_card, lane=True, hint=hint) for _ in range(self.workers_on_cards)]
        return slots + [Slot(on_cpu, lane=False, hint="--threads") for _ in range(self.workers)]


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
        ray_cluster.insist_on_cluster(address)
    else:
        ray_cluster.join(address)
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
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    per_card = workers_per_card if networks and kind != "cpu" else 0
    on_cards, on_cpus = room(nodes, threads, per_card)
    has_card = any(node.get("GPU", 0) >= 1 for node in nodes)
    if kind == "gpu" and networks and not has_card:
        raise SpecError(
            f"{OPTION} gpu: expected a Ray cluster with a graphics card, found none in "
            f"{ray_cluster.described()}. Start a node with `ray start --num-gpus`, or use "
            "--device cpu."
        )
    if not on_cards + on_cpus:
        largest = max(int(node.get("CPU", 0)) for node in nodes)
        raise SpecError(
            f"--threads {threads}: expected a node with so many CPUs, found {largest} at most in "
            f"{ray_cluster.described()}. Lower --threads."
        )
    if per_card and has_card and not on_cards:
        raise SpecError(
            f"--threads {threads}: expected so many CPUs beside a graphics card, found none in "
            f"{ray_cluster.described()}. Lower --threads, start that node with more --num-cpus, or "
            "use --device cpu."
        )
    here = _cpus_here() // threads
    return Ray(places, threads, max(on_cpus, jobs), on_cards, workers_per_card, here, joined)


def room(
    nodes: Iterable[Mapping[str, float]], threads: int, workers_per_card: int
) -> tuple[int, int]:
    """Return for how many workers there is room on cards, and on CPUs beside those.

    A worker on a card takes CPUs of the card's node too: those on CPUs are not to fill it.

    Args:
        nodes: what each has, as Ray calls it
        threads: CPUs of a worker
        workers_per_card: how many divide a card; 0 for none on cards

    Examples:
        >>> room([{"CPU": 4, "GPU": 1}, {"CPU": 3}], threads=2, workers_per_card=1)
        (1, 2)
    """
    on_cards = on_cpus = 0
    for node in nodes:
        seats = int(node.get("CPU", 0)) // threads
        cards = min(int(node.get("GPU", 0)) * workers_per_card, seats)
        on_cards, on_cpus = on_cards + cards, on_cpus + seats - cards
    return on_cards, on_cpus


def _cpus_here() -> int:
    """Return how many CPUs of this machine Ray hands out."""
    own = ray.get_runtime_context().get_node_id()
    nodes = [node for node in ray.nodes() if node["Alive"] and node["NodeID"] == own]
    return sum(int(node["Resources"].get("CPU", 0)) for node in nodes)
