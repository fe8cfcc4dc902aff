"""How much sooner folds are done by several workers than by one.

    python benchmarks/workers.py --model svm-is09 --corpus emo-db --workers 2 --pairs 3

Runs with one worker and with several take turns, so that a ratio is of runs side by side: of jobs a
second, once every worker has started and done one. Linear is a ratio of as many as there are
workers, but a machine that does other things as well gives no more to several processes than to
one: what it gives is measured with as many bare loops. The last ratio is of what the workers take
of the CPU in all, with their start; it is below 1 for that, and lower where they are in each
other's way.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from emobench.executors import Event
from emobench.run_options import Selection
from emobench.runs import Observer, execute, find_places, plan

_LOOP = """
import time
count, until = 0, time.monotonic() + 5
while time.monotonic() < until:
    for _ in range(1000): pass
    count += 1
print(count)
"""


def looped(workers: int) -> int:
    """Return how often bare loops of so many processes run in a few seconds, in all."""
    command = [sys.executable, "-c", _LOOP]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    return sum(int(one.communicate()[0]) for one in started)


def measured(selection: Selection) -> tuple[float, float]:
    """Run; return jobs a second, and seconds of the CPU in the workers."""
    done: list[float] = []

    def listen(event: Event) -> None:
        if event.kind == "done":
            done.append(time.perf_counter())

    before = os.times()
    with tempfile.TemporaryDirectory() as folder:
        places = find_places(results=folder)
        summary = execute(plan(selection, places), places, Observer(listener=listen))
    if summary.failures:
        raise SystemExit(str(summary.failures))
    after, workers = os.times(), selection.jobs
    cpu = after.children_user + after.children_system
    rate = (len(done) - workers) / (done[-1] - done[workers - 1])
    return rate, cpu - before.children_user - before.children_system


def main() -> None:
    """Run in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="svm-is09")
    parser.add_argument("--corpus", default="demo")
    parser.add_argument("--protocol", default="losgo")
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    asked = (given.model, given.corpus, given.protocol)
    options = {"folds": range(given.folds), "repetitions": 1, "device": "cpu"}
    wall, cpu, bare = [], [], []
    for _ in range(given.pairs):
        one = measured(Selection(*asked, jobs=1, **options))
        several = measured(Selection(*asked, jobs=given.workers, **options))
        bare.append(looped(given.workers) / looped(1))
        wall.append(several[0] / one[0])
        cpu.append(one[1] / several[1])
        print(
            f"1 worker {one[0]:.2f} jobs/s, {given.workers} workers {several[0]:.2f} jobs/s: "
            f"{wall[-1]:.2f} times as fast, bare loops {bare[-1]:.2f}; of CPU "
            f"{one[1]:6.1f} s and {several[1]:6.1f} s: {cpu[-1]:.2f}",
            flush=True,
        )
    fast, loops, busy = map(np.median, (wall, bare, cpu))
    print(
        f"{given.model}: {fast:.2f} times as fast, bare loops {loops:.2f}; CPU {busy:.2f} (medians)"
    )


if __name__ == "__main__":
    main()
