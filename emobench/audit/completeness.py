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
    fewer = [cell for cell in report.cells if cell.differs and cell.found < (cell.wanted or 0)]
    total = next(cell for cell in report.cells if cell.name == "clips")
    see = f"`emobench check {corpus.name}` counts them cell by cell."
    if fewer:
        each = ", ".join(f"{cell.found:,} of {cell.wanted:,} {cell.name}" for cell in fewer)
        yield Finding(
            "fewer-clips",
            "hard",
            f"a smaller copy: {each}",
            "a complete copy of the corpus",
            f"Its folds are not those of others. Complete it: {see}",
        )
    elif total.differs:
        yield Finding(
            "more-clips",
            "soft",
            f"{count(total.found, 'clip')} instead of {total.wanted:,}",
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
