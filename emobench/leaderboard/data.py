"""Leaderboards for programs: CSV with one line a result, and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..analysis.intervals import of_result
from ..analysis.published import Published
from ..analysis.ties import Standing
from ..metric_table import METRICS, PUBLISHED, UAR, Metric
from ..results.columns import FILES
from ..results.result import Result
from .board import Leaderboard, Row
from .phrases import shown_notices

SCORES = tuple(key for one in METRICS for key in (one.key, one.deviation) if key)
"""Scores in percent, of all that are computed."""

INTERVAL = ("uar_low", "uar_high", "uar_mean_over_speakers", "uar_sd_over_speakers", "speakers")
"""The 95 % interval of UAR over speakers, and what it is made of."""

COLUMNS = (
    "protocol",
    "corpus",
    "synthetic",
    "model",
    "condition",
    "condition_on",
    *FILES,
    "headline",
    *SCORES,
    *INTERVAL,
    *(f"published_{one.name}" for one in PUBLISHED),
    "published_protocol",
    "human",
    "chance",
    "complete",
    "comparable",
    "not_comparable",
    "best",
    "p_best",
    "folds_done",
    "folds",
    "repetitions",
    "clips",
    "backend",
    "fingerprint",
    "notes",
)

_COUNTS = re.compile(r"(?<=\[)\s+\d+(,\s+\d+)*\s+(?=\])")


def to_csv(boards: Sequence[Leaderboard]) -> str:
    """Render leaderboards as CSV, percentages with four decimals, unknown values empty."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for board in boards:
        for row, synthetic in (*_rows(boards, board), *_rows(boards, board, across=True)):
            standing = row.standing(board.headline)
            for cell in (*row.cells.values(), *row.conditions):
                facts = _facts(row, cell, standing)
                for key in ("not_comparable", "notes"):
                    facts[key] = "; ".join(facts[key])
                named = {"protocol": board.protocol, "corpus": row.corpus, "synthetic": synthetic}
                named["headline"] = board.headline.name
                writer.writerow({key: cell_text(item) for key, item in {**named, **facts}.items()})
    return stream.getvalue()


def to_json(boards: Sequence[Leaderboard]) -> str:
    """Render leaderboards as JSON, percentages with four decimals, unknown values null."""
    content = {"unit": "percent", "leaderboards": [_board(boards, board) for board in boards]}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    return _COUNTS.sub(lambda counts: re.sub(r"\s+", " ", counts[0]), text) + "\n"


def _board(boards: Sequence[Leaderboard], board: Leaderboard) -> dict[str, Any]:
    across = [_row(*known, board.headline) for known in _rows(boards, board, across=True)]
    real = _real(boards)
    notices = {
        kind: [notice.text for notice in shown_notices(board, kind, real=real)]
        for kind in sorted({notice.kind for notice in board.notices})
    }
    return {
        "protocol": board.protocol,
        "title": board.title,
        "caution": board.caution,
        "comparable": not board.leaks,
        "not_comparable": list(board.leaks),
        "headline": board.headline.name,
        "rows": [_row(*known, board.headline) for known in _rows(boards, board)],
        **({"across": across} if across else {}),
        "notices": {kind: texts for kind, texts in notices.items() if texts},
    }


def _row(row: Row, synthetic: bool, headline: Metric) -> dict[str, Any]:
    standing = row.standing(headline)
    within = {column.name: uar for column, uar in row.within.items()}
    return {
        "corpus": row.corpus,
        "title": row.title,
        "synthetic": synthetic,
        "chance": round(row.chance, 4),
        "human": row.human,
        **{
            "published" if one is UAR else f"published_{one.name}": _values(row.published[one.name])
            for one in PUBLISHED
        },
        "best": sorted(column.name for column in standing.best),
        "results": {
            column.name: _details(row, cell, standing) for column, cell in row.cells.items()
        },
        "conditions": [_details(row, cell, standing) for cell in row.conditions],
        **({"uar_within": _percentages(within)} if within else {}),
    }


def _rows(
    boards: Sequence[Leaderboard], board: Leaderboard, *, across: bool = False
) -> Iterator[tuple[Row, bool]]:
    """Yield rows and whether they are synthetic, which they are only where nothing else is.

    Args:
        boards: all that are written
        board: whose rows
        across: those between corpora, in place of the others
    """
    real = _real(boards)
    if across:
        rows = board.across if real else board.synthetic_across
    else:
        rows = board.rows if real else board.synthetic
    yield from ((row, not real) for row in rows)


def _real(boards: Sequence[Leaderboard]) -> bool:
    return any(board.real for board in boards)


def _details(row: Row, cell: Result, standing: Standing) -> dict[str, Any]:
    return {
        **_facts(row, cell, standing),
        "labels": list(cell.labels),
        "recall": _percentages(cell.scores["recall"]),
        "confusion": cell.scores["confusion"],
    }


def _facts(row: Row, cell: Result, standing: Standing) -> dict[str, Any]:
    printed: dict[str, Published] = {}
    if not cell.condition:
        found = {one.name: row.printed(cell.column, one) for one in PUBLISHED}
        printed = {metric: one for metric, one in found.items() if one}
    else:
        standing = Standing()
    p = standing.p.get(cell.column)
    return {
        "model": cell.model,
        "condition": cell.condition or None,
        "condition_on": cell.sides or None,
        **{key: cell.column.files.get(key) for key in FILES},
        **_percentages({score: cell.scores.get(score) for score in SCORES}),
        **_interval(cell),
        **{
            f"published_{one.name}": printed[one.name].value if one.name in printed else None
            for one in PUBLISHED
        },
        "published_protocol": next((one.protocol for one in printed.values()), None),
        "human": row.human,
        "chance": round(row.chance, 4),
        "complete": cell.complete,
        "comparable": cell.comparable,
        "not_comparable": list(cell.barred),
        "best": cell.column in standing.best,
        "p_best": None if p is None else float(f"{p:.4g}"),
        "folds_done": cell.done,
        "folds": cell.wanted,
        "repetitions": cell.scores["repetitions"],
        "clips": cell.clips,
        "backend": cell.backend,
        "fingerprint": cell.fingerprint,
        "notes": list(cell.notes),
    }


def _interval(cell: Result) -> dict[str, float | None]:
    held = of_result(cell)
    if held is None:
        return dict.fromkeys(INTERVAL)
    shares = (held.low, held.high, held.centre, held.sd)
    return {**_percentages(dict(zip(INTERVAL, shares, strict=False))), "speakers": held.speakers}


def _values(printed: Mapping[str, Published]) -> dict[str, float]:
    return {model: one.value for model, one in sorted(printed.items())}


def _percentages(shares: dict[str, float | None]) -> dict[str, float | None]:
    return {key: None if share is None else round(100 * share, 4) for key, share in shares.items()}


def cell_text(value: Any) -> Any:
    """Return what stands for a value in CSV."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value
