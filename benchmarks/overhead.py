"""What a job costs beyond itself, with a model that sleeps, and the memory of who hands them out.

    python benchmarks/overhead.py --jobs 5000 --workers 2 --seconds 0.01 [--executor ray]
    python benchmarks/overhead.py --jobs 1000000 --executor nobody

Every job is a fold of the demo corpus: read, scored and filed like any other. Its own time is that
between its first and last line; all else is overhead: planning, handing over, filing, telling. On a
machine that does other things as well, compare times of the CPU. Where nobody does the jobs, all is
overhead, and a million are handed out in a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))
import sleeper

from emobench.executors import Event, Work
from emobench.features.workers import Processes
from emobench.run_options import Selection
from emobench.runs import Observer, execute, find_places, plan, running

TELL = 20
"""How often the memory is told."""


class Nobody:
    """An executor that says of every job that it is done, and does none."""

    networks_at_once, others_at_once, workers_here, tuning_processes = 0, 1, 1, 1

    def crew(self, here: Processes) -> Processes:
        """Return processes of this machine."""
        return here

    def run(self, work: Iterable[Work], stopping: Callable[[], bool]) -> Iterator[Event]:
        """Tell of each job."""
        for item in work:
            yield Event("started", item)
            yield Event("done", item, record={"seconds": 0.0})

    def close(self) -> None:
        """Do nothing."""


class Watch:
    """Keeps count of what happens in a run, and of this process' memory."""

    def __init__(self, jobs: int) -> None:
        self._every = max(jobs // TELL, 1)
        self.own_seconds, self.done, self.began = 0.0, 0, 0.0
        self._process = psutil.Process()

    def begin(self, steps: object) -> None:
        """Start the clock once all is planned."""
        self.began = time.perf_counter()
        self._tell()

    def listen(self, event: Event) -> None:
        """Take in what happened to a job."""
        if event.kind in ("failed", "fatal"):
            sys.exit(event.message)
        if event.kind == "done":
            self.done += 1
            self.own_seconds += event.record["seconds"]
            if self.done % self._every == 0:
                self._tell()

    def _tell(self) -> None:
        seconds = time.perf_counter() - self.began
        size = self._process.memory_info().rss / 2**20
        print(f"{self.done:>8} jobs {seconds:8.1f} s {size:6.0f} MiB here", flush=True)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.01)
    parser.add_argument("--folder", help="where results are filed and kept, to go on from there")
    parser.add_argument("--executor", choices=["local", "ray", "nobody"], default="local")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = given.folder or stack.enter_context(tempfile.TemporaryDirectory())
        places = sleeper.Places(**vars(find_places(results=folder, cache=Path(folder) / "cache")))
        selection = Selection(
            f"sleeper:seconds={given.seconds}",
            "demo",
            "smoke",
            jobs=given.workers,
            executor="local" if given.executor == "nobody" else given.executor,
            repetitions=given.jobs // 2,
        )
        execute(plan(Selection("sleeper", "demo", "smoke"), places), places)  # extracts
        if given.executor == "nobody":
            running.choose = lambda *asked: Nobody()
        watch = Watch(given.jobs)
        started, before = time.perf_counter(), os.times()
        planned = plan(selection, places)
        execute(planned, places, Observer(listener=watch.listen, begin=watch.begin))
        seconds, after = time.perf_counter() - watch.began, os.times()
    if not watch.done:
        sys.exit(f"Nothing was left to do, which took {time.perf_counter() - started:.1f} s to see")
    own, children = (sum(after[two]) - sum(before[two]) for two in (slice(0, 2), slice(2, 4)))
    each = (seconds * given.workers - watch.own_seconds) / watch.done
    print(
        f"{watch.done} jobs: planned in {watch.began - started:.1f} s, run in {seconds:.1f} s by "
        f"{given.workers} workers, of which {watch.own_seconds:.1f} s in the jobs: "
        f"{1000 * each:.2f} ms a job beyond it. Of CPU {1000 * own / watch.done:.2f} ms a job for "
        f"who plans and hands them out, {1000 * children / watch.done:.2f} ms for its workers"
    )


if __name__ == "__main__":
    main()
