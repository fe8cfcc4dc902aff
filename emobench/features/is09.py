"""The 384 functionals of the INTERSPEECH 2009 Emotion Challenge, by openSMILE.

Sixteen low-level descriptors and their deltas, twelve functionals each. openSMILE is licensed for
research only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import opensmile_pipeline
from .front_end import FrontEnd
from .opensmile_pipeline import load_apart

__all__ = ["CONFIGURATION", "FRAME", "FUNCTIONALS", "IS09", "is09", "load_apart"]

FUNCTIONALS = 384
FRAME = 400

CONFIGURATION = "is09-13/IS09_emotion.conf"
"""Among the configurations of the wheel."""


def is09(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return the functionals of a clip.

    Args:
        samples: at 16 kHz, of shape `(samples,)`, at least 400; rounded to 16 bits
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(1, 384)`: max, min, range, maxPos, minPos, mean, slope, offset and
        error of the regression line, standard deviation, skewness and kurtosis of energy,
        MFCC 1-12, zero-crossing rate, voicing probability and F0, then of their deltas; a value
        that a very short clip does not define is NaN

    Raises:
        FeatureError: if the clip holds no frame
    """
    return opensmile_pipeline.run(CONFIGURATION, "func", samples)


IS09 = FrontEnd(
    name="is09",
    title="384 functionals of the INTERSPEECH 2009 Emotion Challenge (openSMILE)",
    extract=is09,
    shape=lambda params: (1, FUNCTIONALS),
    minimum=FRAME,
    requires="opensmile",
    gaps=True,
)
