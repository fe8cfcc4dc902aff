"""Tests of paired differences, one of each speaker: is their mean 0?

Which results are told from the best one is decided by Student's paired t-test. It is the test whose
interval is shown beside the numbers, and it keeps its level with as few speakers as corpora have.
The exact tests that assume less (sign flips, Wilcoxon's) cannot give less than p = 2 / 2^n for n
speakers: with four or five they find nothing, however large the difference, and with six about half
of what the t-test finds. They stand beside it where two models are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVEL = 0.05
"""Of a test: how often it may tell apart what is the same."""

_DRAWS = 100_000
_EXACT_UP_TO = 16
_SEED = 0
_TOLERANCE = 1e-12

Numbers = Sequence[float] | np.ndarray


def better(differences: Numbers) -> int:
    """Return how many differences are above 0."""
    return int((np.asarray(differences) > _TOLERANCE).sum())


def t_test(differences: Numbers) -> float:
    """Return the two-sided p of Student's paired t-test, 1 for fewer than two differences.

    Where all differences are the same there is no spread to hold the mean against, and the signs
    alone decide.
    """
    from scipy import stats

    values = np.asarray(differences, dtype=float)
    if len(values) < 2:
        return 1.0
    if np.ptp(values) <= _TOLERANCE:
        return sign_flips(values)
    return float(stats.ttest_1samp(values, 0).pvalue)


def sign_flips(differences: Numbers) -> float:
    """Return how often a mean is as far from 0 as this one when each sign is left to chance.

    All combinations of signs are tried up to 16 speakers; beyond, a hundred thousand random ones.
    """
    from scipy import stats

    values = np.asarray(differences, dtype=float)
    if abs(values).max() <= _TOLERANCE:
        return 1.0
    exact = len(values) <= _EXACT_UP_TO
    found = stats.permutation_test(
        (values,),
        lambda sample, axis: sample.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if exact else _DRAWS,
        batch=_DRAWS // 10,
        rng=np.random.default_rng(_SEED),
    )
    return float(found.pvalue)


def sign_test(differences: Numbers) -> float:
    """Return how likely so uneven a split into better and worse is when either is as likely."""
    from scipy import stats

    values = np.asarray(differences, dtype=float)
    above, below = better(values), better(-values)
    return float(stats.binomtest(above, above + below).pvalue) if above + below else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's step-down method, in the same order.

    Examples:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda one: p_values[one])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected
