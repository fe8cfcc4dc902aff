"""Two nodes of a Ray cluster, one of which is killed at a random moment, again and again.

    python benchmarks/killed_nodes.py --times 20 --model svm-is09

Both nodes are on this machine, by Ray's own cluster utility. Each time the predictions must equal,
byte by byte, those of an undisturbed local run, every job must be done once, and no job may be
begun twice but what ran on the node that was killed. The moments are drawn evenly over the time
that the jobs took the last time, from when all is planned; where they are done before, that time
does not count.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

from emobench.executors import Event
from emobench.runs import Observer, Selection, execute, find_places, plan

_NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


def run(
    model: str,
    results: Path,
    cache: Path,
    begin: Callable[[Any], None] = lambda steps: None,
    **options: Any,
) -> list[Event]:
    """Run all folds of the demo corpus; return what was heard.

    Args:
        model: what is trained
        results: where results are filed
        cache: where features are kept
        begin: called once all is planned
        **options: more of the selection
    """
    heard: list[Event] = []
    places = find_places(results=results, cache=cache)
    planned = plan(Selection(model, "demo", **options), places)
    summary = execute(planned, places, Observer(listener=heard.append, begin=begin))
    if summary.failures:
        sys.exit(f"failed: {summary.failures}")
    return heard


def predictions(results: Path) -> dict[str, bytes]:
    """Return every file of predictions."""
    found = results.rglob("*.parquet")
    return {path.relative_to(results).as_posix(): path.read_bytes() for path in found}


def jobs(heard: list[Event], kind: str) -> Counter:
    """Return how often something was heard of each job."""
    return Counter(event.work.job for event in heard if event.kind == kind)


def disturbed(
    cluster: Cluster, moment: float, model: str, results: Path, cache: Path
) -> tuple[str | None, float]:
    """Run while a node is killed.

    Args:
        cluster: that has one node
        moment: when the second is killed, in seconds from when all is planned
        model: what is trained
        results: where results are filed
        cache: where features are kept

    Returns:
        what is wrong with it, or "", or None where all was done before; and how long the jobs took
    """
    node = cluster.add_node(num_cpus=1, object_store_memory=_NODE["object_store_memory"])
    cluster.wait_for_nodes()
    killer = threading.Timer(moment, cluster.remove_node, [node], {"allow_graceful": False})
    began: list[float] = []

    def begin(steps: Any) -> None:
        began.append(time.perf_counter())
        killer.start()

    heard = run(model, results, cache, begin, executor="ray", address=cluster.address)
    seconds = time.perf_counter() - began[0]
    if seconds < moment:
        killer.cancel()
        cluster.remove_node(node)
        return None, seconds
    killer.join()
    begun, retried, done = (jobs(heard, kind) for kind in ("started", "retried", "done"))
    print(
        f"killed after {moment:4.1f} of {seconds:4.1f} s: {done.total()} jobs done, "
        f"{retried.total()} begun again",
        flush=True,
    )
    if set(done.values()) != {1}:
        return f"done other than once: {done}", seconds
    if begun - retried != done or retried.total() > 1:
        return f"begun {begun}, lost {retried}", seconds
    return "", seconds


def main() -> None:
    """Run again and again, and tell how it went."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--model", default="svm-is09")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    draw, wrong, killed, turn, seconds = random.Random(given.seed), 0, 0, 0, 20.0
    cluster = Cluster(initialize_head=True, head_node_args=_NODE)
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name), Path(name) / "cache"
        run(given.model, folder / "local", cache)
        expected = predictions(folder / "local")
        while killed < given.times:
            turn += 1
            results, moment = folder / str(turn), draw.uniform(0, seconds)
            trouble, seconds = disturbed(cluster, moment, given.model, results, cache)
            if predictions(results) != expected:
                trouble = trouble or "other predictions"
            killed += trouble is not None
            if trouble:
                wrong += 1
                print(f"  WRONG: {trouble}", flush=True)
    cluster.shutdown()
    print(f"{killed} times, of which {wrong} not as they should be")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
