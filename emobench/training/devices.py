"""What computes: the CPU, or a graphics card with its name and its memory.

Run as a program, it tells what a backend sees; a process that only looks ends soon and leaves
nothing on a card.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import sys
from typing import Any, NamedTuple

_LIBRARIES = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
_JAX_SHARE = ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION")


class DriverCard(NamedTuple):
    """A card as its driver describes it."""

    name: str
    memory_mib: int
    bus: str = ""


def driver_cards(driver: Any = None) -> list[DriverCard]:
    """Return the cards that the CUDA driver shows to this process, in its order.

    Args:
        driver: the driver's library; by default the system's
    """
    driver = driver or _driver()
    count, device, size = ctypes.c_int(), ctypes.c_int(), ctypes.c_size_t()
    if driver is None or driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return []
    found = []
    for number in range(count.value):
        name, bus = ctypes.create_string_buffer(256), ctypes.create_string_buffer(64)
        driver.cuDeviceGet(ctypes.byref(device), number)
        driver.cuDeviceGetName(name, len(name), device)
        driver.cuDeviceTotalMem_v2(ctypes.byref(size), device)
        driver.cuDeviceGetPCIBusId(bus, len(bus), device)
        found.append(DriverCard(name.value.decode(), size.value // 2**20, bus.value.decode()))
    return found


def _driver() -> Any:
    """Load the CUDA driver's library, or return None where there is none."""
    try:
        return ctypes.CDLL(_LIBRARIES[sys.platform])
    except (KeyError, OSError):
        return None


def computes_on_card() -> bool:
    """Tell whether Keras' backend puts its tensors on a card; loads it."""
    from ..backend import start_backend

    start_backend()
    import keras

    place = str(keras.ops.zeros(1).device).lower()
    return any(word in place for word in ("gpu", "cuda", "rocm"))


def device_facts() -> dict[str, Any]:
    """Return what is to be recorded of the device that this process' networks train on.

    Returns:
        "device" and, for a card, "device_memory_mib", "device_memory_share" where one was set and
        "xla_flags"
    """
    if not computes_on_card():
        return cpu_facts()
    card, *_ = driver_cards() or [DriverCard("", 0)]
    facts: dict[str, Any] = {"device": f"gpu {card.name}".strip()}
    if card.memory_mib:
        facts["device_memory_mib"] = card.memory_mib
    shares = [os.environ[name] for name in _JAX_SHARE if name in os.environ]
    if os.environ.get("KERAS_BACKEND") == "jax" and shares:
        facts["device_memory_share"] = float(shares[0])
    if os.environ.get("XLA_FLAGS"):
        facts["xla_flags"] = os.environ["XLA_FLAGS"]
    return facts


def cpu_facts() -> dict[str, Any]:
    """Return what is to be recorded where the CPU computes."""
    return {"device": f"cpu {platform.machine()}"}


def cpus() -> str | None:
    """Return the numbers of the CPUs that this process may use, such as "0-7,16-23"."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    runs: list[list[int]] = []
    for number in sorted(os.sched_getaffinity(0)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)


def report(*, trying: bool = True) -> None:
    """Print what the driver shows and whether the backend uses it, as one line of JSON.

    Args:
        trying: whether the backend is loaded to find out; else it is taken to use every card
    """
    cards = driver_cards()
    seen = bool(cards) and (not trying or computes_on_card())
    print(json.dumps({"cards": cards, "seen": seen}))
