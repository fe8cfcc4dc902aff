"""How far a command is that does one thing after another: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_EVERY_SECONDS = 30.0


class Counting:
    """Counts what is done; a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._terminal = self._console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._line_due = time.monotonic() + LINE_EVERY_SECONDS

    def __enter__(self) -> Counting:
        self._bars.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.__exit__(*error)

    def __call__(self, what: str, done: int, total: int, unit: str = "clips") -> None:
        """Show that so many of all units are done."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done)
        if not self._terminal and time.monotonic() > self._line_due:
            self._line_due = time.monotonic() + LINE_EVERY_SECONDS
            self.line(f"{what}: {done:,}/{total:,} {unit}")

    def line(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)
