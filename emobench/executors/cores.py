"""Which CPUs a worker keeps to, on a machine that has several memory nodes.

A worker that is moved from one node to another reads its features and weights from afar. It is
therefore kept to the CPUs of one node, and one that feeds a card to those of the node that the card
is at. Which of them it runs on is left to the system, and so is all where there is one node, where
nodes have fewer CPUs than their workers have threads, where there are fewer workers than nodes
(other runs may keep to the same one), and where nothing is known.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

SYSTEM = Path("/sys")

Cores = frozenset[int]
"""Numbers of CPUs; none where the system decides."""

ANY: Cores = frozenset()


def allowed() -> Cores:
    """Return the CPUs that this process may use: a scheduler may have left it a few."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return ANY


def memory_nodes(among: Collection[int], system: Path = SYSTEM) -> dict[int, Cores]:
    """Return the CPUs of each memory node, by its number; nodes without any are left out.

    Args:
        among: CPUs that may be used
        system: where the kernel tells of the machine
    """
    found = {}
    for folder in (system / "devices/system/node").glob("node[0-9]*"):
        with suppress(OSError, ValueError):
            cores = _parsed((folder / "cpulist").read_text()) & frozenset(among)
            if cores:
                found[int(folder.name.removeprefix("node"))] = cores
    return dict(sorted(found.items()))


def spread(workers: int, among: Collection[int], system: Path = SYSTEM) -> list[Cores]:
    """Return the CPUs of each of several workers, shared out among nodes by their size.

    Args:
        workers: how many there are
        among: CPUs that may be used
        system: where the kernel tells of the machine
    """
    nodes = list(memory_nodes(among, system).values())
    if workers < len(nodes) or len(nodes) < 2:
        return [ANY] * workers
    counts = [0] * len(nodes)
    found = []
    for _ in range(workers):
        least = min(range(len(nodes)), key=lambda node: (counts[node] + 1) / len(nodes[node]))
        counts[least] += 1
        found.append(nodes[least])
    return found


def near_card(bus: str, among: Collection[int], system: Path = SYSTEM) -> Cores:
    """Return the CPUs of the node that a card is at.

    Args:
        bus: address of the card on the PCI bus, such as "0000:17:00.0"; "" if it is not known
        among: CPUs that may be used
        system: where the kernel tells of the machine
    """
    nodes = memory_nodes(among, system)
    if bus and len(nodes) > 1:
        with suppress(OSError, ValueError):
            file = system / "bus/pci/devices" / bus.lower() / "numa_node"
            return nodes.get(int(file.read_text()), ANY)  # -1 where it is not known
    return ANY


def _parsed(text: str) -> Cores:
    """Return the numbers of a text such as "0-3,8"."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
