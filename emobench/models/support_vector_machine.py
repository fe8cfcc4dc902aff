"""Support vector machines whose grid is searched fast, for the models that are one.

The search gives what scikit-learn's `GridSearchCV` gives for `SVC`, in a fraction of the time:
distances or products are computed once for all folds and cells, and each kernel matrix serves all
values of C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from .. import weights as weighting
from ..metrics import uar
from .support_vectors import SupportVectors, probabilities

if TYPE_CHECKING:
    from sklearn.svm import SVC

Split = tuple[np.ndarray, np.ndarray]
Kernel = Literal["rbf", "linear"]

COSTS = tuple(2.0**power for power in range(-6, 7, 2))
GAMMAS = tuple(2.0**power for power in range(-12, -1, 2))


class Grid(Protocol):
    """The config of a model: of equal cells the first wins, C before gamma.

    Attributes:
        C: costs, ascending
        gamma: widths of the Gaussian kernel, ascending
    """

    C: tuple[float, ...]
    gamma: tuple[float, ...]


@dataclass(frozen=True)
class Tuning:
    """What a search found.

    Attributes:
        parameters: the best cell, `C` and, for the Gaussian kernel, `gamma`
        scores: every cell in the order searched: its parameters, `score` (the mean over splits)
            and `splits` (the score of each)
    """

    parameters: dict[str, float]
    scores: list[dict[str, Any]]


@dataclass(frozen=True)
class Fitted:
    """A trained machine.

    Attributes:
        machine: the scikit-learn classifier
        classes: labels in the order of the columns of `predict`
    """

    machine: SVC
    classes: tuple[str, ...]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the softmax of the one-against-rest decision values; see `probabilities`.

        Args:
            features: standardised, of shape `(clips, columns)`

        Returns:
            float32 of shape `(clips, classes)`, rows sum to 1
        """
        features = np.asarray(features, dtype=np.float64)
        decision = self.machine.decision_function(features)
        if decision.ndim == 1:
            decision = np.stack([-decision, decision], axis=1)
        chosen = np.searchsorted(self.machine.classes_, self.machine.predict(features))
        return probabilities(decision, chosen)

    @property
    def support_vectors(self) -> SupportVectors:
        """The machine as plain arrays, which predict the same."""
        return SupportVectors.of(self.machine)


@dataclass(frozen=True)
class _Search:
    """What all cells of a grid are scored with.

    Attributes:
        labels: of every clip, of shape `(clips,)`
        used: positions of the clips that rows of a kernel matrix belong to, ascending
        weights: whose class counts balance the training clips
        criterion: score of true and predicted labels
        costs: values of C
    """

    labels: np.ndarray
    used: np.ndarray
    weights: Literal["training", "corpus", "none"]
    criterion: Callable[[Sequence[str], Sequence[str]], float]
    costs: Sequence[float]

    def scores(
        self, similarity: Callable[..., np.ndarray], task: tuple[Split, float | None]
    ) -> list[float]:
        """Return the score of every cost on a split, for one width of the kernel."""
        (training, validation), gamma = task
        sample_weight = weighting.for_fold(self.labels, training, self.weights)
        # libsvm sorts rows by class, keeping their order; sorted ones lie close in memory.
        order = np.argsort(self.labels[training], kind="stable")
        rows = np.searchsorted(self.used, training[order])
        fit = similarity(rows, rows, gamma)
        test = similarity(np.searchsorted(self.used, validation), rows, gamma)
        truth, targets = self.labels[validation], self.labels[training][order]
        return [
            self.criterion(truth, _predict(fit, test, targets, sample_weight[order], cost))
            for cost in self.costs
        ]


