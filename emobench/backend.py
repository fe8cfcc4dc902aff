"""The start of Keras and its backend, and in what precision it computes."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

_LIMITS = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
"""Environment variables that would end training early, whatever a record then said."""

_WANTS_OF_MEMORY = (
    "resource_exhausted",
    "out of memory",
    "out_of_memory",
    "status_alloc_failed",
    "failed to determine best cudnn convolution algorithm",
)
"""What XLA, CUDA, cuDNN and cuBLAS say; the last where none of the algorithms found room."""


def start_backend() -> None:
    """Load Keras and let its backend look for devices, without what they say about it.

    Much of that is written to the standard error stream by compiled code that no setting reaches,
    so the stream leads nowhere meanwhile; an exception gets through. Results do not depend on the
    user's `keras.json` or environment: see `pin`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" not in sys.modules:
        _leave_out_the_users_settings()
    errors = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import keras

        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its advice on tracing
        pin()
        keras.ops.zeros(1)
    finally:
        os.dup2(errors, 2)
        os.close(errors)
        os.close(nowhere)


def pin() -> None:
    """Give Keras the settings that every result is computed with, whatever it was started with."""
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


def precision(accelerated: bool) -> str:
    """Return in what precision the backend that is running computes.

    Args:
        accelerated: whether it computes on a graphics processor

    Returns:
        "float32", or "float32, products in tf32" where matrices may be multiplied in less
    """
    import keras

    kind = keras.config.dtype_policy().name
    if not accelerated or os.environ.get("NVIDIA_TF32_OVERRIDE") == "0":
        return kind
    backend = keras.backend.backend()
    # Whichever it is, Keras has loaded it; nothing else of it is used here.
    return f"{kind}, products in tf32" if _CUTS[backend](sys.modules[backend]) else kind


def wants_memory(error: Exception) -> bool:
    """Tell whether the memory of the device was not enough."""
    said = str(error).lower()
    return any(words in said for words in _WANTS_OF_MEMORY)


def _tensorflow_cuts(tensorflow: Any) -> bool:
    return tensorflow.config.experimental.tensor_float_32_execution_enabled()


def _jax_cuts(jax: Any) -> bool:
    return jax.config.jax_default_matmul_precision not in ("float32", "highest")


_CUTS = {"tensorflow": _tensorflow_cuts, "jax": _jax_cuts}
"""Whether a backend lets a graphics processor multiply matrices in less than float32."""


def _leave_out_the_users_settings() -> None:
    """Keep Keras from reading a `keras.json`: one with a word that it does not know stops it."""
    os.environ["KERAS_HOME"] = os.devnull  # a folder that holds no file and is not made
    for name in _LIMITS:
        os.environ.pop(name, None)
