"""The ledger of published numbers as a page, as rows for a terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..analysis import published
from ..analysis.intervals import FEWEST, LEVEL
from ..analysis.ledger import NEAREST, POINTS, SCORES, VERDICTS, Line, counts
from ..metrics import percent
from ..papers import PAPERS
from .grid import ABSENT, mark

HEADER = (*("corpus", "model", "score", "published", "chance", "ours", "under", "verdict", "why"),)

_CITED = "Cited by these papers"
_COLUMNS = (
    *("paper", "corpus", "model", "metric", "published", "published_sd", "published_protocol"),
    *("ours", "low", "high", "speakers", "protocol", "column", "folds_done", "folds"),
    *("fingerprint", "chance", "human", "differences", "verdict", "reason"),
)

RULE = (
    f"Ours is the same score in percent, with its {100 * LEVEL:g} % interval over speakers "
    "(Student's t), under the protocol that the published number was obtained with, or else the "
    "nearest one that may be compared; complete results come first. A published number is "
    f"*reproduced* if it lies inside our interval (of {FEWEST} speakers or more) or within "
    f"{POINTS:g} points of ours. It is *not comparable* where test clips reached training, tuning, "
    "class weights or the choice of an epoch for one of the two and not for the other, where clips "
    "are missing, for a model that emobench lacks, and for listeners. Nothing is decided by hand."
)


@dataclass(frozen=True)
class Table:
    """The lines of one paper, as words.

    Attributes:
        title: of the paper
        caption: what its numbers were obtained with, or ""
        rows: a cell for each of `HEADER`
        notes: what the marks behind protocols say
    """

    title: str
    caption: str
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def tables(lines: Sequence[Line]) -> list[Table]:
    """Return a table for each paper."""
    return [_table(title, list(own)) for title, own in itertools.groupby(lines, _title)]


def to_markdown(lines: Sequence[Line]) -> str:
    """Return the ledger as a Markdown document."""
    parts = ["# Ledger of published numbers", RULE, _summary(lines)]
    for table in tables(lines):
        parts += [f"## {table.title}", *filter(None, [table.caption])]
        parts += [_markdown(HEADER, table.rows), *_listed(table.notes)]
    parts.append("Regenerate: `emobench ledger --format markdown`, or `make leaderboard`.")
    return "\n\n".join(parts) + "\n"


def to_csv(lines: Sequence[Line]) -> str:
    """Return the ledger as CSV, ours in percent with four decimals, unknown values empty."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for line in lines:
        facts = _facts(line)
        facts["differences"] = "; ".join(map(str, line.differences))
        writer.writerow({key: "" if item is None else item for key, item in facts.items()})
    return stream.getvalue()


def to_json(lines: Sequence[Line]) -> str:
    """Return the ledger as JSON, ours in percent with four decimals, unknown values null."""
    content = {
        "unit": "percent",
        "rule": {
            "level": LEVEL,
            "fewest_speakers": FEWEST,
            "points": POINTS,
            "protocols": NEAREST,
        },
        "counts": counts(lines),
        "lines": [_facts(line) for line in lines],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _title(line: Line) -> str:
    """Return the paper of a line, for people."""
    return next((paper.title for paper in PAPERS if paper.name == line.paper), _CITED)


def _summary(lines: Sequence[Line]) -> str:
    """Return how many numbers of each paper, and of all, got each verdict."""
    by_paper = {title: list(own) for title, own in itertools.groupby(lines, _title)}
    rows = [
        [title, *(str(number) for number in counts(own).values())]
        for title, own in {**by_paper, "**all**": lines}.items()
    ]
    return _markdown(("paper", *VERDICTS), rows)


def _table(title: str, lines: Sequence[Line]) -> Table:
    notes: dict[str, str] = {}
    rows = tuple(_row(line, notes) for line in lines)
    order = NEAREST.get(lines[0].paper, ())
    caption = f"Obtained with the protocol {order[0]}." if order else ""
    return Table(title, caption, rows, tuple(f"{mark} {text}" for text, mark in notes.items()))


def _row(line: Line, notes: dict[str, str]) -> tuple[str, ...]:
    """Return a line as words; what differs between the protocols is numbered as it comes up."""
    score = line.metric if line.metric not in SCORES else line.metric.upper()
    printed = f"{line.published} ± {line.sd}" if line.sd else line.published
    guessed = ABSENT if line.chance is None or line.metric != "uar" else f"{line.chance:.1f}"
    under, ours = ABSENT, ABSENT
    if line.ours:
        ours, under = f"{percent(line.ours.value / 100):.1f}", line.ours.protocol
        if line.ours.interval:
            low, high = (f"{percent(end / 100):.1f}" for end in line.ours.interval)
            ours += f" [{low}, {high}]"
    if line.differences:
        text = f"published → ours: {'; '.join(map(str, line.differences))}"
        under += f" {mark(text, notes)}"
    return (
        *(line.title, line.model, score, printed, guessed),
        *(ours, under, line.verdict, line.reason),
    )


def _facts(line: Line) -> dict[str, Any]:
    """Return a line as plain values."""
    ours = line.ours
    low, high = (round(end, 4) for end in ours.interval) if ours and ours.interval else (None, None)
    return {
        "paper": line.paper,
        "corpus": line.corpus,
        "model": line.model,
        "metric": line.metric,
        "published": float(line.published),
        "published_sd": float(line.sd) if line.sd else None,
        "published_protocol": line.protocol,
        "ours": round(ours.value, 4) if ours else None,
        "low": low,
        "high": high,
        "speakers": ours.speakers if ours else None,
        "protocol": ours.protocol if ours else None,
        "column": ours.column if ours else None,
        "folds_done": ours.done if ours else None,
        "folds": ours.wanted if ours else None,
        "fingerprint": ours.fingerprint if ours else None,
        "chance": None if line.chance is None else round(line.chance, 4),
        "human": published.human(line.corpus),
        "differences": list(map(str, line.differences)),
        "verdict": line.verdict,
        "reason": line.reason,
    }


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, [":--"] * len(header), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines
    )


def _listed(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield "\\\n".join(notes)
