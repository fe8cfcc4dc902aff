"""Where jobs run, and what is asked of whoever runs them.

`contract` is what every executor promises, and `work` is what goes to one and what comes back.
`worker` is what does a job, wherever it is called, and `portion` a part of an extraction. `sharing`
shares jobs out among workers, and `pending` keeps those that wait. `local` is the executor of this
machine: its workers are processes that live on from job to job, which `process` starts and ends,
and `devices` finds out what networks are trained on. `environment`, one floor down, says what a
worker sees of the machine.
"""

from __future__ import annotations

from .contract import Executor
from .devices import Card, Devices, Wanted, find, parse
from .local import Local
from .node import NodeError
from .work import Coming, Event, Outcome, Work

__all__ = [
    "Card",
    "Coming",
    "Devices",
    "Event",
    "Executor",
    "Local",
    "NodeError",
    "Outcome",
    "Wanted",
    "Work",
    "find",
    "parse",
]
