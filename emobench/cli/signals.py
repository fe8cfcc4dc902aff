"""What an interrupt, an order to end and a closed terminal mean to a run."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

import click

ENDING = ("SIGTERM", "SIGHUP")
"""Signals that end a run at once; the second is unknown on Windows."""


class EndedError(KeyboardInterrupt):
    """The run was told to end; whatever ends for an interrupt ends for this.

    Args:
        number: of the signal
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextlib.contextmanager
def heeded() -> Iterator[list[int]]:
    """Let the first Ctrl-C finish what is running, and the second end at once.

    SIGTERM and SIGHUP drop the jobs that are running, since who sends them does not wait long.
    The process then ends with the status that shells give such an end, 128 and the signal.

    Yields:
        a list that is empty until the first Ctrl-C
    """
    seen: list[int] = []

    def interrupted(number: int, frame: FrameType | None) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)
        click.echo(
            "\nfinishing the jobs that are running; press Ctrl-C again to end at once", err=True
        )

    def ended(number: int, frame: FrameType | None) -> None:
        for other in before.keys() - {signal.SIGINT}:
            signal.signal(other, signal.SIG_IGN)  # once is enough
        if number == getattr(signal, "SIGHUP", None):
            _forget_terminal()
        raise EndedError(number)

    before = {signal.SIGINT: signal.signal(signal.SIGINT, interrupted)}
    for name in ENDING:
        number = getattr(signal, name, None)
        # Who is started by nohup is to outlive its terminal.
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, ended)
    try:
        yield seen
    except EndedError as error:
        name = signal.Signals(error.number).name
        click.echo(
            f"ended by {name}: the jobs that were running are dropped, everything finished is "
            "kept; give the same command to go on",
            err=True,
        )
        sys.exit(128 + error.number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _forget_terminal() -> None:
    """Write no more to a terminal that is gone: that would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        if os.isatty(stream) or _is_broken(stream):
            os.dup2(nowhere, stream)
    os.close(nowhere)


def _is_broken(stream: int) -> bool:
    """Tell whether nothing can be written to a stream any more."""
    try:
        os.write(stream, b"")
    except OSError:
        return True
    return False
