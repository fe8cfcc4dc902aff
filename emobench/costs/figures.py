"""Figures that say where they come from, and how long a unit of effort takes."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Source = Literal["records", "scaled", "measured", "rough"]
"""Records of the same model on the same corpus under the same protocol; records of the same model
on others, scaled; a short trial on this machine; a rule of thumb."""


@dataclass(frozen=True)
class Figure:
    """A number and where it comes from."""

    value: float
    source: Source


@dataclass(frozen=True)
class Rate:
    """How long effort takes.

    Attributes:
        overhead: seconds of a job beside its training
        unit: seconds of a unit of effort
        source: where that comes from
    """

    overhead: float
    unit: float
    source: Source

    def seconds(self, amount: float) -> float:
        """Return how long a job of this effort takes."""
        return self.overhead + self.unit * amount


def words(seconds: float) -> str:
    """Return a length of time for people.

    Examples:
        >>> words(42.4), words(600), words(7_260), words(200_000)
        ('42 s', '10 min', '2 h 01 min', '55 h 33 min')
    """
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def bytes_words(size: float) -> str:
    """Return a number of bytes for people.

    Examples:
        >>> bytes_words(400), bytes_words(81_300_000), bytes_words(2.5e9)
        ('0.1 MB', '81 MB', '2.5 GB')
    """
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{max(size / 1e6, 0.1):.1f} MB" if size < 1e7 else f"{size / 1e6:.0f} MB"


def makespan(seconds: Sequence[float], workers: int) -> float:
    """Return how long workers take who each begin the next job as soon as they are free.

    Args:
        seconds: of each job, in the order in which they are begun
        workers: how many

    Examples:
        >>> makespan([3, 1, 1, 1], 2)
        3.0
    """
    free = [0.0] * max(workers, 1)
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)


def overlapped(trained: float, ahead: float, beside: float, *, processes: int, spare: int) -> float:
    """Return how long training and extraction take that go on at once.

    What trained jobs wait for comes first, in all processes. What they do not wait for is extracted
    beside them with the processors that they leave, and what is then left of it in all processes.

    Args:
        trained: seconds that all training takes
        ahead: seconds of one core, of features without which nothing can be trained
        beside: those of all other features
        processes: how many extract while nothing is trained
        spare: how many do beside training

    Examples:
        >>> overlapped(100, 80, 150, processes=4, spare=2)
        120.0
        >>> overlapped(100, 80, 280, processes=4, spare=2)
        140.0
        >>> overlapped(100, 0, 40, processes=1, spare=0)
        140.0
    """
    return (ahead + max(beside - trained * spare, 0.0)) / processes + trained
