"""Many files at once: reading them is mostly waiting, or work that Python does not do itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def each(
    function: Callable[[Item], Result], items: Sequence[Item], threads: int
) -> Iterator[Iterator[tuple[Item, Result]]]:
    """Call a function for every item; give pairs of item and result as they come, in order.

    Who leaves the block early, by an interrupt too, waits for the calls in progress only.
    """
    with closing(_pairs(function, items, threads)) as pairs:
        yield pairs


def _pairs(
    function: Callable[[Item], Result], items: Sequence[Item], threads: int
) -> Iterator[tuple[Item, Result]]:
    pool = ThreadPoolExecutor(threads)
    try:
        yield from zip(items, pool.map(function, items), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
