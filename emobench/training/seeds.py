"""The random seed of each job."""

from __future__ import annotations

import numpy as np

from ..spec import Job


def job_seed(job: Job) -> int:
    """Return the random seed of a job: its own, and the same on every machine."""
    sequence = np.random.SeedSequence([job.repetition, job.fold or 0])
    return int(sequence.generate_state(1)[0])
