"""The leaderboard: what has been run, beside what was published.

A stored experiment is drawn in four forms. It is read as a `store.StoredExperiment`: files,
damaged or not. `results.gathering` makes a `results.result.Result` of it, which knows its column,
its clips and its figures, chooses one for each cell and says why the others are not shown.
`assembly` lays results out as a `board.Leaderboard`, whose rows are corpora, beside what is
published. `tables` and `further_tables` put that into words, a `grid.Grid`, which `terminal` and
`markdown` draw; `data` writes the leaderboard itself, for programs. The same results give the same
bytes, whenever and wherever.

Whether a result may be compared it says itself (`Result.barred`, from `gate` and from its own
completeness); which are the best of a row, and how sure a figure is, `analysis.ties` and
`analysis.intervals` compute from the scores of its speakers when a cell is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ..errors import SpecError, suggest
from ..metric_table import BESIDE, CHOICES, USUAL
from ..results.gathering import Current, protocols_on_disk
from . import data, markdown, terminal
from .assembly import build, build_all
from .board import Leaderboard, Row
from .markdown import embed
from .price_list import build_price_lists

Format = Literal["table", "markdown", "csv", "json"]
FORMATS: tuple[str, ...] = get_args(Format)

__all__ = [
    "build",
    "build_all",
    "build_price_lists",
    "render",
    "embed",
    "fragment",
    "protocols_on_disk",
    "Current",
    "FORMATS",
    "Format",
    "Leaderboard",
    "Row",
]


def render(
    boards: Leaderboard | Sequence[Leaderboard],
    format: Format = "table",
    *,
    metrics: Sequence[str] = (),
    pooled: bool = False,
    colour: bool = False,
    width: int | None = None,
) -> str:
    """Render one leaderboard or several.

    Args:
        boards: what `build` or `build_all` returned
        format: "table" for people at a terminal, "markdown", "csv" or "json"
        metrics: names of metrics, a table for each in this order; none means the protocol's
            headline, and UAR. CSV and JSON always hold them all
        pooled: add tables of pooled UAR and of WA
        colour: use a terminal's bold and dim letters in a table
        width: columns of the terminal; a wider table is cut into several

    Returns:
        text that ends in a line break

    Raises:
        SpecError: if there is no such format or metric
    """
    several = _several(boards)
    for metric in metrics:
        if metric not in CHOICES:
            raise SpecError(
                f"--metric: expected one of {', '.join(CHOICES)}, found '{metric}'."
                + suggest(metric, CHOICES)
            )
    wanted = (*(metrics or USUAL), *(BESIDE if pooled else ()))
    if format == "table":
        return terminal.to_text(several, wanted, colour=colour, width=width)
    if format == "markdown":
        return markdown.to_markdown(several, wanted)
    if format == "csv":
        return data.to_csv(several)
    if format == "json":
        return data.to_json(several)
    raise SpecError(
        f"--format: expected one of {', '.join(FORMATS)}, found '{format}'."
        + suggest(format, FORMATS)
    )


def fragment(boards: Leaderboard | Sequence[Leaderboard]) -> str:
    """Return the Markdown tables of real corpora alone, for `embed` to put into a README."""
    return markdown.fragment(_several(boards), USUAL)


def _several(boards: Leaderboard | Sequence[Leaderboard]) -> tuple[Leaderboard, ...]:
    return (boards,) if isinstance(boards, Leaderboard) else tuple(boards)