@dataclass(frozen=True)
class SupportVectorMachine:
    """C-SVC with a Gaussian or a linear kernel, one class against one.

    Attributes:
        config: the grid
        kernel: "rbf" (Gaussian) or "linear", which knows no `gamma`
    """

    config: Grid
    kernel: Kernel = "rbf"

    def tune(
        self,
        features: np.ndarray | Iterable[np.ndarray],
        labels: Sequence[str],
        splits: Sequence[Split],
        *,
        weights: Literal["training", "corpus", "none"] = "training",
        criterion: Callable[[Sequence[str], Sequence[str]], float] = uar,
        n_jobs: int = 1,
    ) -> Tuning:
        """Search the grid for the best mean score over splits.

        Rows that no split names are not looked at, but for the class counts of "corpus".

        Args:
            features: standardised, of shape `(clips, columns)`; for all splits, or one after
                another for each of them
            labels: of shape `(clips,)`
            splits: pairs of positions to train on and to score
            weights: whose class counts balance the training clips of a split: its "training"
                part's, those of all `labels` ("corpus"), or "none"
            criterion: score of true and predicted labels; the highest mean wins
            n_jobs: threads; libsvm runs outside the interpreter's lock. Changes no number.

        Returns:
            the best cell, and all scores
        """
        labels = np.asarray(labels, dtype=str)
        used = np.unique(np.concatenate([part for split in splits for part in split]))
        search = _Search(labels, used, weights, criterion, self.config.C)
        shared = isinstance(features, np.ndarray)
        groups = (
            [(features, splits)] if shared else zip(features, ((s,) for s in splits), strict=True)
        )
        found: list[list[float]] = []
        seen = similarity = None
        with ThreadPoolExecutor(n_jobs) as pool:
            for matrix, own in groups:
                if seen is None or not np.array_equal(matrix, seen):
                    seen, similarity = matrix, self._similarity(matrix[used].astype(np.float64))
                tasks = product(own, self._gammas)
                found += pool.map(partial(search.scores, similarity), tasks)
        shape = (len(splits), len(self._gammas), len(self.config.C))
        return self._best(np.array(found).reshape(shape).transpose(2, 1, 0))

    def fit(
        self,
        features: np.ndarray,
        labels: Sequence[str],
        weights: np.ndarray,
        parameters: dict[str, float],
        seed: int = 0,
    ) -> Fitted:
        """Train on all the clips given.

        Args:
            features: standardised, of shape `(clips, columns)`
            labels: of shape `(clips,)`; at least two classes
            weights: of shape `(clips,)`
            parameters: `C` and, for the Gaussian kernel, `gamma`; others are not read
            seed: handed to scikit-learn; this classifier draws nothing

        Returns:
            the trained machine
        """
        from sklearn.svm import SVC

        shape = {"gamma": parameters["gamma"]} if self.kernel == "rbf" else {}
        machine = SVC(
            C=parameters["C"], kernel=self.kernel, break_ties=True, random_state=seed, **shape
        )
        machine.fit(
            np.asarray(features, dtype=np.float64),
            np.asarray(labels, dtype=str),
            sample_weight=weights,
        )
        return Fitted(machine, tuple(map(str, machine.classes_)))

    @property
    def _gammas(self) -> tuple[float | None, ...]:
        return self.config.gamma if self.kernel == "rbf" else (None,)

    def _similarity(self, features: np.ndarray) -> Callable[..., np.ndarray]:
        """Return `(rows, columns, gamma)` to a block of the kernel matrix."""
        if self.kernel == "linear":
            products = features @ features.T
            return lambda rows, columns, gamma: products[np.ix_(rows, columns)]
        return partial(_gaussian, squared_distances(features))

    def _best(self, scores: np.ndarray) -> Tuning:
        """Choose among scores of shape `(C, gamma, splits)` as `GridSearchCV` does."""
        cells = [
            {"C": cost} if gamma is None else {"C": cost, "gamma": gamma}
            for cost, gamma in product(self.config.C, self._gammas)
        ]
        by_cell = np.ascontiguousarray(scores).reshape(len(cells), -1)
        means = np.average(by_cell, axis=1)
        scores = [
            {**cell, "score": float(mean), "splits": values.tolist()}
            for cell, mean, values in zip(cells, means, by_cell, strict=True)
        ]
        return Tuning(cells[int(means.argmax())], scores)


def squared_distances(features: np.ndarray) -> np.ndarray:
    """Return squared Euclidean distances between all rows.

    Args:
        features: float64 of shape `(clips, columns)`

    Returns:
        float64 of shape `(clips, clips)`
    """
    squares = np.einsum("ij,ij->i", features, features)
    distances = features @ features.T
    distances *= -2.0
    distances += squares[:, None]
    distances += squares
    # The expanded square rounds to small negative numbers between equal rows.
    np.maximum(distances, 0.0, out=distances)
    np.fill_diagonal(distances, 0.0)
    return distances


def _gaussian(
    distances: np.ndarray, rows: np.ndarray, columns: np.ndarray, gamma: float
) -> np.ndarray:
    block = distances[np.ix_(rows, columns)]
    block *= -gamma
    return np.exp(block, out=block)


def _predict(
    fit: np.ndarray, test: np.ndarray, targets: np.ndarray, weights: np.ndarray, cost: float
) -> np.ndarray:
    import sklearn
    from sklearn.svm import SVC

    # Distances of finite features are finite: no need to look again for every C.
    with sklearn.config_context(assume_finite=True):
        machine = SVC(C=cost, kernel="precomputed", break_ties=True)
        machine.fit(fit, targets, sample_weight=weights)
        return machine.predict(test)
