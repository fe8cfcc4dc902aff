"""What is on file of how well a model does on a corpus, for its card."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from .. import metrics
from ..analysis import intervals
from ..results import speakers
from ..results.result import Result
from ..spec import BETWEEN, fingerprint
from ..store.describing import place
from ..store.reading import inspect, read_description
from ..store.vouching import Damage

COLUMNS = ("id", "label", "predicted", "speaker", "group", "sex")


@dataclass(frozen=True)
class Evidence:
    """A cross-validation of a model on a corpus.

    Attributes:
        corpus: canonical name; `A-to-B` if trained on A and tested on B
        protocol: canonical name
        jobs: folds of all repetitions that are on file
        wanted: folds of all repetitions of a complete result
        uar: mean over folds, then over repetitions
        interval: of UAR over speakers; None where they are too few, or folds are missing
        labels: classes
        confusion: rows of counts, one for each true class, over all repetitions
        recall: of each class, None where no clip has it
        sexes: what was found for each sex that the corpus tells
    """

    corpus: str
    protocol: str
    jobs: int
    wanted: int
    uar: float
    interval: intervals.Interval | None
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    recall: Mapping[str, float | None]
    sexes: tuple[OfSex, ...]


@dataclass(frozen=True)
class OfSex:
    """How a model does on the speakers of one sex.

    Attributes:
        sex: as the corpus tells it
        clips: that were predicted, of one repetition
        speakers: who spoke them
        uar: mean recall over the classes
        recall: of each class, None where no clip has it
    """

    sex: str
    clips: int
    speakers: int
    uar: float
    recall: Mapping[str, float | None]


def find(
    results: Path, configuration: Mapping[str, Any], where: Mapping[str, str]
) -> Evidence | None:
    """Return what is on file of a configuration, complete or not.

    A result that another backend computed counts where there is none of this one.

    Args:
        results: folder that runs wrote to
        configuration: of the experiment
        where: its `protocol`, `corpus` and `model`, by their canonical names
    """
    wanted = _name(configuration)
    experiments = (inspect(folder, COLUMNS) for folder in _folders(results, **where))
    results_of = (
        Result(stored)
        for stored in experiments
        if all(stored.experiment.get(key) == name for key, name in where.items())
        and _name(stored.experiment["configuration"]) == wanted
    )
    usable = [result for result in results_of if len(result.predictions)]
    if not usable:
        return None
    own = configuration["backend"]
    return _evidence(max(usable, key=lambda one: (one.complete, one.backend == own, one.done)))


def tested_elsewhere(results: Path, trained: str, protocol: str, model: str) -> list[str]:
    """Return the pairs that something is on file of: trained on a corpus and tested on another.

    Args:
        results: folder that runs wrote to
        trained: name of the corpus
        protocol: canonical name
        model: canonical name
    """
    begin = f"{trained}{BETWEEN}"
    found = set()
    for folder in _folders(results, "*", protocol=protocol, corpus=begin, model=model):
        with suppress(Damage):
            found.add(str(read_description(folder)["corpus"]))
    return sorted(name for name in found if name.startswith(begin))


def _folders(results: Path, ending: str = "", **where: str) -> list[Path]:
    """Return the folders of experiments, of corpora whose names may end in any way with `*`."""
    protocol, corpus, model = map(glob.escape, place(**where))
    found = sorted(results.glob(f"{protocol}/{corpus}{ending}/{model}/*"))
    return [path for path in found if path.is_dir()]


def _name(configuration: Mapping[str, Any]) -> str:
    """Return the fingerprint of a configuration without what computes it."""
    return fingerprint({key: value for key, value in configuration.items() if key != "backend"})


def _evidence(result: Result) -> Evidence:
    table, labels, scores = result.predictions, result.labels, result.scores
    return Evidence(
        corpus=result.corpus,
        protocol=result.stored.experiment["protocol"],
        jobs=result.done,
        wanted=result.wanted,
        uar=scores["uar"],
        interval=intervals.of_result(result),
        labels=labels,
        confusion=tuple(map(tuple, scores["confusion"])),
        recall=scores["recall"],
        sexes=tuple(_of_sex(str(sex), part, labels) for sex, part in table.groupby("sex")),
    )


def _of_sex(sex: str, table: pd.DataFrame, labels: tuple[str, ...]) -> OfSex:
    scores = metrics.score(table, labels)
    return OfSex(
        sex=sex,
        clips=table["id"].nunique(),
        speakers=speakers.names(table).nunique(),
        uar=scores["uar"],
        recall=scores["recall"],
    )
