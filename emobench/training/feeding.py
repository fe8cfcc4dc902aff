"""Which clips of a fold a network learns from, is watched on and tested on, and their batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import folds, weights
from ..batches import Batches
from ..experiments.context import Context
from ..experiments.inputs import Prepared
from ..spec import Fold


@dataclass(frozen=True)
class Parts:
    """The clips of a fold, as positions in the table; no clip is in two of the first three.

    Attributes:
        training: clips that scaling and fitted front-ends are learnt from, and weights
        development: clips that decide when training stops; empty without early stopping
        test: clips that are predicted
        copies: test clips that weights are learnt from as well, where a protocol prices that
        developed_on: where the development clips come from, or ""
    """

    training: np.ndarray
    development: np.ndarray
    test: np.ndarray
    copies: np.ndarray
    developed_on: str = ""

    @property
    def taught(self) -> np.ndarray:
        """Clips that weights are learnt from."""
        return np.concatenate([self.training, self.copies])


def part(context: Context, fold: Fold, seed: int) -> Parts:
    """Keep development clips where a model stops early: the protocol's own, else speakers'.

    Args:
        context: what the folds share
        fold: what is trained on and what is tested
        seed: draws the speakers
    """
    early, positions = context.model.development, context.data.positions
    training: Sequence[str] = fold.training
    development: Sequence[str] = ()
    origin = ""
    if early and fold.development:
        development, origin = fold.development, "clips of the protocol"
    elif early:
        training, development, origin = folds.development(
            fold, context.data.table, early.share, seed
        )
    return Parts(
        positions(training),
        positions(development),
        positions(fold.test),
        positions(fold.copies),
        origin,
    )


@dataclass(frozen=True)
class Feed:
    """Makes batches of clips for a network.

    Attributes:
        context: what the folds share
        inputs: the network's inputs, prepared for the fold
        outputs: names of the outputs that have a loss; empty for a network with one output
    """

    context: Context
    inputs: Mapping[str, Prepared]
    outputs: tuple[str, ...]

    def labelled(
        self, positions: np.ndarray, *, seed: int | None = None, portion: float = 1.0
    ) -> Batches:
        """Return batches to learn or to be watched on; see `Batches`."""
        data = self.context.data
        truth = np.eye(len(data.labels), dtype=np.float32)[data.targets[positions]]
        balance = self._weights(positions).astype(np.float32)
        return self._batches(positions, targets=truth, weights=balance, seed=seed, portion=portion)

    def facts(self, training: Batches) -> dict[str, Any]:
        """Return how the loss of an epoch is shared out; see `Schedule.facts`."""
        labels = self.context.data.table["label"].to_numpy()[training.positions]
        return training.schedule.facts(self._weights(training.positions), labels)

    def _weights(self, positions: np.ndarray) -> np.ndarray:
        """Return the class weights of clips, of shape `(clips,)`."""
        labels = list(self.context.data.table["label"])
        return weights.for_fold(labels, positions, self.context.protocol.weights)

    def unlabelled(self, positions: np.ndarray, *, seed: int | None = None) -> Batches:
        """Return batches without labels: to predict, or composed from a seed as in training."""
        return self._batches(positions, seed=seed)

    def _batches(self, positions: np.ndarray, **more: object) -> Batches:
        return Batches(
            {name: item.source for name, item in self.inputs.items()},
            positions,
            batch_size=self.context.model.config.batch_size,
            batching=self.context.protocol.batching,
            outputs=self.outputs,
            **more,
        )
