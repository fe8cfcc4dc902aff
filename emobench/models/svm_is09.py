"""Support vector machine on the 384 functionals of the INTERSPEECH 2009 emotion challenge.

The reference of A. Keesing, I. Watson and M. Witbrock, "Convolutional and Recurrent Neural
Networks for Spoken Emotion Recognition", ALTA 2020, with the features of B. Schuller, S. Steidl
and A. Batliner, "The INTERSPEECH 2009 Emotion Challenge".

The published grid was scored on the folds that were then reported. Here it is searched wherever
the protocol says (D-14).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..spec import InputSpec, ModelSpec
from . import register
from .support_vector_machine import (
    COSTS,
    GAMMAS,
    Fitted,
    SupportVectorMachine,
    Tuning,
    squared_distances,
)

__all__ = ["Config", "Fitted", "SupportVectorMachine", "Tuning", "squared_distances"]


@dataclass(frozen=True)
class Config:
    """The grid, each axis ascending: of equal cells the first wins, C before gamma."""

    C: tuple[float, ...] = COSTS
    gamma: tuple[float, ...] = GAMMAS


register(
    ModelSpec(
        name="svm-is09",
        citation="Keesing, Watson and Witbrock, ALTA 2020 (SVM on IS09 functionals)",
        paper="keesing2020",
        config=Config(),
        inputs={"functionals": InputSpec("is09")},
        build=SupportVectorMachine,
        kind="estimator",
        deviations=("D-14: tuned on the training folds, but for protocol keesing2020",),
        deterministic=True,
    )
)
