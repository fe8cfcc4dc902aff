"""The leaderboard: what has been run, beside what was published.

`gathering` reads what is stored and `selection` decides what is shown of it; `assembly` computes
every figure from predictions, `grid` puts it into words, and `terminal`, `markdown` and `data`
render it. The same results give the same bytes, whenever and wherever. `bitrates` and `comparison`
look at the same results in other ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ..errors import SpecError, suggest
from ..metric_table import BESIDE, CHOICES, USUAL
from ..results.gathering import Current, protocols_on_disk
from . import data, markdown, terminal
from .assembly import build, build_all
from .board import Cell, Leaderboard, Row
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
    "Cell",
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
