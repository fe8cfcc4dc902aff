"""High-level statistical functions of the 32 descriptors, for the SVM of Mirsamadi et al. (2017).

S. Mirsamadi, E. Barsoum and C. Zhang, "Automatic speech emotion recognition using recurrent
neural networks with local attention", ICASSP 2017. The footnote of its Table 2 and its running
text list different functionals (D-31), so there is a set for each. Their formulas are ours, as
the paper gives none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .front_end import FrontEnd
from .lld32 import DESCRIPTORS, LLD32, lld32

SETS: Mapping[str, tuple[str, ...]] = {
    "mean": ("mean",),
    "mmm": ("mean", "min", "max"),
    "full": ("mean", "std", "min", "max", "range", "skewness", "kurtosis"),
    "text": (
        *("mean", "std", "min", "max", "range", "position of max", "position of min"),
        *("skewness", "kurtosis", "slope", "intercept"),
    ),
}
"""Functionals of each set, in the order of the columns."""


def functionals(values: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the sets choose from.

    Time runs from 0 at the first row to 1 at the last. Standard deviation, skewness
    `m3 / sd^3` and excess kurtosis `m4 / sd^4 - 3` are those of the population; for a constant
    column the last two are 0.

    Args:
        values: of shape `(rows, columns)`

    Returns:
        by name, each float64 of shape `(columns,)`
    """
    values = np.asarray(values, dtype=np.float64)
    time = np.arange(len(values)) / max(len(values) - 1, 1)
    mean, lowest, highest = values.mean(axis=0), values.min(axis=0), values.max(axis=0)
    # A mean of equal numbers may be rounded; that they are equal is told by the extremes.
    centred = np.where(highest > lowest, values - mean, 0.0)
    deviation = np.sqrt((centred**2).mean(axis=0))
    varies = deviation > 0
    standard = centred / np.where(varies, deviation, 1.0)
    centred_time = time - time.mean()
    spread = (centred_time**2).sum()
    slope = centred_time @ centred / spread if spread > 0 else np.zeros_like(mean)
    return {
        "mean": mean,
        "std": deviation,
        "min": lowest,
        "max": highest,
        "range": highest - lowest,
        "position of max": time[values.argmax(axis=0)],
        "position of min": time[values.argmin(axis=0)],
        "skewness": np.where(varies, (standard**3).mean(axis=0), 0.0),
        "kurtosis": np.where(varies, (standard**4).mean(axis=0) - 3.0, 0.0),
        "slope": slope,
        "intercept": mean - slope * time.mean(),
    }


def hsf32(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return functionals of the descriptors of a clip.

    Args:
        samples: at 16 kHz, of shape `(samples,)`, at least 400
        params: `set`, which functionals: "mean", "mmm" (mean, minimum, maximum), "full" (seven)
            or "text" (eleven)

    Returns:
        float32 of shape `(1, 32 * functionals)`: all descriptors by the first functional, then
        by the second and so on, in the order of `SETS`

    Raises:
        FeatureError: if the clip holds no frame
    """
    found = functionals(lld32(samples))
    return np.concatenate([found[name] for name in SETS[params["set"]]])[None].astype(np.float32)


HSF32 = FrontEnd(
    name="hsf32",
    title="statistics over time of 32 low-level descriptors (openSMILE)",
    extract=hsf32,
    shape=lambda params: (1, 2 * DESCRIPTORS * len(SETS[params["set"]])),
    defaults={"set": "full"},
    choices={"set": tuple(SETS)},
    version=LLD32.version,
    scaling="training",
    minimum=LLD32.minimum,
    requires=LLD32.requires,
)
