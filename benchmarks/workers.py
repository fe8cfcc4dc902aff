"""How much sooner folds are done by several workers than by one, and what that costs.

    python benchmarks/workers.py --model svm-is09 --corpus emo-db --folds 8 --workers 2 --pairs 3

Runs with one worker and with several take turns, so that a ratio is of runs side by side. Linear is
a ratio of as many as there are workers. On a machine that does other things as well, see the second
ratio: how much time of the CPU one worker takes for what several take it for. Below 1, they are in
each other's way: caches, memory, threads.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from statistics import median

from emobench.run_options import Selection
from emobench.runs import Observer, execute, find_places, plan


def measured(selection: Selection) -> tuple[float, float]:
    """Run; return seconds from when all is planned, and those of the CPU in the workers."""
    with tempfile.TemporaryDirectory() as folder:
        places = find_places(results=folder)
        began: list[float] = []
        before = os.times()
        observer = Observer(begin=lambda steps: began.append(time.perf_counter()))
        summary = execute(plan(selection, places), places, observer)
        seconds, after = time.perf_counter() - began[0], os.times()
        if summary.failures:
            raise SystemExit(str(summary.failures))
    cpu = after.children_user + after.children_system
    return seconds, cpu - before.children_user - before.children_system


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
    options = {"folds": list(range(given.folds)), "device": "cpu", "repetitions": 1}
    wall, cpu = [], []
    for _ in range(given.pairs):
        one = measured(Selection(*asked, jobs=1, **options))
        several = measured(Selection(*asked, jobs=given.workers, **options))
        wall.append(one[0] / several[0])
        cpu.append(one[1] / several[1])
        print(
            f"1 worker {one[0]:6.1f} s, {given.workers} workers {several[0]:6.1f} s: "
            f"{wall[-1]:.2f} times as fast; of CPU {one[1]:6.1f} s and {several[1]:6.1f} s: "
            f"{cpu[-1]:.2f}",
            flush=True,
        )
    print(f"{given.model}: {median(wall):.2f} times as fast (median), CPU {median(cpu):.2f}")


if __name__ == "__main__":
    main()
