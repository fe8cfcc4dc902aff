"""The 32 low-level descriptors of Mirsamadi, Barsoum and Zhang (ICASSP 2017).

The paper lists F0, voicing probability, frame energy, zero-crossing rate, twelve MFCC and the
first derivatives of all, in frames of 25 ms every 10 ms: one for one the descriptors of the
INTERSPEECH 2009 Emotion Challenge, so openSMILE computes them. Columns are standardised with the
neutral training utterances, as in the paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import is09, opensmile_pipeline
from .frames import FRAME, count_frames
from .front_end import FrontEnd

DESCRIPTORS = 16


def lld32(samples: np.ndarray, **params: Any) -> np.ndarray:
    """Return sixteen descriptors of each frame and their derivatives.

    Args:
        samples: at 16 kHz, of shape `(samples,)`, at least 400; rounded to 16 bits
        params: none; every front-end is called alike

    Returns:
        float32 of shape `(frames, 32)`: energy, MFCC 1-12, zero-crossing rate, voicing
        probability and F0 in Hz (0 where unvoiced), smoothed over three frames, then the slope of
        each over five frames. In digital silence openSMILE's zero-crossing rate is near 1

    Raises:
        FeatureError: if the clip holds no frame
    """
    # Smoothing and derivatives run on past the last frame: their levels have rows to spare.
    rows = opensmile_pipeline.run(is09.CONFIGURATION, "lld;lld_de", samples)
    return rows[: count_frames(len(samples))]


LLD32 = FrontEnd(
    name="lld32",
    title="16 low-level descriptors and their derivatives every 10 ms (openSMILE)",
    extract=lld32,
    shape=lambda params: (None, 2 * DESCRIPTORS),
    scaling="training-neutral",
    minimum=FRAME,
    bucket_multiple=64,
    requires="opensmile",
)
