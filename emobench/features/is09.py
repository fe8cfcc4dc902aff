"""The 384 functionals of the INTERSPEECH 2009 Emotion Challenge, by openSMILE.

Sixteen low-level descriptors and their deltas, twelve functionals each. The openSMILE object is
set up once in a process and reset between clips; the wheel's own `process_signal` builds it anew
each time, which takes longer than the extraction. openSMILE is licensed for research only.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..audio import SAMPLE_RATE
from ..errors import FeatureError
from .front_end import FrontEnd

FUNCTIONALS = 384
FRAME = 400

_LARGEST = 32_767.0 / 32_768.0
"""openSMILE is given 16-bit integers; +1.0 would wrap around to the most negative one."""


class _Extractor:
    """An openSMILE pipeline that is used for one clip after the other."""

    def __init__(self) -> None:
        import opensmile
        from opensmile.core.lib import OpenSMILE, OpenSmileException

        self._failure = OpenSmileException
        root = Path(opensmile.__file__).parent / "core" / "config"
        self._lock = threading.Lock()
        self._pipeline = OpenSMILE()
        self._pipeline.initialize(
            config_file=str(root / f"{opensmile.FeatureSet.IS09.value}.conf"),
            options={
                "source": root / "shared/standard_external_wave_input.conf.inc",
                "sink": root / "shared/standard_external_data_output_single.conf.inc",
                "sinkLevel": opensmile.FeatureLevel.Functionals.value,
                "bufferModeRbConf": root / "shared/BufferModeRb.conf.inc",
                "frameModeFunctionalsConf": root / "shared/FrameModeFunctionals.conf.inc",
                "sampleRate": SAMPLE_RATE,
                "nBits": 16,
            },
            loglevel=0,
        )

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the functionals of 16-bit samples, of shape `(384,)`."""
        try:
            rows = self._run(samples)
        except self._failure as error:
            _extractor.cache_clear()  # what state it is in now is anyone's guess
            raise FeatureError(f"openSMILE fails ({error})") from error
        if not rows:
            raise FeatureError(f"openSMILE found no frame in {len(samples)} samples")
        return np.concatenate(rows).ravel()

    def _run(self, samples: np.ndarray) -> list[np.ndarray]:
        rows: list[np.ndarray] = []
        with self._lock:
            # A reset forgets the callback.
            self._pipeline._callbacks.clear()
            self._pipeline.external_sink_set_callback_ex(
                "extsink", lambda data, _: rows.append(data.copy())
            )
            if not self._pipeline.external_audio_source_write_data("extsource", samples.tobytes()):
                self._pipeline.reset()
                raise FeatureError(f"openSMILE does not take a clip of {len(samples)} samples")
            self._pipeline.external_audio_source_set_eoi("extsource")
            self._pipeline.run()
            self._pipeline.reset()
        return rows


def load_apart() -> None:
    """Load openSMILE's library apart from what is loaded already.

    Where TensorFlow was loaded first, its symbols would stand in for some of openSMILE's, which
    then corrupts the memory of the process.
    """
    apart = getattr(os, "RTLD_DEEPBIND", 0)
    package = importlib.util.find_spec("opensmile")
    if apart and package is not None and package.origin is not None:
        for library in Path(package.origin).parent.rglob("libSMILEapi.so"):
            ctypes.CDLL(str(library), mode=os.RTLD_NOW | os.RTLD_LOCAL | apart)


@lru_cache(maxsize=1)
def _extractor() -> _Extractor:
    load_apart()
    return _Extractor()


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
    integers = (np.clip(samples, -1.0, _LARGEST) * 32_768.0).astype(np.int16)
    return _extractor()(integers)[None]


IS09 = FrontEnd(
    name="is09",
    title="384 functionals of the INTERSPEECH 2009 Emotion Challenge (openSMILE)",
    extract=is09,
    shape=lambda params: (1, FUNCTIONALS),
    minimum=FRAME,
    requires="opensmile",
    gaps=True,
)
