"""Whether a copy of a corpus is whole: numbers found on other copies are other numbers."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import count
from .findings import Finding
from .material import Material

KINDS = ("fewer-clips", "more-clips", "unusable-files")
"""What `emobench check` says in its own words."""


def findings(material: Material) -> Iterator[Finding]:
    """Yield that clips are missing, too many, or cannot be used."""
    corpus, report = material.corpus, material.report
    total = report.clips
    fewer = [cell for cell in report.cells if cell.differs and cell.found < (cell.wanted or 0)]
    copy = f"This copy holds {count(total.found, 'clip')}"
    copy += f" instead of {total.wanted:,}" if total.differs else ""
    see = f"`emobench check {corpus.name}` counts them cell by cell."
    if fewer:
        each = ", ".join(
            f"{cell.name} {cell.found:,} of {cell.wanted:,}" for cell in fewer if cell is not total
        )
        yield Finding(
            "fewer-clips",
            "hard",
            f"{copy}{f' ({each})' if each else ''}",
            "a complete copy of the corpus",
            f"Its folds may not be those of others. Complete it: {see}",
        )
    elif total.differs:
        yield Finding(
            "more-clips",
            "soft",
            copy,
            "the clips of the release",
            f"Its folds may not be those of others. Remove what does not belong to it: {see}",
        )
    if report.broken:
        yield Finding(
            "unusable-files",
            "hard",
            f"{count(len(report.broken), 'file')} that cannot be used, such as "
            f"{next(iter(report.broken))}",
            "files that can be decoded",
            f"`emobench check {corpus.name}` says why.",
            evidence=tuple(report.broken),
        )
