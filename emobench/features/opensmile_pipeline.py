"""openSMILE pipelines that one clip after the other goes through.

A pipeline is set up once in a process and reset between clips; the wheel's own `process_signal`
builds it anew each time, which takes longer than the extraction. openSMILE is licensed for
research only.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..audio import SAMPLE_RATE
from ..errors import FeatureError

_LARGEST = 32_767.0 / 32_768.0
"""openSMILE is given 16-bit integers; +1.0 would wrap around to the most negative one."""

_LOCK = threading.Lock()


class _Pipeline:
    """A configuration of openSMILE and the level of it that is read."""

    def __init__(self, configuration: str, level: str) -> None:
        import opensmile
        from opensmile.core.lib import OpenSMILE, OpenSmileException

        self._failure = OpenSmileException
        wheel = Path(opensmile.__file__).parent / "core" / "config"
        self._pipeline = OpenSMILE()
        self._pipeline.initialize(
            # An absolute path of a configuration of our own stays as it is.
            config_file=str(wheel / configuration),
            options={
                "source": wheel / "shared/standard_external_wave_input.conf.inc",
                "sink": wheel / "shared/standard_external_data_output_single.conf.inc",
                "sinkLevel": level,
                "bufferModeRbConf": wheel / "shared/BufferModeRb.conf.inc",
                "frameModeFunctionalsConf": wheel / "shared/FrameModeFunctionals.conf.inc",
                "sampleRate": SAMPLE_RATE,
                "nBits": 16,
            },
            loglevel=0,
        )

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the rows for 16-bit samples, float32 of shape `(rows, columns)`."""
        try:
            rows = self._run(samples)
        except self._failure as error:
            _pipeline.cache_clear()  # what state it is in now is anyone's guess
            raise FeatureError(f"openSMILE fails ({error})") from error
        if not rows:
            raise FeatureError(f"openSMILE found no frame in {len(samples)} samples")
        return np.stack(rows)

    def _run(self, samples: np.ndarray) -> list[np.ndarray]:
        rows: list[np.ndarray] = []
        with _LOCK:
            # A reset forgets the callback.
            self._pipeline._callbacks.clear()
            self._pipeline.external_sink_set_callback_ex(
                "extsink", lambda data, _: rows.append(data.ravel().copy())
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


@lru_cache(maxsize=8)
def _pipeline(configuration: str, level: str) -> _Pipeline:
    load_apart()
    return _Pipeline(configuration, level)


def run(configuration: str, level: str, samples: np.ndarray) -> np.ndarray:
    """Send a clip through an openSMILE pipeline.

    Args:
        configuration: file with the pipeline, absolute or below the wheel's configurations; it
            takes its source and its sink from the options of these names, as the wheel's do
        level: what is read; levels joined by a semicolon come side by side, as many rows as the
            shortest has
        samples: at 16 kHz, of shape `(samples,)`; rounded to 16 bits

    Returns:
        float32 of shape `(rows, columns)`

    Raises:
        FeatureError: if the clip holds no frame, or is longer than openSMILE takes
    """
    integers = (np.clip(samples, -1.0, _LARGEST) * 32_768.0).astype(np.int16)
    return _pipeline(configuration, level)(integers)
