"""How a check of a corpus is told on a terminal or in a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ..corpora import CheckReport

_PLAIN_WIDTH = 1000
_MOST_LISTED = 20


def print_check(console: Console, report: CheckReport) -> None:
    """Print what a check found: counts, formats, and every file that is not as it should be."""
    console.print(
        f"\n{report.corpus.name}: {report.corpus.title} in {printable(report.reading.folder)}",
        style="bold",
        markup=False,
    )
    if not report.reading.files:
        console.print(report.reading.nothing_found(), markup=False)
        return
    _print_cells(console, report)
    lengths = report.durations
    if len(lengths):
        formats = ", ".join(
            f"{rate:,} Hz {'mono' if channels == 1 else f'{channels} channels'} ({count:,} files)"
            for (rate, channels), count in report.formats.items()
        )
        console.print(f"audio: {formats}", markup=False)
        console.print(
            f"durations: {lengths.sum() / 3600:.2f} h; shortest {lengths[0]:.2f} s, median "
            f"{lengths[len(lengths) // 2]:.2f} s, longest {lengths[-1]:.2f} s",
            markup=False,
        )
    for text in _remarks(report):
        console.print(text, markup=False, soft_wrap=True)


def _print_cells(console: Console, report: CheckReport) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("")
    for title in ("found", "expected", "published"):
        table.add_column(title, justify="right")
    table.add_column("")
    for cell in report.cells:
        table.add_row(
            cell.name,
            number(cell.found),
            number(cell.expected),
            number(cell.published),
            "<- differs" if cell.differs else "",
            style="red" if cell.differs else None,
        )
    console.print(table)


def _remarks(report: CheckReport) -> Iterator[str]:
    """Yield the findings below the table, and a verdict."""
    reading = report.reading
    for reason, count in reading.dropped.items():
        yield f"left out by the registry: {count:,} ({reason})"
    if reading.duplicates:
        yield f"files with the id of another, not used: {len(reading.duplicates):,}"
        yield from _listed(f"{unused} (as {used})" for _, used, unused in reading.duplicates)
    if report.alike:
        what = "the same sound" if report.deep else "the same bytes"
        yield f"different clips with {what}: {len(report.alike):,}"
        yield from _listed(" = ".join(group) for group in report.alike)
    yield from reading.problems
    if report.broken:
        yield f"files that cannot be used: {len(report.broken):,}"
        yield from _listed(f"{file}: {reason}" for file, reason in report.broken.items())
    yield _verdict(report)


def _verdict(report: CheckReport) -> str:
    differing = [cell for cell in report.cells if cell.differs]
    clips = next(cell for cell in report.cells if cell.name == "clips")
    wanted = clips.published if clips.expected is None else clips.expected
    decoded = " Every file was decoded." if report.deep else ""
    if report.good:
        known = "as expected" if wanted is not None else "nothing to compare with (no `expect:`)"
        return f"ok: {clips.found:,} clips, {known}.{decoded}"
    if not differing:
        return "not ok: the counts are as expected, but see above."
    if wanted is not None and clips.found < wanted:
        return (
            f"not ok: {clips.found:,} of {wanted:,} clips. The copy is incomplete: unpack the "
            "missing archives, or download it again."
        )
    if wanted is not None and clips.found > wanted:
        return (
            f"not ok: {clips.found:,} clips instead of {wanted:,}. Remove what does not belong to "
            "the corpus from its folder."
        )
    return f"not ok: {len(differing)} numbers differ. The labels are not those of the release."


def _listed(lines: Iterable[str]) -> Iterator[str]:
    """Yield the first lines, indented, and how many there are beyond."""
    everything = list(lines)
    for line in everything[:_MOST_LISTED]:
        yield f"  {line}"
    if len(everything) > _MOST_LISTED:
        yield f"  … and {len(everything) - _MOST_LISTED:,} more"


def console() -> Console:
    """Return where to print: as wide as the terminal, or lines of any length elsewhere."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


def number(value: int | None) -> str:
    """Return a count with commas, or nothing."""
    return "" if value is None else f"{value:,}"


def printable(value: object) -> str:
    """Return text without bytes that cannot be printed."""
    return str(value).encode("utf-8", errors="replace").decode("utf-8")
