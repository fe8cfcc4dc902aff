"""What benchmarks of the CPU tell libraries before these are loaded: no cards, so many threads."""

from __future__ import annotations

import os
from importlib.util import find_spec

from emobench import environment


def start(threads: int) -> str:
    """Hide every card and set the threads; choose what Keras computes with, where nothing is said.

    Call it before NumPy or Keras are imported, as they look only then.

    Args:
        threads: of arithmetic

    Returns:
        the backend: what KERAS_BACKEND names, else TensorFlow, or JAX where that alone is installed
    """
    backend = environment.keras_backend()
    if "KERAS_BACKEND" not in os.environ and not find_spec(backend) and find_spec("jax"):
        backend = "jax"
    os.environ.update(environment.of_worker(backend, threads))
    return backend
