"""Versions of the shared parts that compute results.

A part's version is raised whenever the same configuration would give other numbers; it then enters
the fingerprint of every experiment that uses the part, and of no other. Models, front-ends and
conditions have versions of their own. The golden numbers in `tests/golden` hold each part to its
version.
"""

from __future__ import annotations

from collections.abc import Iterable

VERSIONS = {
    "folds": 1,  # how clips are parted into training and test
    "development": 2,  # which training clips decide when training stops, and by which loss
    "resampling": 1,  # sound at 16 kHz from sound at another rate
    "scaling": 1,  # standardisation
    "weights": 1,  # class weights
    "batching": 2,  # which clips share a batch, in which order, and what each weighs there
    "training": 2,  # loss, optimizer, stopping and prediction of networks
    "training together": 1,  # several folds at once, on JAX
    "tuning": 1,  # search of hyper-parameters
    "network tuning": 2,  # that of networks on the evaluation folds, where a protocol has it there
    "inner scaling": 2,  # standardisation inside the search of estimators
    "inner speakers": 2,  # who is kept for it and for stopping, where sessions are held out
    "estimator": 1,  # support vector machines
}
"""Version of each part, by name."""


def raised(parts: Iterable[str]) -> dict[str, int]:
    """Return the versions of parts, without those that are still the first.

    What was run before a part had a version keeps its fingerprint that way.

    Args:
        parts: names

    Raises:
        KeyError: if there is no such part
    """
    return {part: VERSIONS[part] for part in sorted(parts) if VERSIONS[part] > 1}
