"""A model that sleeps, for measuring what a job costs beyond itself.

Places of this module carry it to wherever a job is unpacked: that imports the module, and the model
is registered there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emobench import models, spec


@dataclass(frozen=True)
class Config:
    """How long it sleeps."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Fitted:
    """The classes, all of which are equally likely."""

    classes: tuple[str, ...]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return equal probabilities, of shape `(clips, classes)`."""
        return np.full((len(features), len(self.classes)), 1 / len(self.classes))


@dataclass(frozen=True)
class Sleeper:
    """An estimator that learns nothing in its time."""

    config: Config

    def fit(
        self,
        features: np.ndarray,
        labels: Sequence[str],
        weights: np.ndarray,
        parameters: dict[str, float],
        *,
        seed: int,
    ) -> Fitted:
        """Sleep."""
        time.sleep(self.config.seconds)
        return Fitted(tuple(sorted(set(labels))))


@dataclass(frozen=True)
class Places(spec.Places):
    """Where a run reads and writes."""


models.register(
    spec.ModelSpec(
        name="sleeper",
        citation="none",
        config=Config(),
        inputs={"functionals": spec.InputSpec("is09")},
        build=Sleeper,
        kind="estimator",
    )
)
