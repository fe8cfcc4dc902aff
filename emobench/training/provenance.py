"""What a reader of a record needs to know about the machine and the code."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ..audio import SAMPLE_RATE
from ..backend import precision
from ..spec import Experiment
from . import devices

PACKAGES = (
    *("emobench", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn"),
    *("keras", "tensorflow", "jax", "jaxlib"),
    *("soundfile", "soxr", "av", "librosa", "opensmile", "lameenc", "nltk"),
    *("onnxruntime", "keras-hub"),
)
"""What a result may depend on; what is not installed is left out."""

_SOURCES = ("emobench", "datasets.yaml", "setup.cfg")
"""Files of the source tree that results depend on."""


def provenance(experiment: Experiment, threads: int) -> dict[str, Any]:
    """Return backend, device, precision, versions, and the state of the source tree."""
    return {
        "fingerprint": experiment.fingerprint,
        "backend": experiment.backend,
        "threads": threads,
        "cpus": devices.cpus(),
        **_device(experiment),
        "sample_rate": SAMPLE_RATE,
        "versions": dict(_versions()),
        "python": platform.python_version(),
        "git_commit": git_commit(),
        "git_dirty": git_dirty(),
    }


@cache
def _versions() -> Mapping[str, str]:
    """Return the versions of what is installed; to look takes as long as a small job."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _device(experiment: Experiment) -> dict[str, Any]:
    """Return what computed, a card or the CPU, and in what precision."""
    if experiment.backend == "scikit-learn":
        return {**devices.cpu_facts(), "precision": "float64"}
    return {**devices.device_facts(), "precision": precision(devices.computes_on_card())}


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
    return _git("rev-parse", "HEAD") or None


@cache
def git_dirty() -> bool | None:
    """Tell whether the source tree differs from its commit; None for an installed package."""
    found = _git("status", "--porcelain", "--", *_SOURCES)
    return None if found is None else bool(found)


def _git(*words: str) -> str | None:
    """Return what git says of the source tree, or None where there is no tree or no git."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    command = ["git", "--no-optional-locks", "-C", str(here), *words]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # a machine without git
        return None
    return found.stdout.strip() if found.returncode == 0 else None
