"""A trained support vector machine as plain arrays, and what it predicts, with NumPy alone.

Whoever reads the arrays back needs neither scikit-learn nor its version, and nothing in them can be
executed. The arithmetic is that of scikit-learn's `SVC` with `decision_function_shape="ovr"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from sklearn.svm import SVC


class Classifier(Protocol):
    """What a fitted estimator is."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of the columns of `predict`."""
        ...

    @property
    def support_vectors(self) -> SupportVectors:
        """The same as plain arrays."""
        ...

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return probabilities, float32 of shape `(clips, classes)`."""
        ...


_ROWS = 4096
"""Clips whose products with all support vectors are held at once."""


@dataclass(frozen=True)
class SupportVectors:
    """What a machine needs to predict.

    Attributes:
        classes: labels in the order of the columns of `predict`, of shape `(classes,)`
        gamma: of the Gaussian kernel, of shape `()`; 0 stands for the linear kernel
        vectors: support vectors, those of a class behind each other, of shape `(vectors, columns)`
        counts: vectors of each class, of shape `(classes,)`
        coefficients: of the vectors against each of the other classes, `(classes - 1, vectors)`
        intercepts: of each pair of classes, of shape `(pairs,)`
        row: of a clip that is looked at, of shape `()`; clips of one row have no other
    """

    classes: np.ndarray
    gamma: np.ndarray
    vectors: np.ndarray
    counts: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray
    row: np.ndarray

    @classmethod
    def of(cls, machine: SVC, row: int = 0) -> SupportVectors:
        """Return the arrays of a trained machine, its kernel being "rbf" or "linear".

        Args:
            machine: fitted
            row: of a clip that it was trained on, where clips have several
        """
        return cls(
            classes=np.asarray(machine.classes_, dtype=str),
            gamma=np.float64(machine.gamma if machine.kernel == "rbf" else 0.0),
            vectors=np.asarray(machine.support_vectors_, dtype=np.float64),
            counts=np.asarray(machine.n_support_, dtype=np.int64),
            coefficients=np.asarray(machine.dual_coef_, dtype=np.float64),
            intercepts=np.asarray(machine.intercept_, dtype=np.float64),
            row=np.int64(row),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> SupportVectors:
        """Return the machine that `arrays` gave.

        Raises:
            ValueError: if an array is missing or does not fit the others
        """
        try:
            found = cls(**{item.name: arrays[item.name] for item in fields(cls)})
        except KeyError as error:
            raise ValueError(f"expected an array {error}, found none") from None
        classes, (count, _) = len(found.classes), found.vectors.shape
        shapes = (found.counts.shape, found.coefficients.shape, found.intercepts.shape)
        wanted = ((classes,), (classes - 1, count), (classes * (classes - 1) // 2,))
        if shapes != wanted or found.counts.sum() != count:
            raise ValueError(f"expected arrays of the shapes {wanted}, found {shapes}")
        return found

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, none of which holds Python objects."""
        return {item.name: np.asarray(getattr(self, item.name)) for item in fields(self)}

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the softmax of the one-against-rest decision values; see `probabilities`.

        Args:
            features: standardised, of shape `(clips, columns)`, or `(clips, rows, columns)`

        Returns:
            float32 of shape `(clips, classes)`
        """
        decision = self.decision(features if features.ndim == 2 else features[:, int(self.row)])
        return probabilities(decision, decision.argmax(axis=1))

    def decision(self, features: np.ndarray) -> np.ndarray:
        """Return how much speaks for each class, of shape `(clips, classes)`.

        A class has a vote for each pair that it wins; among equals the sums of the pairs' values
        decide, squeezed so that they never outweigh a vote. Two classes have the value of their
        pair, with opposite signs.

        Args:
            features: standardised, of shape `(clips, columns)`
        """
        features = np.asarray(features, dtype=np.float64)
        starts = range(0, max(len(features), 1), _ROWS)
        pairs = np.concatenate([self._pairs(features[start : start + _ROWS]) for start in starts])
        if len(self.classes) == 2:
            return np.concatenate([-pairs, pairs], axis=1)
        votes = np.zeros((len(features), len(self.classes)))
        sums = np.zeros_like(votes)
        for column, (one, other) in enumerate(combinations(range(len(self.classes)), 2)):
            value = pairs[:, column]
            sums[:, one] += value
            sums[:, other] -= value
            votes[:, one] += value >= 0
            votes[:, other] += value < 0
        return votes + sums / (3 * (np.abs(sums) + 1))

    def _pairs(self, features: np.ndarray) -> np.ndarray:
        """Return the value of each pair of classes, of shape `(clips, pairs)`."""
        kernel = self._kernel(features)
        ends = np.cumsum(self.counts)
        parts = [slice(end - count, end) for end, count in zip(ends, self.counts, strict=True)]
        values = []
        for one, other in combinations(range(len(self.classes)), 2):
            # A vector's coefficients skip its own class.
            value = kernel[:, parts[one]] @ self.coefficients[other - 1, parts[one]]
            value += kernel[:, parts[other]] @ self.coefficients[one, parts[other]]
            values.append(value)
        return np.stack(values, axis=1) + self.intercepts

    def _kernel(self, features: np.ndarray) -> np.ndarray:
        """Return the kernel between clips and support vectors, of shape `(clips, vectors)`."""
        products = features @ self.vectors.T
        if not self.gamma:
            return products
        products *= -2.0
        products += np.einsum("ij,ij->i", features, features)[:, None]
        products += np.einsum("ij,ij->i", self.vectors, self.vectors)
        # The expanded square rounds to small negative numbers between equal rows.
        return np.exp(-self.gamma * np.maximum(products, 0.0))


def probabilities(decision: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the softmax of decision values.

    The largest value of a row belongs to the class that was chosen, even where rounding to float32
    makes two classes equal.

    Args:
        decision: of shape `(clips, classes)`
        chosen: position of the class that each clip is given, of shape `(clips,)`

    Returns:
        float32 of shape `(clips, classes)`, rows sum to 1

    Examples:
        >>> probabilities(np.zeros((1, 2)), np.array([1])).argmax()
        np.int64(1)
    """
    exponent: Any = np.exp(decision - decision.max(axis=1, keepdims=True))
    found = (exponent / exponent.sum(axis=1, keepdims=True)).astype(np.float32)
    rows = np.arange(len(found))
    best = found.max(axis=1)
    tied = (found == best[:, None]).sum(axis=1) > 1
    lifted = np.nextafter(best, np.float32(2.0))
    found[rows[tied], chosen[tied]] = lifted[tied]
    return found
