"""The start of Keras and its backend."""

from __future__ import annotations

import logging
import os


def start_backend() -> None:
    """Load Keras and let its backend look for devices, without what they say about it.

    Much of that is written to the standard error stream by compiled code that no setting reaches,
    so the stream leads nowhere meanwhile; an exception gets through.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    errors = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import keras

        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its advice on tracing
        keras.ops.zeros(1)
    finally:
        os.dup2(errors, 2)
        os.close(errors)
        os.close(nowhere)
