"""A model whose training waits as long as a file is there, so that a test can act meanwhile.

Places of this module carry it to wherever a job is unpacked, where the folder of this file must be
on PYTHONPATH: that imports the module, and the model is registered there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emobench import models, spec

FOLDER = "EMOBENCH_TESTS_HELD"
"""Variable that names the folder of the file, and of what tells of the jobs that began."""


class Hold:
    """The file, and what is known of the jobs that saw it."""

    def __init__(self, folder: Path) -> None:
        self._file, self._begun = folder / "hold", folder / "begun"

    def close(self) -> None:
        """Let jobs wait."""
        self._file.touch()

    def open(self) -> None:
        """Let them go on."""
        self._file.unlink(missing_ok=True)

    def pass_through(self) -> None:
        """Tell that a job began, and wait."""
        with open(self._begun, "a") as stream:
            stream.write(f"{os.environ.get('SLURMD_NODENAME', 'here')}\n")
        while self._file.exists():
            time.sleep(0.05)

    @property
    def begun(self) -> list[str]:
        """The nodes of all jobs that ever began."""
        return self._begun.read_text().split() if self._begun.exists() else []


@dataclass(frozen=True)
class Config:
    """Nothing."""


@dataclass(frozen=True)
class Fitted:
    """The classes, all of which are equally likely."""

    classes: tuple[str, ...]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return equal probabilities, of shape `(clips, classes)`."""
        return np.full((len(features), len(self.classes)), 1 / len(self.classes))


@dataclass(frozen=True)
class Held:
    """An estimator that waits."""

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
        """Wait."""
        Hold(Path(os.environ[FOLDER])).pass_through()
        return Fitted(tuple(sorted(set(labels))))


@dataclass(frozen=True)
class Places(spec.Places):
    """Where a run reads and writes."""


HELD = spec.ModelSpec(
    name="held",
    citation="none",
    config=Config(),
    inputs={"functionals": spec.InputSpec("is09")},
    build=Held,
    kind="estimator",
)

if FOLDER in os.environ:  # of a job; a test that imports this is not to change what others see
    models.register(HELD)
