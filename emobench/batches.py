"""Minibatches of padded clips, made as they are asked for.

Two ways of batching (decision D-35). "padded-length": clips of equal padded length share a batch,
so a clip's numbers never depend on its neighbours. "sorted": clips sorted by length are cut into
batches, each padded to its longest member, as the code of Keesing et al. (2020) did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from .sources import Batching, Source


class Batches(keras.utils.PyDataset):
    """The clips of one side of a fold, as Keras asks for them.

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
        seed: of the order of clips and batches, new in each epoch; None keeps the order
        portion: part of the batches that Keras sees as an epoch, 1 at most; the next one goes on
            from there

    Attributes:
        n_batches: of a pass through all clips, as first dealt
        share: the part of them that Keras sees as an epoch: two batches at least
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
        super().__init__()
        self.sources = dict(sources)
        self.positions = np.asarray(positions)
        self.targets = targets
        self.weights = weights
        self.batch_size = batch_size
        self.batching = batching
        self.outputs = tuple(outputs)
        self._random = None if seed is None else np.random.default_rng(seed)
        self._padded = np.stack(
            [source.padded(batching)[self.positions] for source in self.sources.values()], axis=1
        )
        dealt = _varied_first(self._deal(), self._padded)
        # Two at least: from two batches Keras learns which axes vary.
        self.n_batches = len(dealt)
        self._steps = min(max(math.ceil(portion * self.n_batches), 2), self.n_batches)
        self.share = self._steps / self.n_batches
        self._batches, self._waiting = dealt[: self._steps], dealt[self._steps :]

    def _deal(self) -> list[np.ndarray]:
        """Cut the clips into batches; each is an array of indexes into `positions`."""
        if self.batching == "sorted":
            order = np.lexsort(self._padded.T[::-1])
            batches = _cut(order, self.batch_size)
        else:
            _, bucket = np.unique(self._padded, axis=0, return_inverse=True)
            batches = []
            for number in range(bucket.max() + 1):
                members = np.flatnonzero(bucket == number)
                if self._random is not None:
                    members = self._random.permutation(members)
                batches += _cut(members, self.batch_size)
        if self._random is not None:
            batches = [batches[index] for index in self._random.permutation(len(batches))]
        return batches

    def on_epoch_end(self) -> None:
        """Go on to the next batches, dealing the clips anew once all were seen."""
        if self._random is None:
            return
        while len(self._waiting) < self._steps:
            self._waiting += self._deal()
        self._batches = self._waiting[: self._steps]
        self._waiting = self._waiting[self._steps :]

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple:
        members = self._batches[index]
        rows = self._padded[members].max(axis=0)
        inputs = {
            name: source.stack(self.positions[members], int(length))
            for (name, source), length in zip(self.sources.items(), rows, strict=True)
        }
        if self.targets is None:
            return (inputs,)
        targets, weights = self.targets[members], self.weights[members]
        if not self.outputs:
            return inputs, targets, weights
        return inputs, dict.fromkeys(self.outputs, targets), dict.fromkeys(self.outputs, weights)

    @property
    def order(self) -> np.ndarray:
        """Indexes into `positions` in the order of this epoch, of shape `(clips,)`."""
        return np.concatenate(self._batches)


def _cut(order: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut an order into consecutive batches of at most `size`."""
    return [order[start : start + size] for start in range(0, len(order), size)]


def _varied_first(batches: list[np.ndarray], padded: np.ndarray) -> list[np.ndarray]:
    """Bring a batch of another padded length to the second place.

    Keras reads the first two batches to learn which axes vary; an axis that agrees in both is
    taken as fixed and a later batch of another length would be refused.
    """
    rows = np.array([padded[batch].max(axis=0) for batch in batches])
    varied = (rows != rows[0]).sum(axis=1)
    second = int(varied.argmax())
    if varied[second] == 0:
        return batches
    return [batches[0], batches[second], *batches[1:second], *batches[second + 1 :]]
