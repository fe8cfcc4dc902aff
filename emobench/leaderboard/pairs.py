"""All models against each other, as lines for a terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from .. import gate
from ..analysis.pairwise import Matrix, Pair
from ..analysis.ranks import Ranking, ScoreTable
from ..results.result import Result
from .data import cell_text

_COLUMNS = (
    *("protocol", "corpus", "first", "second", "uar_first", "uar_second", "difference"),
    *("low", "high", "p", "p_holm", "told_apart", "speakers", "clips"),
    *("comparable", "fingerprint_first", "fingerprint_second"),
)
_DIGITS = 4


def to_text(
    protocol: str, matrices: Sequence[Matrix], table: ScoreTable, ranking: Ranking | None
) -> str:
    """Return every pair of every corpus, and the mean ranks over corpora or why there are none."""
    blocks = ["\n".join(_matrix(protocol, one)) for one in matrices]
    ranks = _ranks(ranking) if ranking else [f"{table.lacking[:1].upper()}{table.lacking[1:]}."]
    return "\n\n".join([*blocks, "\n".join(ranks)]) + "\n"


def to_csv(protocol: str, matrices: Sequence[Matrix]) -> str:
    """Return one line a pair, UAR and differences in percent."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for one in matrices:
        for pair in one.pairs:
            facts = {"protocol": protocol, "corpus": one.corpus, **_facts(pair)}
            writer.writerow({key: cell_text(value) for key, value in facts.items()})
    return stream.getvalue()


def to_json(
    protocol: str, matrices: Sequence[Matrix], table: ScoreTable, ranking: Ranking | None
) -> str:
    """Return everything as JSON, UAR and differences in percent."""
    content = {
        "unit": "percent",
        "protocol": protocol,
        "corpora": [
            {
                "corpus": one.corpus,
                "title": one.title,
                "results": [_result(result) for result in one.results],
                "pairs": [_facts(pair) for pair in one.pairs],
            }
            for one in matrices
        ],
        "ranks": _diagram(ranking) if ranking else None,
        "no_ranks": table.lacking or None,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _matrix(protocol: str, one: Matrix) -> Iterator[str]:
    yield f"{one.title}, protocol {protocol}: UAR and its difference in points, a speaker a value"
    leaks = gate.leaks(one.results[0].protocol)
    if leaks:
        yield f"not comparable: {'; '.join(leaks)}"
    width = max(len(result.column.name) for result in one.results)
    for result in one.results:
        own = "; ".join(reason for reason in result.barred if reason not in leaks)
        name = f"{result.column.name:<{width}}  {100 * result.scores['uar']:5.1f}"
        yield f"  {name}  not comparable: {own}" if own else f"  {name}"
    if not one.pairs:
        yield "one model only: nothing to compare"
        return
    yield (
        f"first – second, [95 % interval over speakers], p of the paired t-test with Holm's "
        f"correction over {len(one.pairs)} {'pair' if len(one.pairs) == 1 else 'pairs'}; "
        "* told apart"
    )
    for pair in one.pairs:
        names = f"{pair.first.column.name:<{width}} – {pair.second.column.name:<{width}}"
        yield f"  {names}  {_told(pair)}".rstrip()


def _told(pair: Pair) -> str:
    found = pair.comparison
    if found is None:
        return "too few speakers in common"
    low, high = (100 * end for end in found.interval)
    mark = "*" if pair.told_apart else " "
    return (
        f"{100 * found.difference:+6.1f}{mark} [{low:+.1f}, {high:+.1f}]  p = {pair.p:.3g}  "
        f"{len(found.speakers)} speakers"
    )


def _ranks(ranking: Ranking) -> Iterator[str]:
    table = ranking.table
    yield (
        f"mean ranks over {len(table.corpora)} corpora ({', '.join(table.corpora)}): "
        f"Friedman's chi-squared = {ranking.statistic:.2f}, p = {ranking.p:.3g}; "
        f"critical difference {ranking.critical:.2f} (Nemenyi, 0.05)"
    )
    for index in ranking.order():
        yield f"  {ranking.ranks[index]:5.2f}  {table.columns[index].name}"
    for group in ranking.groups():
        yield f"not told apart: {', '.join(column.name for column in group)}"
    if table.left_out:
        names = ", ".join(column.name for column in table.left_out)
        yield f"left out, for want of corpora: {names}"


def _facts(pair: Pair) -> dict[str, Any]:
    found = pair.comparison
    low, high = found.interval if found else (None, None)
    return {
        "first": pair.first.column.name,
        "second": pair.second.column.name,
        "uar_first": _percent(pair.first.scores["uar"]),
        "uar_second": _percent(pair.second.scores["uar"]),
        "difference": _percent(found.difference) if found else None,
        "low": _percent(low),
        "high": _percent(high),
        "p": float(f"{found.p:.4g}") if found else None,
        "p_holm": float(f"{pair.p:.4g}"),
        "told_apart": pair.told_apart,
        "speakers": len(found.speakers) if found else None,
        "clips": found.clips if found else None,
        "comparable": pair.first.comparable and pair.second.comparable,
        "fingerprint_first": pair.first.fingerprint,
        "fingerprint_second": pair.second.fingerprint,
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "model": result.column.name,
        "uar": _percent(result.scores["uar"]),
        "not_comparable": list(result.barred),
        "fingerprint": result.fingerprint,
    }


def _diagram(ranking: Ranking) -> dict[str, Any]:
    table, order = ranking.table, ranking.order()
    return {
        "corpora": list(table.corpora),
        "friedman": {"statistic": ranking.statistic, "p": ranking.p},
        "critical_difference": ranking.critical,
        "mean_ranks": {table.columns[index].name: ranking.ranks[index] for index in order},
        "not_told_apart": [[column.name for column in group] for group in ranking.groups()],
        "p_nemenyi": {
            table.columns[first].name: {
                table.columns[second].name: ranking.p_pairs[first, second]
                for second in order
                if second != first
            }
            for first in order
        },
        "left_out": [column.name for column in table.left_out],
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, _DIGITS)
