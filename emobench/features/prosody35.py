"""The 35 prosodic statistics of Yoon, Byun and Jung (SLT 2018).

Pitch by sub-harmonic summation and Viterbi search, its logarithm, voicing probability,
harmonics-to-noise ratio and loudness, seven functionals each: openSMILE's prosodic set with
loudness, whose settings stand in a configuration of our own, for the wheel does not hold them.
Columns are standardised with the training clips, as the paper's text has it (D-25).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import opensmile_pipeline
from .front_end import FrontEnd

CONFIGURATION = str(Path(__file__).with_name("prosody35.conf"))
STATISTICS = 35
FRAME = 880
"""Samples of a pitch frame: 55 ms."""


def prosody35(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return the prosodic statistics of a clip.

    Args:
        samples: at 16 kHz, of shape `(samples,)`, at least 880; rounded to 16 bits
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(1, 35)`: standard deviation, mean, slope of the regression line,
        centroid in time, 10th and 90th percentile and the range between them, of F0 in Hz, F0 in
        semitones, voicing probability, harmonics-to-noise ratio in dB and loudness. All but
        loudness are taken over the frames where they are not 0, and 0 where there is no such frame

    Raises:
        FeatureError: if the clip holds no frame
    """
    return opensmile_pipeline.run(CONFIGURATION, "functionals", samples)


PROSODY35 = FrontEnd(
    name="prosody35",
    title="35 statistics of pitch, voicing, harmonicity and loudness (openSMILE)",
    extract=prosody35,
    shape=lambda params: (1, STATISTICS),
    scaling="training",
    minimum=FRAME,
    requires="opensmile",
    gaps=True,
)
