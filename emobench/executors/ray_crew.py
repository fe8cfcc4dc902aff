"""Extraction on the nodes of a Ray cluster.

Each portion is a task of Ray's, which holds a CPU, and for a frozen encoder a card where there are
any. Portions are small, and few of them are ahead of the one that is waited for: that, and no more,
lies in the object store.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from ..errors import FeatureError
from ..spec import Places
from . import ray_cluster
from .node import NodeError
from .portion import Extraction
from .ray_cluster import Head

_AHEAD = 2
"""Portions for each place in the cluster: one that is worked on, and one that waits for it."""

_ROUNDS = 4
_MOST = 64
"""Tasks of a portion that opens a network, which takes seconds: a few portions for each place."""

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class RayCrew:
    """Who extracts on a cluster; see `features.workers.Crew`.

    Attributes:
        places: what every node must see
        on_cards: whether frozen encoders are computed on cards where there are any
    """

    places: Places
    on_cards: bool = True

    def in_order(
        self,
        work: Callable[[Any], Sequence[Any]],
        tasks: Sequence[Any],
        what: str,
        *,
        network: bool = False,
        waiting: Callable[[], None] = lambda: None,
    ) -> Iterator[Any]:
        """Yield what becomes of tasks."""
        extraction = Extraction(work, self.places, what, network)
        cards = int(ray.cluster_resources().get("GPU", 0)) if network and self.on_cards else 0
        room = cards or max(int(ray.cluster_resources().get("CPU", 1)), 1)
        size = min(-(-len(tasks) // (room * _ROUNDS)), _MOST) if network else 1
        task = _task().options(num_cpus=1, num_gpus=1 if cards else 0)
        with contextlib.closing(ray_cluster.head()) as head, _Ahead(what, head, waiting) as ahead:
            for portion in extraction.portions(tasks, size):
                ahead.tasks.append(task.remote(portion.packed, portion.version, bool(cards)))
                if len(ahead.tasks) >= room * _AHEAD:
                    yield from ahead.results()
            while ahead.tasks:
                yield from ahead.results()


@dataclass
class _Ahead:
    """Tasks whose results nobody has taken yet; what is left of them in the end is given up.

    Attributes:
        what: is extracted
        head: of the cluster
        waiting: called again and again while they take their time
        tasks: references to their results
    """

    what: str
    head: Head
    waiting: Callable[[], None]
    tasks: deque[Any] = field(default_factory=deque)

    def __enter__(self) -> _Ahead:
        return self

    def __exit__(self, *error: object) -> None:
        if self.head.is_away:
            return  # they end with this process
        for task in self.tasks:
            with contextlib.suppress(RayError):
                ray.cancel(task, force=True)

    def results(self) -> Sequence[Any]:
        """Wait for the results of the first.

        Raises:
            EmobenchError: if a node cannot do it, its process was lost again and again, or the head
                is gone
        """
        try:
            while not ray.wait([self.tasks[0]], timeout=_POLL_SECONDS)[0]:
                self.head.insist()
                self.waiting()
            found, error = ray.get(self.tasks[0])
        except RayTaskError:
            raise  # an error that nobody foresaw, of the same type
        except RayError as error:
            last = str(error).strip().split("\n")[-1]
            raise FeatureError(
                f"{self.what}: expected Ray to extract features on some node, found that the "
                f"process which did was lost each time: {last} Free memory there, and run again."
            ) from error
        if error is not None:
            raise NodeError(error) if isinstance(error, str) else error
        self.tasks.popleft()
        return found


def _task() -> Any:
    """Return the task; it is defined in here so that Ray sends it along, as for its actors."""

    def extract(packed: bytes, version: str, on_card: bool) -> tuple[list[Any], Any]:
        import platform

        import ray

        node = f"{platform.node()} (Ray node {ray.get_runtime_context().get_node_id()[:8]})"
        try:
            from emobench.executors.portion import Portion
        except ImportError as error:
            return [], (
                f"{node}: expected emobench {version}, as where the run was planned, found: "
                f"{error}. Install the same version on every node."
            )
        return Portion(packed, version)(on_cards=on_card, where=node)

    return ray.remote(extract)
