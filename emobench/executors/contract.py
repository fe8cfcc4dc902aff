"""What `runs` asks of whoever runs its jobs, on this machine or on many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ..features.workers import Crew, Processes
from .work import Event, Work


class Executor(Protocol):
    """Where jobs run.

    An executor is handed jobs and tells what becomes of them; it moves neither arrays nor models.
    A job is done by `worker.perform`, wherever that is called: it reads corpora and caches by path,
    makes sure that it computes the configuration that was planned, and files its record itself.
    What an executor tells is news for people; what counts is on disk, so that whoever hands out
    jobs may be killed and started again.
    """

    @property
    def networks_at_once(self) -> int:
        """How many workers train networks on cards; 0 where CPUs train them."""

    @property
    def others_at_once(self) -> int:
        """How many workers do what no card trains."""

    @property
    def workers_here(self) -> int:
        """How many of all workers compute on this machine, and leave its processors to nobody."""

    @property
    def tuning_processes(self) -> int:
        """How many processes a job may use that tunes.

        With several, such jobs are handed over one by one; else all at once.
        """

    def crew(self, here: Processes) -> Crew:
        """Return who extracts features; they come back to this process, which alone caches them.

        Args:
            here: processes of this machine, which do it where it is nobody else's part
        """

    def run(self, work: Iterable[Work], stopping: Callable[[], bool]) -> Iterator[Event]:
        """Run jobs and tell what happens to them.

        Args:
            work: jobs, those of one group behind each other. There may be a million: no more of
                them are drawn than is of use. Where they are `Coming`, those that are there do
                not wait for the next. Those of a group go to one worker as long as it has any,
                because it holds what they share: tables, features, and a traced network
            stopping: asked again and again; once true, running jobs are finished, with those that
                are trained along with them, and no other is begun

        Yields:
            for every job "started", perhaps "epoch" and "retried", and then one of "done" and
            "failed", in the order they become known; "fatal" where nothing more can be stored. A
            job whose worker is lost is tried once more, elsewhere if need be. Closing the iterator
            ends what is running; nothing that was filed is lost

        Raises:
            EmobenchError: if no worker can be had, or one that cannot do these jobs
        """

    def close(self) -> None:
        """Give back what was taken for the run."""
