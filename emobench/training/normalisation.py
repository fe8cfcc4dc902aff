"""What batch normalisation remembers: running statistics, or those of the training clips.

Running means and variances start at 0 and 1 and move by a hundredth or a tenth at every step. After
a short training they are not those of the trained network, which then predicts worse than it has
learnt, even on its own training clips. Once the weights are final, the statistics can be measured
instead: the training clips are passed through the network without dropout, and the statistics of
the batches are averaged.
"""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np

from ..batches import Batches
from ..metrics import uar
from .network import Network

Statistics = Literal["recomputed", "running"]

TABLES = ("moving_mean", "moving_variance")
"""Names of the variables that hold running statistics, in Keras' layers as in ours."""

NOTABLE = 0.10
"""UAR on the training clips that may be lost to lagging statistics before it is worth a word."""


def choose_statistics(
    network: Network,
    how: Statistics,
    composed: Batches,
    training: Batches,
    labels: np.ndarray,
) -> dict[str, Any]:
    """Decide what a trained network predicts with; return what is to be recorded.

    Args:
        network: after training; its running statistics are replaced where `how` says so
        how: "recomputed" measures the statistics on the training clips, "running" keeps those that
            were collected while training
        composed: the training clips in batches as they were trained in
        training: the same clips in batches to predict
        labels: of these clips, of shape `(clips,)`

    Returns:
        `statistics`, as given; `training_uar`, the UAR of the network on its own training clips by
        each kind of statistics; and `warnings`, where those in use lag behind
    """

    def reached(probabilities: np.ndarray) -> float:
        return round(uar(list(labels), list(probabilities.argmax(axis=1))), 6)

    # In this order: measuring may overwrite the running statistics, which are looked at first.
    scores = {"running": reached(network.predict(training))}
    scores["batch"] = reached(_measure(network, composed, keep=how == "recomputed"))
    if how == "recomputed":
        scores["recomputed"] = reached(network.predict(training))
    facts: dict[str, Any] = {"statistics": how, "training_uar": scores}
    lost = scores["batch"] - scores[how]
    if lost > NOTABLE:
        facts["warnings"] = [
            f"by {how} statistics of batch normalisation the UAR on the training clips is "
            f"{100 * scores[how]:.1f}, by those of the batches {100 * scores['batch']:.1f}"
        ]
    return facts


def _measure(network: Network, composed: Batches, *, keep: bool) -> np.ndarray:
    """Pass clips through a network that normalises by their batches.

    Args:
        network: the network
        composed: the clips
        keep: whether the averaged statistics take the place of the running ones

    Returns:
        probabilities of the clips, of shape `(clips, classes)`
    """
    tables = [value for value in network.model.variables if value.name in TABLES]
    before = [keras.ops.convert_to_numpy(table) for table in tables]
    sums = [np.zeros(table.shape) for table in tables]
    clips, rows = 0, []
    for batch in composed.current:
        rows.append(network.predict_by_batch(composed.inputs(batch)))
        # Under `predict_by_batch` each layer's running statistics *are* those of this batch: read
        # them off, and let a batch count as much as it has clips that are more than filling.
        count = int(batch.counted.sum())
        clips += count
        for index, table in enumerate(tables):
            sums[index] += count * keras.ops.convert_to_numpy(table)
    after = [total / clips for total in sums] if keep else before
    for table, values in zip(tables, after, strict=True):
        table.assign(values)
    return composed.scatter(np.concatenate(rows))
