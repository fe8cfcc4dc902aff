"""What trained networks attend to, read from the weights filed beside their predictions.

Figure 2 of S. Mirsamadi, E. Barsoum and C. Zhang, "Automatic speech emotion recognition using
recurrent neural networks with local attention" (ICASSP 2017) shows that silent frames get little
weight; `by_voicing` measures it over a corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import features
from ..errors import StoreError
from ..features import FeatureSet
from ..features.workers import Processes
from ..spec import Job
from ..store import StoredExperiment, read_attention, read_experiments

SILENT_DB = 40.0
"""Frames this far below the loudest one of their clip count as silent."""

_ENERGY, _F0 = 0, 15  # columns of lld32


@dataclass(frozen=True)
class Attended:
    """What a network made of a test clip.

    Attributes:
        clip: its id
        job: the fold and repetition that tested it
        label: the true one
        predicted: the predicted one
        weights: of each row, of shape `(rows,)`; they sum to 1
    """

    clip: str
    job: Job
    label: str
    predicted: str
    weights: np.ndarray


def find(
    results: Path,
    *,
    corpus: str,
    model: str,
    protocol: str,
    current: Callable[[Mapping[str, Any]], str | None],
) -> StoredExperiment:
    """Return the stored result of today's configuration that has most folds.

    Args:
        results: folder that runs wrote to
        corpus: canonical name
        model: canonical name
        protocol: canonical name
        current: tells today's configuration fingerprint of an experiment

    Raises:
        StoreError: if there is none
    """
    fitting = [
        stored
        for stored in (read_experiments(results, protocol=protocol) if results.is_dir() else [])
        if stored.experiment.get("corpus") == corpus
        and stored.experiment.get("model") == model
        and stored.records
        and "control" not in stored.experiment["configuration"]
        and current(stored.experiment) == stored.experiment["configuration_fingerprint"]
    ]
    if not fitting:
        raise StoreError(
            f"{results}: expected results of {model} on {corpus} under {protocol}, found none. "
            f"Run `emobench run --model {model} --corpus {corpus} --protocol {protocol}`."
        )
    plain = [stored for stored in fitting if "condition" not in stored.experiment["configuration"]]
    return max(plain or fitting, key=lambda stored: len(stored.records))


def of_clip(stored: StoredExperiment, clip: str, repetition: int = 1) -> Attended:
    """Return what the network attended to in a clip when it was tested on it.

    Raises:
        StoreError: if the clip was not tested, or its attention is not on file
    """
    table = stored.predictions
    rows = table[(table["id"] == clip) & (table["repetition"] == repetition)]
    model = stored.experiment["model"]
    if rows.empty:
        tested = ", ".join(table["id"].head(3))
        raise StoreError(
            f"{stored.folder}: expected a test clip of repetition {repetition} such as {tested}, "
            f"found '{clip}'. Run more folds, or choose another clip."
        )
    row = rows.iloc[0]
    job = Job(int(row["fold"]), repetition)
    weights = read_attention(stored.folder, job).get(clip)
    if weights is None:
        raise StoreError(
            f"{stored.folder}: expected the attention of {model}, found none on file. "
            "Choose a network that attends over time, such as mirsamadi2017-attention-lld."
        )
    return Attended(clip, job, row["label"], row["predicted"], weights)


def by_voicing(stored: StoredExperiment, descriptors: FeatureSet) -> pd.DataFrame:
    """Return how much attention silent, unvoiced and voiced frames of each test clip get.

    Args:
        stored: result of a network that attends to frames of 10 ms
        descriptors: `lld32` of the clips

    Returns:
        one row a clip, indexed by id: `speaker`, the shares of frames `silent_share` and
        `voiced_share`, and `silent`, `unvoiced`, `voiced`: mean weight of such frames times the
        number of frames, so that 1 is what even attention gives; NaN where there are none

    Raises:
        StoreError: if no attention is on file
    """
    position = {name: index for index, name in enumerate(descriptors.ids)}
    table = stored.predictions.drop_duplicates("id").set_index("id")
    sums: dict[str, list[np.ndarray]] = {}
    for record in stored.records:
        if record["fold"] is not None:
            job = Job(record["fold"], record["repetition"])
            for clip, weights in read_attention(stored.folder, job).items():
                sums.setdefault(clip, []).append(weights)
    if not sums:
        raise StoreError(
            f"{stored.folder}: expected the attention of {stored.experiment['model']}, found none "
            "on file. Choose a network that attends over time."
        )
    rows = {
        clip: _shares(np.mean(weights, axis=0), descriptors.clip(position[clip]))
        for clip, weights in sums.items()
        if clip in position
    }
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.insert(0, "speaker", table["speaker"].reindex(found.index))
    return found.rename_axis("id")


def _shares(weights: np.ndarray, descriptors: np.ndarray) -> dict[str, float]:
    """Return the relative attention of the kinds of frames of a clip."""
    descriptors = descriptors[: len(weights)]
    energy, f0 = descriptors[:, _ENERGY], descriptors[:, _F0]
    silent = energy <= energy.max() * 10 ** (-SILENT_DB / 20)
    voiced = (f0 > 0) & ~silent
    relative = weights / weights.mean()
    kinds = {"silent": silent, "unvoiced": ~silent & ~voiced, "voiced": voiced}
    means = {
        name: float(relative[frames].mean()) if frames.any() else float("nan")
        for name, frames in kinds.items()
    }
    return {
        "silent_share": float(silent.mean()),
        "voiced_share": float(voiced.mean()),
        **means,
    }


def descriptors_of(table: pd.DataFrame, cache: Path, jobs: int = 1) -> FeatureSet:
    """Return the descriptors that tell silent, unvoiced and voiced frames apart."""
    crew = Processes(jobs)
    return features.load(table, features.spec("lld32"), cache=cache, crew=crew, skip_bad=True)
