"""Which clips share a batch, in which order, and how much each weighs there. Free of Keras.

Training batches are all of one size. Where the clips run out, the last batch is filled up with
clips that weigh nothing, so that no statistic is taken from a few clips and every trainer sees the
same shapes. There are two ways of composing them (decision D-35):

- "padded-length": clips are sorted by length anew each epoch, with ties and neighbours drawn from
  the random seed, so that every clip weighs in an epoch what its class weight says.
- "sorted": clips are sorted by length once and cut into batches that are kept, as the code of
  Keesing et al. (2020) did. Only the order of the batches changes. The mean loss of the last,
  smaller batch is that of its own clips, which therefore weigh more than others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .sources import Batching, Source

SPREAD = 0.1
"""Part of its length by which a clip may seem longer or shorter when neighbours are drawn."""


@dataclass(frozen=True)
class Batch:
    """Clips that a network sees together.

    Attributes:
        members: indexes of the clips, of shape `(batch,)`
        factors: of each clip's weight in the mean loss of the batch, 0 for clips that only fill
            it up, of shape `(batch,)`
        rows: padded length of each input
    """

    members: np.ndarray
    factors: np.ndarray
    rows: tuple[int, ...]

    @property
    def counted(self) -> np.ndarray:
        """Whether each clip is more than filling, of shape `(batch,)`."""
        return self.factors > 0


class Schedule:
    """The training batches of each epoch; the same for every trainer and every backend.

    The order of the batches by length depends on the number of the epoch alone, so that several
    folds and repetitions can be trained in step. The clips in the batches depend on the seed.

    Args:
        sources: a network's inputs by name
        positions: clips to go through, of shape `(clips,)`
        batch_size: clips a batch, or all where there are fewer
        batching: how batches are composed
        seed: of what is drawn

    Attributes:
        size: clips of each batch
        steps: batches of an epoch
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        positions: np.ndarray,
        *,
        batch_size: int,
        batching: Batching,
        seed: int,
    ) -> None:
        self._padded, lengths = padded_lengths(sources, positions, batching)
        # A clip's length is the sum over its inputs, each relative to the longest clip: seconds of
        # sound and words of text then count alike. An input of one length adds the same to all.
        self._length = (lengths / lengths.max(axis=0)).sum(axis=1)
        self._batching = batching
        self._seed = seed
        self.size = min(batch_size, len(positions))
        self.steps = math.ceil(len(positions) / self.size)
        if batching == "sorted":
            ties = np.random.default_rng(seed).random(len(positions))
            self._kept = np.lexsort((ties, self._length))

    def epoch(self, number: int) -> list[Batch]:
        """Return the batches of an epoch, in order.

        Args:
            number: of the epoch, from 0
        """
        batches = self._compose(number)
        order = np.random.default_rng(number).random(self.steps).argsort()
        return [batches[index] for index in order]

    def _compose(self, number: int) -> list[Batch]:
        """Cut the clips into batches, shortest first."""
        if self._batching == "sorted":
            order = self._kept
        else:
            random = np.random.default_rng([self._seed, number])
            jitter = random.uniform(1 - SPREAD, 1 + SPREAD, len(self._length))
            order = np.argsort(self._length * jitter)
        batches = []
        for start in range(0, len(order), self.size):
            own = order[start : start + self.size]
            # Only the last batch can lack clips; those before it in the order fill it up, and weigh
            # nothing there. They are of nearly the same length, so that nothing is padded further.
            filled = self.size - len(own)
            factors = np.repeat([0.0, 1.0], [filled, len(own)])
            if self._batching == "sorted":
                # The loss is divided by the places of a batch; this undoes it for the empty ones,
                # as the published code divided by the clips that were there.
                factors *= self.size / len(own)
            members = np.concatenate([order[start - filled : start], own])
            batches.append(_batch(members, factors, self._padded))
        return batches

    def facts(self, weights: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
        """Return how an epoch's loss is shared out.

        Args:
            weights: class weight of each clip, of shape `(clips,)`
            labels: of each clip

        Returns:
            `class_share`, the part of each class in the summed weights of an epoch's loss;
            `heaviest_clip`, the largest weight of a clip over the median;  `steps_per_epoch`;
            `smallest_batch`, the fewest clips that share a step, clips that fill up included
        """
        epoch, labels = self._compose(0), np.asarray(labels, dtype=str)
        clips = np.zeros(len(labels))
        for batch in epoch:
            np.add.at(clips, batch.members, weights[batch.members] * batch.factors / self.size)
        shares = {
            str(name): clips[labels == name].sum() / clips.sum() for name in np.unique(labels)
        }
        return {
            "class_share": {name: round(float(share), 6) for name, share in shares.items()},
            "heaviest_clip": round(float(clips.max() / np.median(clips)), 4),
            "steps_per_epoch": self.steps,
            "smallest_batch": min(len(batch.members) for batch in epoch),
        }


def to_predict(
    sources: Mapping[str, Source], positions: np.ndarray, *, batch_size: int, batching: Batching
) -> list[Batch]:
    """Return batches to predict or to watch, in a fixed order.

    Clips of equal padded length share a batch, so that a clip's numbers do not depend on its
    neighbours; under "sorted" batches are padded to their longest member, as published. Sizes are
    powers of two, filled up with copies, so that few shapes occur.

    Args:
        sources: a network's inputs by name
        positions: the clips, of shape `(clips,)`
        batch_size: most clips a batch
        batching: how the network was trained
    """
    padded, lengths = padded_lengths(sources, positions, batching)
    if batching == "sorted":
        groups = [np.lexsort(lengths.T[::-1])]  # by the first input's length, then the second's
    else:
        # One group for each combination of padded lengths.
        _, bucket = np.unique(padded, axis=0, return_inverse=True)
        groups = [np.flatnonzero(bucket == number) for number in range(bucket.max() + 1)]
    batches = []
    for group in groups:
        for start in range(0, len(group), batch_size):
            own = group[start : start + batch_size]
            # Compiled programs are kept by shape: a few sizes are compiled, not one for each rest.
            filled = min(2 ** math.ceil(math.log2(len(own))), batch_size) - len(own)
            members = np.concatenate([own, np.repeat(own[-1:], filled)])
            factors = np.repeat([1.0, 0.0], [len(own), filled])
            batches.append(_batch(members, factors, padded))
    return batches


def padded_lengths(
    sources: Mapping[str, Source], positions: np.ndarray, batching: Batching
) -> tuple[np.ndarray, np.ndarray]:
    """Return padded and own lengths of clips, each of shape `(clips, inputs)`."""
    padded = [source.padded(batching)[positions] for source in sources.values()]
    own = [source.lengths[positions] for source in sources.values()]
    return np.stack(padded, axis=1), np.stack(own, axis=1)


def _batch(members: np.ndarray, factors: np.ndarray, padded: np.ndarray) -> Batch:
    """Return a batch that is padded to its longest member."""
    rows = tuple(int(length) for length in padded[members].max(axis=0))
    return Batch(members, factors, rows)
