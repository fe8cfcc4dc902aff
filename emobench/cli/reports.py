"""How a check of a corpus is told on a terminal or in a log."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from .. import errors
from ..errors import count

if TYPE_CHECKING:
    from rich.console import Console

    from ..corpora import CheckReport
    from ..corpora.reading.clips import Duplicate

_PLAIN_WIDTH = 1000
_MOST_LISTED = 20
_FEW = 5
_INCOMPARABLE = "nothing to compare with (no `expect:`)"


def print_check(console: Console, report: CheckReport, warnings: Sequence[str]) -> None:
    """Print what a check found: counts, formats, and every file that is not as it should be.

    Args:
        console: where to
        report: what was found
        warnings: what the corpus cannot teach, a line each
    """
    console.print(
        f"\n{report.corpus.name}: {report.corpus.title} in {printable(report.reading.folder)}",
        style="bold",
        markup=False,
    )
    reading = report.reading
    if not reading.files:
        for text in reading.problems or (reading.nothing_found(),):
            console.print(printable(text), markup=False, soft_wrap=True)
        console.print("not ok: there is nothing to count.", markup=False)
        return
    _print_cells(console, report)
    for text in (*_facts(report), *_remarks(report, warnings)):
        console.print(printable(text), markup=False, soft_wrap=True)


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
            "<- differs" if cell.differs else "(published otherwise)" if cell.corrected else "",
            style="red" if cell.differs else None,
        )
    console.print(table)


def _facts(report: CheckReport) -> Iterator[str]:
    """Yield what the audio is like, and what is trained on where the table does not show it."""
    reading, lengths = report.reading, report.durations
    if any(clip.facts["label"] != clip.facts["emotion"] for clip in reading.clips):
        labels = Counter(clip.facts["label"] for clip in reading.clips)
        yield "labels trained on: " + ", ".join(
            f"{label} {labels[label]:,}" for label in report.corpus.labels
        )
    if lengths:
        formats = ", ".join(
            f"{rate:,} Hz {'mono' if channels == 1 else f'{channels} channels'} "
            f"({count(files, 'file')})"
            for (rate, channels), files in report.formats.items()
        )
        yield f"audio: {formats}"
        yield (
            f"durations: {_time(sum(lengths))}; shortest {lengths[0]:.2f} s, median "
            f"{lengths[len(lengths) // 2]:.2f} s, longest {lengths[-1]:.2f} s"
        )


def _remarks(report: CheckReport, warnings: Sequence[str]) -> Iterator[str]:
    """Yield the findings below the table, and a verdict."""
    reading = report.reading
    for reason, dropped in reading.dropped.items():
        yield f"left out by the registry: {dropped:,} ({reason})"
    if reading.duplicates:
        yield f"files with the id of another, not used: {len(reading.duplicates):,}"
        yield from _listed(_copies(reading.duplicates))
    if report.alike:
        what = "the same sound" if report.deep else "the same bytes"
        yield f"different clips with {what}: {len(report.alike):,}"
        yield from _listed(_likenesses(report))
    yield from (*reading.problems, *reading.gaps)
    if len(reading.unmatched) > _FEW:
        yield f"files that are not understood: {len(reading.unmatched):,}"
        yield from _listed(reading.unmatched)
    if report.broken:
        yield f"files that cannot be used: {len(report.broken):,}"
        yield from _listed([f"{file}: {reason}" for file, reason in report.broken.items()])
        if len(report.broken) > _MOST_LISTED:
            reasons = Counter(report.broken.values()).most_common(_FEW)
            yield from (f"  {count:,} in all: {reason}" for reason, count in reasons if count > 1)
    yield from (f"warning: {line}" for line in warnings)
    yield _verdict(report, len(warnings))


def _copies(duplicates: Sequence[Duplicate]) -> list[str]:
    """Return which folders hold the same as which others, and how many files."""
    from ..corpora.reading.duplicates import differing_folders

    folders = Counter(differing_folders(copy.used, copy.unused) for copy in duplicates)
    return [
        f"{unused or 'the corpus folder'}: {count:,} that hold{'s' if count == 1 else ''} the same "
        f"as in {used or 'the corpus folder'}"
        for (used, unused), count in folders.items()
    ]


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.2f} h" if seconds >= 600 else f"{seconds:.1f} s"


def _likenesses(report: CheckReport) -> list[str]:
    """Return names of files that hold the same, and in what their clips should not differ."""
    clips = defaultdict(list)
    for clip in report.reading.clips:
        clips[clip.file.relative].append(clip)
    lines = []
    for group in report.alike:
        text = " = ".join(group)
        for column in ("label", "speaker"):
            values = sorted({clip.facts[column] for name in group for clip in clips[name]})
            text += f"; {column}s differ: {', '.join(values)}" if len(values) > 1 else ""
        lines.append(text)
    return lines


def _verdict(report: CheckReport, warnings: int) -> str:
    differing = [cell for cell in report.cells if cell.differs]
    clips = report.clips
    decoded = " Every file in use was decoded." if report.deep else ""
    if report.good:
        known = "as expected" if clips.wanted is not None else _INCOMPARABLE
        warned = f" See the {count(warnings, 'warning')} above." if warnings else ""
        return f"ok: {count(clips.found, 'clip')}, {known}.{decoded}{warned}"
    if not differing:
        known = "the counts are as expected, but see above"
        return f"not ok: {known if clips.wanted is not None else 'see above'}.{decoded}"
    if clips.wanted is not None and clips.found < clips.wanted:
        advice = ": unpack the missing archives, or download it again"
        if report.reading.problems:
            advice = " or cannot be understood: see above"
        counts = f"{clips.found:,} of {count(clips.wanted, 'clip')}"
        return f"not ok: {counts}. The copy is incomplete{advice}.{decoded}"
    if clips.wanted is not None and clips.found > clips.wanted:
        return (
            f"not ok: {count(clips.found, 'clip')} instead of {clips.wanted:,}. Remove what does "
            f"not belong to the corpus from its folder{_otherwise(report)}.{decoded}"
        )
    names = ", ".join(cell.name for cell in differing)
    return f"not ok: the numbers of {names} are not those of the release.{decoded}"


def _otherwise(report: CheckReport) -> str:
    """Return what else to do about more clips than are expected."""
    if report.corpus.variants:
        titles = {name: (keys or {}).get("title") for name, keys in report.corpus.variants.items()}
        names = (f"{report.corpus.base}:{name}, {title}" for name, title in titles.items())
        return f", or check the variant that it is: {'; '.join(names)}"
    return ", or correct `expect:`" if report.corpus.expect is not None else ""


def _listed(lines: Sequence[str]) -> Iterator[str]:
    """Yield the first lines, indented, and how many there are beyond."""
    for line in lines[:_MOST_LISTED]:
        yield f"  {line}"
    if len(lines) > _MOST_LISTED:
        yield f"  … and {len(lines) - _MOST_LISTED:,} more"


def aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield lines with the cells of rows below each other.

    Not by rich, which takes seconds for several thousand rows.
    """
    every = list(rows)
    if not every:
        return
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    for row in every:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def console() -> Console:
    """Return where to print: as wide as the terminal, or lines of any length elsewhere."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


def number(value: int | None) -> str:
    """Return a count with commas, or nothing."""
    return "" if value is None else f"{value:,}"


def printable(value: object) -> str:
    """Return text without bytes that cannot be printed, and with control characters shown."""
    return errors.printable(str(value).encode("utf-8", errors="replace").decode("utf-8"))
