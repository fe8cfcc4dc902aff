"""Going back to the weights of the best epoch, and stopping once none is better."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class BestEpoch:
    """Keeps the weights of the epoch that scores highest, the first of equals.

    Args:
        score: returns how good the network is now; more is better
        patience: epochs without a better one before training stops; None never stops it

    Attributes:
        epoch: number of the best epoch, from 1; 0 before the first
        scores: of every epoch so far
        weights: of the network after it
    """

    def __init__(self, score: Callable[[], float], patience: int | None = None) -> None:
        self._score, self._patience = score, patience
        self._best = -np.inf
        self._waited = 0
        self.epoch = 0
        self.scores: list[float] = []
        self.weights: list[np.ndarray] = []

    def goes_on(self, epoch: int, weights: Callable[[], list[np.ndarray]]) -> bool:
        """Look at the network after an epoch; return whether to train another.

        Args:
            epoch: number of the epoch, from 1
            weights: returns those of the network
        """
        score = self._score()
        self.scores.append(score)
        if not self.weights or score > self._best or np.isnan(self._best):
            self._best, self.epoch, self.weights, self._waited = score, epoch, weights(), 0
            return True
        self._waited += 1
        return self._patience is None or self._waited < self._patience
