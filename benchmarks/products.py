"""How fast square matrix products are in this process: what steps of networks are held against."""

# NumPy is imported inside: its threads are told before it is loaded.

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Clock = Callable[[], float]


@dataclass(frozen=True)
class Product:
    """One float32 matrix product after another, of square matrices.

    Attributes:
        run: computes them and waits for the last
        operations: of all of them, two a multiply-add
    """

    run: Callable[[], Any]
    operations: float


def of_numpy(size: int) -> Product:
    """Return a product that NumPy computes."""
    values = _values(size)
    return Product(lambda: values @ values, 2.0 * size**3)


def of_backend(size: int, times: int = 1) -> Product:
    """Return products that Keras' backend computes, in the precision that it trains networks in.

    Args:
        size: rows of the matrices
        times: products to compute before the first is waited for, as a card wants them
    """
    from keras import ops

    factor = ops.convert_to_tensor(_values(size))

    def run() -> Any:
        found = factor
        for _ in range(times):
            found = ops.matmul(found, factor)
        return ops.convert_to_numpy(found[0, 0])

    return Product(run, 2.0 * times * size**3)


def rate(products: Sequence[Product], seconds: float, clock: Clock) -> float:
    """Return the most operations a second of some products.

    Args:
        products: each is computed once at least
        seconds: how long to go on at least
        clock: what times are read from, in seconds
    """
    fastest, spent = 0.0, 0.0
    while spent < seconds or not fastest:
        for product in products:
            taken = elapsed(product.run, clock)
            fastest = max(fastest, product.operations / taken)
            spent += taken
    return fastest


def elapsed(work: Callable[[], Any], clock: Clock) -> float:
    """Return the seconds that a call takes."""
    begin = clock()
    work()
    return clock() - begin


def _values(size: int) -> np.ndarray:
    """Return a matrix whose powers neither vanish nor overflow soon."""
    import numpy as np

    return np.random.default_rng(0).standard_normal((size, size), np.float32) / math.sqrt(size)
