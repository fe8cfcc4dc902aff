"""Where jobs run: worker processes on this machine that live on from job to job.

`work` is what goes to an executor and what comes back, `devices` finds out what networks are
trained on, `environment` says what a worker sees of the machine, `process` starts and ends one,
`worker` is what runs inside it, and `local` shares jobs out among them.
"""

from __future__ import annotations

from .devices import Card, Devices, Wanted, find, parse
from .local import run_locally
from .work import Event, Outcome, Work

__all__ = [
    "Card",
    "Devices",
    "Event",
    "Outcome",
    "Wanted",
    "Work",
    "find",
    "parse",
    "run_locally",
]
