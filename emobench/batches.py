"""Minibatches of padded clips, made as they are asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .batching import Batch, Schedule, to_predict
from .sources import Batching, Source


class Batches(Sequence):
    """The clips of one side of a fold, in batches as Keras takes them.

    Each item is `(inputs, targets, weights)`: inputs by name of shape `(batch, rows, columns)`,
    targets one-hot of shape `(batch, classes)`, weights of shape `(batch,)`; targets and weights
    are repeated for each output where a network has several.

    Args:
        sources: the network's inputs by name
        positions: clips to go through, of shape `(clips,)`
        targets: one-hot truth of those clips, of shape `(clips, classes)`; None to predict
        weights: weight of each of those clips, of shape `(clips,)`
        batch_size: most clips a batch
        batching: which clips share a batch
        outputs: names of the outputs that have a loss; empty for a network with one output
        seed: of the composition of training batches, new in each epoch; None to predict or to
            watch, in an order that is kept
        portion: part of the batches that a round of training takes, 1 at most; the next round
            goes on from there

    Attributes:
        schedule: of the training batches, or None
        n_batches: of a pass through all clips
        share: the part of them that a round takes: one batch at least
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        positions: np.ndarray,
        *,
        targets: np.ndarray | None = None,
        weights: np.ndarray | None = None,
        batch_size: int,
        batching: Batching,
        outputs: Sequence[str] = (),
        seed: int | None = None,
        portion: float = 1.0,
    ) -> None:
        self.sources = dict(sources)
        self.positions = np.asarray(positions)
        self.targets = targets
        self.weights = weights
        self.batching = batching
        self.outputs = tuple(outputs)
        self.schedule: Schedule | None = None
        common = {"batch_size": batch_size, "batching": batching}
        if seed is None:
            first = to_predict(self.sources, self.positions, **common)
        else:
            self.schedule = Schedule(self.sources, self.positions, seed=seed, **common)
            first = self.schedule.epoch(0)
        self._epoch = 0, first
        self.n_batches = len(first)
        self._steps = math.ceil(portion * self.n_batches)
        self.share = self._steps / self.n_batches
        self._batches = first[: self._steps]

    def begin(self, number: int) -> None:
        """Go to the batches of a round of training, the first being 0."""
        if self.schedule is None:
            return
        self._batches = []
        for step in range(number * self._steps, (number + 1) * self._steps):
            epoch, index = divmod(step, self.n_batches)
            if self._epoch[0] != epoch:
                self._epoch = epoch, self.schedule.epoch(epoch)
            self._batches.append(self._epoch[1][index])

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple:
        batch = self._batches[index]
        inputs = self.inputs(batch)
        if self.targets is None:
            return (inputs,)
        targets = self.targets[batch.members]
        weights = (self.weights[batch.members] * batch.factors).astype(np.float32)
        if not self.outputs:
            return inputs, targets, weights
        return inputs, dict.fromkeys(self.outputs, targets), dict.fromkeys(self.outputs, weights)

    def inputs(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return the inputs of a batch by name, each of shape `(batch, rows, …)`."""
        positions = self.positions[batch.members]
        return {
            name: source.stack(positions, rows)
            for (name, source), rows in zip(self.sources.items(), batch.rows, strict=True)
        }

    def scatter(self, rows: np.ndarray) -> np.ndarray:
        """Bring what was computed for this round's batches into the order of `positions`.

        Args:
            rows: one for each clip of each batch, in order, of shape `(clips of batches, …)`

        Returns:
            one for each clip, of shape `(clips, …)`; those of clips that fill up are dropped
        """
        members = np.concatenate([batch.members for batch in self._batches])
        counted = np.concatenate([batch.counted for batch in self._batches])
        scattered = np.empty((len(self.positions), *rows.shape[1:]), rows.dtype)
        scattered[members[counted]] = rows[counted]
        return scattered

    @property
    def loss_scale(self) -> float:
        """Factor from the mean loss over all places of batches to that over clips."""
        places = sum(len(batch.members) for batch in self._batches)
        return places / float(sum(batch.factors.sum() for batch in self._batches))

    @property
    def current(self) -> tuple[Batch, ...]:
        """The batches of this round."""
        return tuple(self._batches)
