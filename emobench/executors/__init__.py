"""Where jobs run, and what is asked of whoever runs them.

`contract` is what every executor promises, and `work` is what goes to one and what comes back.
`worker` is what does a job, wherever it is called. On this machine `local` shares jobs out among
worker processes that live on from job to job, `pending` keeps those that wait, `process` starts and
ends a worker, `devices` finds out what networks are trained on, and `environment` says what a
worker sees of the machine.
"""

from __future__ import annotations

from .contract import Executor
from .devices import Card, Devices, Wanted, find, parse
from .local import Local, run_locally
from .work import Event, Outcome, Work

__all__ = [
    "Card",
    "Devices",
    "Event",
    "Executor",
    "Local",
    "Outcome",
    "Wanted",
    "Work",
    "find",
    "parse",
    "run_locally",
]
