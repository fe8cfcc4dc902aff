"""A page for every result: what is behind one number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ... import metrics, pictures
from ...analysis import speaker_scores
from ...analysis.calibration import Calibration, calibration
from ...analysis.class_recalls import class_recalls
from ...analysis.hard_clips import HardClip, hard_clips, said_of
from ...errors import count
from ...leaderboard import Row
from ...metric_table import METRICS, PUBLISHED
from ...results.result import Result
from ...store.reading import inspect
from .. import addresses
from ..evidence import Cell, Evidence
from ..page import Page
from .leaderboard import figure
from .mapping import label_mapping

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_CLIPS = 40
"""Hard clips that are listed."""

FEWEST_MODELS = 3
"""Of fewer there is no "most"."""


def pages(evidence: Evidence) -> Iterator[Page]:
    """Yield the page of each result that is shown, inside a corpus or from one to another."""
    hard: dict[int, HardClips] = {}
    for cell in (*evidence.cells, *evidence.cells_across):
        result = cell.result
        if id(cell.row) not in hard:
            hard[id(cell.row)] = _hard(cell.row)
        heard = f", {result.condition} on {result.sides}" if result.condition else ""
        yield Page(
            addresses.cell(result),
            "cell.html",
            f"{result.column.name}{', ' if result.tested_on else ' on '}{cell.row.title}{heard}",
            _content(evidence, cell, hard[id(cell.row)]),
            section="leaderboard",
        )


def _content(evidence: Evidence, cell: Cell, hard: HardClips) -> dict[str, Any]:
    result = cell.result
    table = result.predictions
    scores = speaker_scores.by_speaker(table)
    found = calibration(_with_probabilities(result), result.labels)
    return {
        "cell": cell,
        "result": result,
        "figures": [
            (metric, *figure(cell, metric), _printed(evidence, cell, metric)) for metric in METRICS
        ],
        "confusion": _confusion(result.scores["confusion"], result.labels),
        "recalls": class_recalls(result),
        "speakers": scores,
        "sexes": _by_sex(scores),
        "speakers_picture": _speakers_picture(cell, scores),
        "folds": _folds(result),
        "hard": hard,
        "fewest": FEWEST_MODELS,
        "hard_clips": [(clip, said_of(result, clip.clip)) for clip in hard.clips[:MOST_CLIPS]],
        "calibration": found,
        "calibration_picture": _calibration_picture(found),
        "provenance": provenance(result),
        "command": command(result),
        "files": _files(evidence, result),
        "sides": _sides(evidence, cell),
        "mapping": label_mapping(result),
        "within": cell.row.within.get(result.column),
        "model_address": addresses.model(result.column.model),
        "siblings": _siblings(evidence, cell),
    }


def _speakers_picture(cell: Cell, scores: Sequence[speaker_scores.SpeakerScore]) -> Markup:
    title = f"UAR of each of {count(len(scores), 'speaker')}"
    return pictures.svg(pictures.speakers(scores, cell.interval, cell.chance, title), 1)


def _calibration_picture(found: Calibration | None) -> Markup | str:
    if found is None:
        return ""
    return pictures.svg(pictures.reliability(found, "Accuracy against confidence"), 2)


def _sides(evidence: Evidence, cell: Cell) -> list[tuple[str, str]]:
    """Return the corpora of a result by title, with the address of their page or "" for none."""
    names = dict.fromkeys([cell.result.trained_on, cell.result.tested_on or cell.row.corpus])
    return [
        (evidence.lookup.title(name), addresses.corpus(name) if name in evidence.corpora else "")
        for name in names
    ]


def _printed(evidence: Evidence, cell: Cell, metric: Any) -> tuple[str, bool] | None:
    """Return the published value of a metric, and whether it counts as reproduced."""
    if metric not in PUBLISHED or cell.result.condition:
        return None
    printed = cell.row.printed(cell.result.column, metric)
    return (f"{printed.value:.1f}", evidence.reproduced(cell.result, metric)) if printed else None


@dataclass(frozen=True)
class ConfusionRow:
    """Clips of one true class: counts and shares by predicted class, None without any clip."""

    label: str
    counts: tuple[int, ...]
    shares: tuple[float | None, ...]

    @property
    def total(self) -> int:
        """Return how many there are."""
        return sum(self.counts)


def _confusion(counts: Sequence[Sequence[int]], labels: Sequence[str]) -> list[ConfusionRow]:
    return [
        ConfusionRow(
            label,
            tuple(row),
            tuple(number / sum(row) if sum(row) else None for number in row),
        )
        for label, row in zip(labels, counts, strict=True)
    ]


def _by_sex(scores: Sequence[speaker_scores.SpeakerScore]) -> list[tuple[str, int, float]]:
    """Return how many speakers of each sex there are, and their mean UAR."""
    found = []
    for place, sex in enumerate(pictures.SEXES):
        known = pictures.SEXES[:-1]
        own = [
            one.uar
            for one in scores
            if one.sex == sex or (place == len(pictures.SEXES) - 1 and one.sex not in known)
        ]
        if own:
            found.append((sex, len(own), sum(own) / len(own)))
    return found


@dataclass(frozen=True)
class FoldRow:
    """One fold: who was tested, how many clips, and UAR in each repetition."""

    fold: int
    held_out: str
    clips: int
    uars: tuple[float | None, ...]


def _folds(result: Result) -> dict[str, Any]:
    table = result.predictions
    matrices = metrics.confusions(table, result.labels)
    repetitions = sorted({repetition for repetition, _ in matrices})
    tested = {
        record["fold"]: ", ".join(map(str, record.get("held_out") or ()))
        for record in result.stored.records
    }
    rows = []
    for fold in sorted({fold for _, fold in matrices}):
        own = [matrices.get((repetition, fold)) for repetition in repetitions]
        uars = tuple(None if one is None else metrics.scores(one)["uar"] for one in own)
        clips = next(int(one.sum()) for one in own if one is not None)
        rows.append(FoldRow(fold, tested.get(fold, ""), clips, uars))
    return {
        "repetitions": repetitions,
        "rows": rows,
        "means": result.scores["uar_repetitions"],
    }


@dataclass(frozen=True)
class HardClips:
    """Clips of a corpus that most models with a complete result get wrong."""

    models: int
    clips: tuple[HardClip, ...]


def _hard(row: Row) -> HardClips:
    """Return the hard clips of a corpus, none where there are too few models."""
    rivals = [one for one in row.cells.values() if one.complete]
    return HardClips(len(rivals), hard_clips(rivals) if len(rivals) >= FEWEST_MODELS else ())


def _with_probabilities(result: Result) -> Any:
    """Return the predictions of a result with their probabilities, read again from disk."""
    stored = inspect(result.stored.folder)
    return Result(stored, result.expected, result.protocol).predictions


def command(result: Result) -> str:
    """Return the command that repeats a result."""
    experiment = result.stored.experiment
    parts = [f"emobench run --model {_quoted(result.model)} --corpus {_quoted(result.trained_on)}"]
    if result.tested_on:
        parts.append(f"--test-corpus {_quoted(result.tested_on)}")
    parts.append(f"--protocol {_quoted(experiment['protocol'])}")
    if result.backend not in ("tensorflow", "scikit-learn"):
        parts.append(f"--backend {_quoted(result.backend)}")
    if result.epochs is not None:
        parts.append(f"--epochs {result.epochs}")
    if result.condition:
        parts.append(f"--condition {_quoted(result.condition)} --condition-on {result.sides}")
    if result.stored.experiment.get("skip_bad"):
        parts.append("--skip-bad")
    parts += [f"--{kind} FILE" for kind in result.column.files]
    return " ".join([*parts, "--data DIR"])


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)


def provenance(result: Result) -> list[tuple[str, str]]:
    """Return what a result was computed with, as pairs of a name and words."""
    records = [record for record in result.stored.records if record["fold"] is not None]
    experiment = result.stored.experiment
    facts = [
        ("fingerprint", result.fingerprint),
        ("configuration", experiment["configuration_fingerprint"]),
        ("clips", experiment["clips"]),
        ("backend", result.backend),
        ("device", _all(records, "device")),
        ("threads", _all(records, "threads")),
        ("precision", _all(records, "precision")),
        ("seeds", _seeds(records)),
        ("Python", _all(records, "python")),
        ("packages", _versions(records)),
        ("git commit", _all(records, "git_commit")),
        ("uncommitted changes", _all(records, "git_dirty")),
        ("hyper-parameters", _parameters(records)),
    ]
    return [(name, words) for name, words in facts if words]


def _all(records: Sequence[Mapping[str, Any]], key: str) -> str:
    """Return every value that records have of something."""
    values = {record[key] for record in records if record.get(key) is not None}
    words = {True: "yes", False: "no"}
    return ", ".join(
        sorted(words[value] if isinstance(value, bool) else str(value) for value in values)
    )


def _seeds(records: Sequence[Mapping[str, Any]]) -> str:
    seeds = {
        (record["repetition"], record["seed"])
        for record in records
        if record.get("seed") is not None
    }
    each = [f"{seed} (repetition {repetition})" for repetition, seed in sorted(seeds)]
    return ", ".join(each) if len(each) <= 6 else f"{len(each)} of them, in the records"


def _versions(records: Sequence[Mapping[str, Any]]) -> str:
    found: dict[str, set[str]] = {}
    for record in records:
        for name, version in (record.get("versions") or {}).items():
            found.setdefault(name, set()).add(str(version))
    return ", ".join(f"{name} {' and '.join(sorted(found[name]))}" for name in sorted(found))


def _parameters(records: Sequence[Mapping[str, Any]]) -> str:
    chosen = {
        json.dumps(record["parameters"], sort_keys=True)
        for record in records
        if record.get("parameters")
    }
    each = [
        ", ".join(
            f"{key} = {value:g}" if isinstance(value, float) else f"{key} = {value}"
            for key, value in json.loads(one).items()
        )
        for one in sorted(chosen)
    ]
    return "; ".join(each)


def _files(evidence: Evidence, result: Result) -> list[str]:
    folder = result.stored.folder
    return [
        path.relative_to(evidence.results).as_posix()
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
    ]


def _siblings(evidence: Evidence, cell: Cell) -> list[tuple[str, Cell]]:
    """Return results of the same model on this corpus under other protocols and conditions."""
    found = []
    for other in evidence.cells_across if cell.result.tested_on else evidence.cells:
        same = (other.row.corpus, other.result.column) == (cell.row.corpus, cell.result.column)
        if same and other is not cell:
            heard = (
                f", {other.result.condition} on {other.result.sides}"
                if other.result.condition
                else ""
            )
            found.append((f"{other.board.protocol}{heard}", addresses.cell(other.result), other))
    return found
