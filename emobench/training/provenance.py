"""What a reader of a record needs to know about the machine and the code."""

from __future__ import annotations

import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ..spec import Experiment
from . import devices

PACKAGES = ("emobench", "keras", "tensorflow", "jax", "numpy", "scikit-learn", "opensmile")


def provenance(experiment: Experiment, threads: int) -> dict[str, Any]:
    """Return backend, device, versions and commit."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "fingerprint": experiment.fingerprint,
        "backend": experiment.backend,
        "threads": threads,
        **_device(experiment),
        "versions": versions,
        "python": platform.python_version(),
        "git_commit": git_commit(),
    }


def _device(experiment: Experiment) -> dict[str, Any]:
    """Return what computed: a graphics card where networks are trained on one, else the CPU."""
    if experiment.backend == "scikit-learn":
        return devices.cpu_facts()
    return devices.device_facts()


def peak_resident_mib() -> int:
    """Return the most memory that this process has held so far, in MiB."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset // 2**20
    import resource  # absent on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (2**20 if sys.platform == "darwin" else 2**10)


@cache
def git_commit() -> str | None:
    """Return the commit of the source tree, or None for an installed package."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    command = ["git", "-C", str(here), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # a machine without git
        return None
    return found.stdout.strip() or None
