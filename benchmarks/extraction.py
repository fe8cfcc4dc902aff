"""How many times faster than real time each front-end is, on one core.

Noise-like speech of three seconds a clip is generated, so that no corpus is needed; the figures of
a corpus differ by the reading of its files.
"""

from __future__ import annotations

import os
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402

from emobench import features  # noqa: E402

CLIPS = 100
SECONDS = 3.0
RATE = 16_000


def clips() -> list[np.ndarray]:
    """Return harmonic tones in noise, with pauses, as float32 samples."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(CLIPS):
        phase = (
            np.cumsum(2 * np.pi * random.uniform(100, 250) * np.ones(int(SECONDS * RATE))) / RATE
        )
        tone = sum(np.sin(k * phase) / k for k in range(1, 20))
        envelope = (np.sin(np.linspace(0, 12, len(tone))) > -0.5) * 0.2
        made.append((tone * envelope + 0.01 * random.standard_normal(len(tone))).astype(np.float32))
    return made


def main() -> None:
    """Print a line for each front-end."""
    sound = clips()
    print(f"{CLIPS} clips of {SECONDS:g} s, one core: times real time")
    for name, params in (
        ("is09", {}),
        ("logmel", {"bands": 40}),
        ("logmel", {"bands": 240}),
        ("logmel5s", {"bands": 240}),
        ("raw5s", {}),
    ):
        features.extract(name, sound[0], RATE, **params)
        rounds = []
        for _ in range(3):
            start = time.process_time()
            for samples in sound:
                features.extract(name, samples, RATE, **params)
            rounds.append(time.process_time() - start)
        print(f"{features.spec(name, **params)!s:22} {CLIPS * SECONDS / min(rounds):8.0f}")


if __name__ == "__main__":
    main()
