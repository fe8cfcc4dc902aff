"""Trying models where no record tells what they take: a few steps in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import environment, features
from ..experiments.dataset import specs_of
from ..spec import ModelSpec, Places
from . import effort, front_ends
from .figures import Figure, Rate

_FEWEST, _MOST = 36, 240
"""Clips of a trial: about a batch, but for batches that hold all there is."""

_ESTIMATOR_CLIPS = 180
_PATIENCE_SECONDS = 120
"""For what cannot be interrupted: loading a backend, tracing a network, and the first epoch."""


@dataclass(frozen=True)
class Trial:
    """What a model was found to take.

    Attributes:
        rate: of its effort
        memory: the most that the process held, in MiB
    """

    rate: Rate
    memory: Figure


@dataclass
class Trials:
    """Tries each model once, on clips as long as those of the corpus that asks first.

    Attributes:
        seconds: after which a trial begins no further epoch
        backend: what trains networks
        threads: of its arithmetic
        places: where a frozen encoder is
        seat: card that networks are tried on; None for the CPU
    """

    seconds: float
    backend: str
    threads: int
    places: Places
    seat: environment.Seat | None = None
    _found: dict[str, Trial | None] = field(default_factory=dict)

    def of(self, model: ModelSpec, durations: np.ndarray, classes: int) -> Trial | None:
        """Return what a model takes; None where it cannot be tried, or not in that time.

        Args:
            model: which
            durations: of the clips of a corpus, in seconds, of shape `(clips,)`
            classes: number of classes
        """
        if model.name not in self._found:
            self._found[model.name] = self._try(model, durations, classes)
        return self._found[model.name]

    def _try(self, model: ModelSpec, durations: np.ndarray, classes: int) -> Trial | None:
        some = _some(np.sort(durations), _clips(model, len(durations)))
        wanted = _wanted(model, some, self.places)
        if wanted is None:
            return None
        network = model.kind == "network"
        alone = self.threads == 1 and not (network and self.seat)
        told = {**wanted, "classes": classes, "seconds": self.seconds, "alone": alone}
        found = _ask(
            told,
            environment.of_worker(
                self.backend if network else "scikit-learn",
                self.threads,
                seat=self.seat if network else None,
            ),
            self.seconds + _PATIENCE_SECONDS,
        )
        return None if found is None else _trial(model, found, float(some.mean()))


def _clips(model: ModelSpec, most: int) -> int:
    """Return how many clips a model is tried on."""
    if model.kind == "estimator":
        return _ESTIMATOR_CLIPS
    batch = int(getattr(model.config, "batch_size", 1))
    return max(min(batch, _MOST if batch < 2 * _MOST else most), _FEWEST)


def _wanted(model: ModelSpec, durations: np.ndarray, places: Places) -> dict[str, Any] | None:
    """Return the size of made-up clips as a trial is told; None if a front-end cannot tell."""
    rows: dict[str, Sequence[int]] = {}
    columns: dict[str, int] = {}
    for name, spec in specs_of(model, places).items():
        if features.get(spec.name).text:
            continue
        found = front_ends.of(spec)
        if found is None:
            return None
        rows[name] = [int(each) for each in found.rows_of(durations)]
        columns[name] = found.columns
    told = {"model": model.name, "rows": rows, "columns": columns, "clips": len(durations)}
    return {**told, "encoder": str(places.encoder or "")}


def _ask(told: Mapping[str, Any], seen: Mapping[str, str], patience: float) -> dict | None:
    """Let a process try; return what it took, or None if it came to nothing."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", "from emobench.training.trial import main; main()"],
            input=json.dumps(told),
            env=dict(seen),
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    lines = [line for line in done.stdout.split("\n") if line.startswith("{")]
    return json.loads(lines[-1]) if done.returncode == 0 and lines else None


def _trial(model: ModelSpec, found: Mapping[str, Any], duration: float) -> Trial | None:
    clips, length = int(found["training"]), effort.rows(model, duration)
    if model.kind == "estimator":
        trained = effort.fits(model, effort.cells_of(model), int(found["inner"]))
        amount = effort.effort(model, clips, length, trained, 1)
        seconds, overhead = found["first"], 0.0
    else:
        amount, seconds = effort.of_epoch(model, clips, length), found["epoch"]
        overhead = max(found["first"] - seconds, 0.0)
    if seconds <= 0:
        return None
    return Trial(Rate(overhead, seconds / amount, "measured"), Figure(found["memory"], "measured"))


def _some(durations: np.ndarray, clips: int) -> np.ndarray:
    """Return so many durations, spread as all of them are."""
    return durations[np.linspace(0, len(durations) - 1, clips).round().astype(int)]
