"""Pages of corpora: what each is, who speaks, what was found, and how models fare on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...analysis.published import human
from ...corpora.paths import how_to_get
from ...experiments import durations
from ...experiments.durations import Durations
from ...leaderboard import Leaderboard
from ...metric_table import UAR
from ...results import speakers
from .. import addresses
from ..evidence import Cell, Evidence
from ..page import Page
from .findings import about

if TYPE_CHECKING:
    import pandas as pd

    from ...corpora import Corpus


@dataclass(frozen=True)
class Emotion:
    """Clips of one label: what the registry expects, and how results count them by sex."""

    label: str
    expected: int | None
    tested: int | None
    by_sex: tuple[int, ...]


@dataclass(frozen=True)
class Speaker:
    """Who speaks, how much, and in which fold of each protocol the clips are tested."""

    name: str
    sex: str
    clips: int
    folds: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """All models on a corpus under a protocol, the highest UAR first."""

    board: Leaderboard
    cells: tuple[Cell, ...]
    published: dict[str, str]
    reproduced: frozenset[str]


def index(evidence: Evidence) -> Page:
    """Return the list of corpora."""
    tested = {
        name: sum(cell.row.corpus == name for cell in evidence.plain_cells())
        for name in evidence.corpora
    }
    lines = [
        (name, evidence.lookup.title(name), _expected(evidence.corpus(name)), tested[name])
        for name in evidence.corpora
    ]
    known = {name: evidence.corpus(name) for name in evidence.corpora}
    content = {"lines": lines, "known": known, "corpus_address": addresses.corpus}
    return Page("corpora.html", "corpora.html", "Corpora", content, section="corpora")


def pages(evidence: Evidence) -> Iterator[Page]:
    """Yield the page of each corpus."""
    for name in evidence.corpora:
        yield Page(
            addresses.corpus(name),
            "corpus.html",
            evidence.lookup.title(name),
            _content(evidence, name),
            section="corpora",
        )


def _content(evidence: Evidence, name: str) -> dict[str, Any]:
    corpus = evidence.corpus(name)
    cells = [cell for cell in evidence.plain_cells() if cell.row.corpus == name]
    widest = max(cells, key=lambda cell: cell.result.scores["clips"], default=None)
    table = _clips(widest) if widest else None
    sexes = [] if table is None else sorted(table["sex"].unique())
    splits = _splits(cells)
    return {
        "name": name,
        "corpus": corpus,
        "facts": _facts(name, corpus) if corpus else [],
        "how_to_get": how_to_get,
        "download": corpus is not None and bool(corpus.urls) and corpus.access == "open",
        "widest": widest,
        "sexes": sexes,
        "emotions": _emotions(corpus, widest, table, sexes),
        "durations": _durations(cells),
        "splits": [board for board, _ in splits],
        "speakers": [] if table is None else _speakers(table, [cells for _, cells in splits]),
        "rankings": list(_rankings(evidence, cells)),
        "findings": about(evidence, name),
        "cell_address": addresses.cell,
        "model_address": addresses.model,
    }


def _facts(name: str, corpus: Corpus) -> list[tuple[str, str]]:
    listeners = human(name.partition(":")[0])
    expect = corpus.expect
    facts = [
        ("name", name),
        ("language", corpus.language),
        ("year", corpus.year),
        ("citation", corpus.citation),
        ("licence", corpus.licence),
        ("access", {"open": "open", "licence": "on request"}[corpus.access]),
        ("size", corpus.size),
        ("clips", f"{sum(expect.emotions.values()):,}" if expect else None),
        ("speakers", expect.speakers if expect else None),
        ("folds", corpus.held_out),
        ("transcripts", "yes" if corpus.has_transcripts else "no"),
        (
            "listeners",
            f"right in {listeners:g} % as the paper's table has it" if listeners else None,
        ),
    ]
    return [(key, str(value)) for key, value in facts if value is not None]


def _expected(corpus: Corpus | None) -> int | None:
    return sum(corpus.expect.emotions.values()) if corpus and corpus.expect else None


def _clips(cell: Cell) -> pd.DataFrame:
    """Return one row for each clip that was tested: label, who speaks, sex."""
    table = cell.result.predictions.drop_duplicates("id")
    sex = table["sex"].astype(object).where(table["sex"].notna(), "unknown").astype(str)
    return table.assign(speaker=speakers.names(table), sex=sex, label=table["label"].astype(str))


def _emotions(
    corpus: Corpus | None,
    widest: Cell | None,
    table: pd.DataFrame | None,
    sexes: Sequence[str],
) -> list[Emotion]:
    expected = corpus.expect.emotions if corpus and corpus.expect else {}
    labels = widest.result.labels if widest else (corpus.labels if corpus else ())
    counted = {} if table is None else table.groupby(["label", "sex"]).size().to_dict()
    return [
        Emotion(
            label,
            expected.get(label),
            None if table is None else int((table["label"] == label).sum()),
            tuple(int(counted.get((label, sex), 0)) for sex in sexes),
        )
        for label in labels
    ]


def _durations(cells: Sequence[Cell]) -> tuple[Durations, list[tuple[str, int]]] | None:
    """Return how long clips last, where a result says so, and the bins of a histogram by name.

    Of several results the one on most clips is taken.
    """
    told = (durations.stored(cell.result.stored.experiment) for cell in cells)
    found = max((one for one in told if one), key=lambda one: one.clips, default=None)
    if found is None:
        return None
    ends = [f"{place * found.width:g}" for place in range(len(found.counts) + 1)]
    names = (f"{low}–{high} s" for low, high in itertools.pairwise(ends))
    return found, list(zip(names, found.counts, strict=True))


def _splits(cells: Sequence[Cell]) -> list[tuple[Leaderboard, list[Cell]]]:
    """Return the cells of each protocol."""
    found: dict[str, tuple[Leaderboard, list[Cell]]] = {}
    for cell in cells:
        found.setdefault(cell.board.protocol, (cell.board, []))[1].append(cell)
    return list(found.values())


def _speakers(table: pd.DataFrame, splits: Sequence[Sequence[Cell]]) -> list[Speaker]:
    tested = []
    for cells in splits:
        folds: dict[str, set[int]] = {}
        for cell in cells:
            predictions = cell.result.predictions
            who = speakers.names(predictions)
            for name, fold in {*zip(who, predictions["fold"], strict=True)}:
                folds.setdefault(name, set()).add(int(fold))
        tested.append(folds)
    return [
        Speaker(
            str(name),
            " and ".join(sorted(own["sex"].unique())),
            len(own),
            tuple(", ".join(map(str, sorted(folds.get(str(name), ())))) for folds in tested),
        )
        for name, own in table.groupby("speaker")
    ]


def _rankings(evidence: Evidence, cells: Sequence[Cell]) -> Iterator[Ranking]:
    for board, own in _splits(cells):
        ranked = sorted(
            own, key=lambda cell: (-cell.result.scores["uar"], cell.result.column.position)
        )
        printed = {
            cell.result.column.name: cell.row.printed(cell.result.column, UAR) for cell in ranked
        }
        yield Ranking(
            board,
            tuple(ranked),
            {name: f"{one.value:.1f}" for name, one in printed.items() if one},
            frozenset(
                cell.result.column.name for cell in ranked if evidence.reproduced(cell.result, UAR)
            ),
        )
