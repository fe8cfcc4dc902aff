"""Two nodes of a Ray cluster, one of which is killed at a random moment, again and again.

    python benchmarks/killed_nodes.py --times 20 --model svm-is09

Both nodes are on this machine, by Ray's own cluster utility. Each time the predictions must equal,
byte by byte, those of an undisturbed local run, every job must be done once, and no job may be
begun twice but what ran on the node that was killed. The moments are drawn evenly over the time
that the jobs take in an undisturbed run on both nodes, from when all is planned.
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


def disturbed(cluster: Cluster, moment: float, model: str, results: Path, cache: Path) -> str:
    """Run while a node is killed; return what is wrong with it, or ""."""
    node = cluster.add_node(num_cpus=1, object_store_memory=_NODE["object_store_memory"])
    cluster.wait_for_nodes()
    killer = threading.Timer(moment, cluster.remove_node, [node], {"allow_graceful": False})
    options = {"executor": "ray", "address": cluster.address}
    heard = run(model, results, cache, lambda steps: killer.start(), **options)
    ended = not killer.finished.is_set()
    killer.join()
    begun, retried, done = (jobs(heard, kind) for kind in ("started", "retried", "done"))
    print(
        f"killed after {moment:4.1f} s{' (all was done)' if ended else ''}: "
        f"{done.total()} jobs done, {retried.total()} begun again",
        flush=True,
    )
    if set(done.values()) != {1}:
        return f"done other than once: {done}"
    if begun - retried != done:
        return f"begun {begun}, lost {retried}"
    return "more was lost than ran there" if retried.total() > 1 else ""


def main() -> None:
    """Run again and again, and tell how it went."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--model", default="svm-is09")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    draw, wrong = random.Random(given.seed), 0
    cluster = Cluster(initialize_head=True, head_node_args=_NODE)
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name), Path(name) / "cache"
        run(given.model, folder / "local", cache)
        expected = predictions(folder / "local")
        node = cluster.add_node(num_cpus=1, object_store_memory=_NODE["object_store_memory"])
        started: list[float] = []
        options = {"executor": "ray", "address": cluster.address}
        clock = time.perf_counter
        calm = folder / "calm"
        run(given.model, calm, cache, lambda steps: started.append(clock()), **options)
        seconds = clock() - started[0]
        cluster.remove_node(node)
        print(f"undisturbed on two nodes: {seconds:.1f} s", flush=True)
        for turn in range(given.times):
            results = folder / str(turn)
            trouble = disturbed(cluster, draw.uniform(0, seconds), given.model, results, cache)
            if predictions(results) != expected:
                trouble = trouble or "other predictions"
            if trouble:
                wrong += 1
                print(f"  WRONG: {trouble}", flush=True)
    cluster.shutdown()
    print(f"{given.times} times, of which {wrong} not as they should be")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
