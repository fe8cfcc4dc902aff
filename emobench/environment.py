"""What a worker process sees of the machine: threads, a card and its memory, compiled programs.

All of it is told by environment variables, which are complete before the process starts: backends
read them once, when they are loaded. What the caller has set on purpose is kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NO_CARD = "-1"
"""Value of CUDA_VISIBLE_DEVICES that hides every card; an empty one cannot be set on Windows."""

USABLE_SHARE = 0.9
"""Part of a card's memory that its workers divide.

The rest is for what no allocator counts: the context of each process, the libraries' own kernels
and workspaces, a desktop.
"""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
_JAX_SHARE = ("XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION")
_JAX_AHEAD = "XLA_PYTHON_CLIENT_PREALLOCATE"
_USUAL_BACKEND = "tensorflow"
"""What Keras computes with where nothing is said."""


@dataclass(frozen=True)
class Seat:
    """A worker's place on a card.

    Attributes:
        address: value of CUDA_VISIBLE_DEVICES that shows this card alone
        share: part of the card's memory that is the worker's
    """

    address: str
    share: float = USABLE_SHARE


def of_worker(
    backend: str,
    threads: int,
    *,
    seat: Seat | None = None,
    compiled: Path | None = None,
    base: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the environment of a worker process.

    Args:
        backend: what the worker computes with; "scikit-learn" for estimators
        threads: threads of its arithmetic
        seat: card that it computes on; None for the CPU, from which every card is hidden
        compiled: folder that keeps compiled programs of cards from run to run
        base: the caller's environment; by default this process'

    Returns:
        all variables, for the start of a process
    """
    found = dict(os.environ if base is None else base)
    found |= dict.fromkeys(_THREADS, str(threads))
    found |= {"TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    found["PYTHONPATH"] = os.pathsep.join(os.path.abspath(folder) for folder in sys.path)
    if backend != "scikit-learn":
        found["KERAS_BACKEND"] = backend
    if seat is None:
        _on_cpu(found, backend, threads)
    else:
        _on_card(found, backend, seat, compiled)
    return found


def for_looking(backend: str, base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that only looks what there is, and takes no memory."""
    found = of_worker(backend, 1, seat=Seat(""), base=base)
    _restore(found, base, "CUDA_VISIBLE_DEVICES")
    found[_JAX_AHEAD] = "false"
    return found


def of_encoder(card: str | None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process that computes with a frozen encoder.

    Of a card it takes the memory that it needs, and none ahead: it does not know how much that is.

    Args:
        card: value of CUDA_VISIBLE_DEVICES that shows the one it computes on; None for the CPU
        base: the caller's environment; by default this process'
    """
    given = os.environ if base is None else base
    found = of_worker(
        keras_backend(given), 1, seat=None if card is None else Seat(card), base=given
    )
    if card is not None:
        found[_JAX_AHEAD] = given.get(_JAX_AHEAD, "false")
    return found


def keras_backend(base: Mapping[str, str] | None = None) -> str:
    """Return what Keras computes with, where a run does not say."""
    return (os.environ if base is None else base).get("KERAS_BACKEND") or _USUAL_BACKEND


def shows_cards(base: Mapping[str, str] | None = None) -> bool:
    """Tell whether CUDA_VISIBLE_DEVICES leaves any card to be seen."""
    visible = (os.environ if base is None else base).get("CUDA_VISIBLE_DEVICES")
    return visible is None or visible.strip()[:1] not in ("", "-")


def _restore(found: dict[str, str], base: Mapping[str, str], name: str) -> None:
    """Set a variable to what the caller has, or has not."""
    if name in base:
        found[name] = base[name]
    else:
        del found[name]


def _on_cpu(found: dict[str, str], backend: str, threads: int) -> None:
    """Hide every card, so that none of its memory is held."""
    found["CUDA_VISIBLE_DEVICES"] = NO_CARD
    if backend == "jax":
        found["JAX_PLATFORMS"] = "cpu"
        several = "true" if threads > 1 else "false"
        _add(found, "XLA_FLAGS", f"--xla_cpu_multi_thread_eigen={several}")
        found["NPROC"] = str(threads)  # the flag alone leaves matrix products to every core


def _on_card(found: dict[str, str], backend: str, seat: Seat, compiled: Path | None) -> None:
    """Show one card, and say how much of it may be taken."""
    if "CUDA_VISIBLE_DEVICES" not in found:
        found.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # numbered as nvidia-smi does
    found["CUDA_VISIBLE_DEVICES"] = seat.address
    if backend == "jax":
        _jax_on_card(found, seat.share, compiled)
    elif backend == "tensorflow":
        # It takes memory as it needs it. A fixed limit can be set only by a call to TensorFlow.
        found.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        # Flags are parted at blanks, so a folder with one in its name cannot be told.
        if compiled is not None and not any(map(str.isspace, str(compiled))):
            _add(found, "TF_XLA_FLAGS", f"--tf_xla_persistent_cache_directory={compiled}")
            _add(found, "TF_XLA_FLAGS", "--tf_xla_persistent_cache_device_types=GPU,XLA_GPU_JIT")


def _jax_on_card(found: dict[str, str], share: float, compiled: Path | None) -> None:
    """Take the whole share at once, and keep what was compiled.

    Memory is taken at the start, one worker or several: a neighbour cannot grow into it later, it
    does not fragment, and a share that is not there shows before training.

    XLA is not asked for the same bits in every run (`xla_gpu_exclude_nondeterministic_ops`): it
    would take the first kernel that compiles for the fastest, and sort what the gradient of a
    maximum adds up, or refuse to compile it.
    """
    if not any(name in found for name in _JAX_SHARE):
        found[_JAX_SHARE[0]] = f"{share:.4f}"
        found.setdefault(_JAX_AHEAD, "true")
    if compiled is not None and "JAX_COMPILATION_CACHE_DIR" not in found:
        found["JAX_COMPILATION_CACHE_DIR"] = str(compiled)
        # Small programs as well: there are hundreds, and starting over costs as much as one large.
        found["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        found["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"


def _add(found: dict[str, str], name: str, flag: str) -> None:
    """Append a flag to a variable that holds several."""
    found[name] = f"{found.get(name, '')} {flag}".strip()
